"""Answers to the last exercise of lesson 07: questions for the kit's registry."""

import contextlib
import threading

from sockkit import UnknownClient
from sockkit.exercises import nb07 as ex

from ..table import Table

question = Table(ex.question)
ADDRESS = ("127.0.0.1", 1)


@question.stub
def blank_question(Registry): ...


def three(Registry):
    registry = Registry()
    for _ in range(3):
        registry.add(None, ADDRESS)
    return registry


def look_at(registry, number):
    with contextlib.suppress(UnknownClient):
        registry.find(number)


@question.right
def with_three_threads(Registry):
    def finds(registry):
        look_at(registry, 2)

    def broadcasts(registry):
        assert list(registry.snapshot()) in ([1, 2, 3], [1, 3])

    def leaves(registry):
        registry.remove(2)

    return lambda: three(Registry), [leaves, finds, broadcasts], lambda r: len(r) == 2


@question.right
def with_a_class(Registry):
    class Room:
        def __init__(self):
            self.registry = three(Registry)
            self.seen = []

        def come_and_go(self):
            self.registry.remove(3)
            self.registry.add(None, ADDRESS)

        def look(self):
            self.seen = list(self.registry.snapshot())
            look_at(self.registry, 3)

        def is_right(self):
            return self.seen in ([1, 2, 3], [1, 2], [1, 2, 4]) and len(self.registry) == 3

    return Room, [Room.come_and_go, Room.look], Room.is_right


def comes_and_leaves(registry):
    registry.add(None, ADDRESS)
    registry.remove(1)


def look_around(registry):
    look_at(registry, 1)
    for _ in registry.snapshot():
        pass


@question.right
def begins_with_nobody(Registry):
    return Registry, [comes_and_leaves, look_around], lambda r: True


@question.right
def begins_with_nobody_and_looks_first(Registry):
    return Registry, [look_around, comes_and_leaves], lambda r: len(r.snapshot()) == 0


@question.right
def begins_with_nobody_and_has_three_threads(Registry):
    def finds(registry):
        look_at(registry, 1)

    def broadcasts(registry):
        for number in registry.snapshot():
            look_at(registry, number)

    return Registry, [comes_and_leaves, broadcasts, finds], lambda r: len(r) == 0


def _goes_through(part):
    def look(registry):
        look_at(registry, 2)
        for _ in part(registry.snapshot()):
            pass

    def leaves(registry):
        registry.add(None, ADDRESS)
        registry.remove(2)

    return lambda Registry: (lambda: three(Registry), [leaves, look], lambda r: len(r) == 3)


@question.right
def goes_through_the_values(Registry):
    return _goes_through(lambda snapshot: snapshot.values())(Registry)


@question.right
def goes_through_the_keys(Registry):
    return _goes_through(lambda snapshot: snapshot.keys())(Registry)


@question.right
def compares_the_keys(Registry):
    return _goes_through(lambda snapshot: snapshot.keys() - {7})(Registry)


@question.right
def goes_through_the_items(Registry):
    return _goes_through(lambda snapshot: snapshot.items())(Registry)


@question.right
def waits_for_the_other_one(Registry):
    class Room:
        def __init__(self):
            self.registry = three(Registry)
            self.gone = threading.Event()

        def look(self):
            for _ in self.registry.snapshot():
                look_at(self.registry, 2)
            self.gone.wait()
            assert 2 not in self.registry.snapshot()

        def leave(self):
            self.registry.remove(2)
            self.gone.set()

    return Room, [Room.look, Room.leave], lambda room: len(room.registry) == 2


@question.wrong(
    "one after the other, on the kit's registry. A raised AttributeError.*What does `setup` return"
)
def forgets_to_return_it(Registry):
    def setup():
        three(Registry)

    return setup, [lambda r: r.remove(2), lambda r: look_at(r, 2)], lambda r: len(r) == 2


@question.wrong(
    "one after the other, on the kit's registry. A raised TypeError.*What does `setup` return"
)
def threads_without_a_parameter(Registry):
    registry = three(Registry)
    return (
        lambda: registry,
        [lambda: registry.remove(2), lambda: look_at(registry, 2)],
        lambda: len(registry) == 2,
    )


@question.wrong("a second time.*A raised KeyError: 2.*anew, for each order")
def the_same_each_time(Registry):
    registry = three(Registry)
    return (
        lambda: registry,
        [lambda r: r.remove(2), lambda r: look_at(r, 2)],
        lambda r: len(r) == 2,
    )


@question.wrong("a second time.*your invariant is not true.*anew, for each order")
def the_same_each_time_and_grows(Registry):
    registry = Registry()
    return (
        lambda: registry,
        [lambda r: r.add(None, ADDRESS), lambda r: look_at(r, 1)],
        lambda r: len(r) == 1,
    )


@question.wrong("So does, for your question, one whose `find` looks")
def begins_with_nobody_and_never_finds(Registry):
    return (
        Registry,
        [comes_and_leaves, lambda r: list(r.snapshot())],
        lambda r: len(r) == 0,
    )


@question.wrong("it lost: your invariant is not true")
def begins_with_nobody_and_expects_to_see_nobody(Registry):
    class Room:
        def __init__(self):
            self.registry = Registry()
            self.seen = []

        def come_and_go(self):
            comes_and_leaves(self.registry)

        def look(self):
            self.seen = list(self.registry.snapshot())
            look_at(self.registry, 1)

        def is_right(self):
            return self.seen == []

    return Room, [Room.come_and_go, Room.look], Room.is_right


@question.wrong("So does, for your question, one whose `find` looks")
def never_finds(Registry):
    return (
        lambda: three(Registry),
        [lambda r: r.remove(2), lambda r: list(r.snapshot())],
        lambda r: len(r) == 2,
    )


@question.wrong("one whose `snapshot` copies client by client")
def never_takes_a_snapshot(Registry):
    return (
        lambda: three(Registry),
        [lambda r: r.remove(2), lambda r: look_at(r, 2)],
        lambda r: len(r) == 2,
    )


@question.wrong("one whose `snapshot` is a view of the living dict")
def takes_one_and_looks_away(Registry):
    def look(registry):
        look_at(registry, 2)
        registry.snapshot()

    return lambda: three(Registry), [lambda r: r.remove(2), look], lambda r: len(r) == 2


@question.wrong("put your question to the kit's own registry, and it lost: B raised UnknownClient")
def demands_too_much(Registry):
    return (
        lambda: three(Registry),
        [lambda r: r.remove(2), lambda r: r.find(2)],
        lambda r: len(r) == 2,
    )


@question.wrong("it lost: your invariant is not true")
def expects_nobody_to_leave(Registry):
    return (
        lambda: three(Registry),
        [lambda r: r.remove(2), lambda r: look_at(r, 2)],
        lambda r: len(r) == 3,
    )


@question.wrong("`question` returned `<")
def gives_the_registry(Registry):
    return three(Registry)


@question.wrong("can't be called")
def calls_the_functions(Registry):
    return three(Registry), [look_at, look_at], lambda r: True
