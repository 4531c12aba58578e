"""Threads that a check interleaves: each order comes, each wait is seen, and nothing stays."""

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sockkit.exercises import interleaved
from sockkit.exercises.held import free_all
from sockkit.exercises.interleaved import pause
from sockkit.exercises.schedules import Outcome, schedules, spread
from sockkit.exercises.shared import Shared, SharedDict, SharedLock, SharedSet
from sockkit.exercises.trial import Trial

PATIENT = cast(Trial, SimpleNamespace(left=lambda within: within))  # a trial that is never over


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = threading.enumerate()
    yield
    assert threading.enumerate() == before


def explored(setup: Callable[[], Any], *functions: Callable[[Any], Any]) -> list[Outcome]:
    def threads(state: Any) -> list[Callable[[], Any]]:
        return [lambda run=run: run(state) for run in functions]  # type: ignore[misc]

    return list(schedules(PATIENT, setup, threads))


def counter() -> Shared:
    return Shared(value=0, lock=SharedLock("lock"))


def add(state: Any) -> None:
    state.value += 1


def add_locked(state: Any) -> None:
    with state.lock:
        state.value += 1


def test_a_lost_update_is_among_the_outcomes_each_time() -> None:
    values = [[o.state.value for o in explored(counter, add, add)] for _ in range(20)]
    assert set(values[0]) == {1, 2}
    assert all(each == values[0] for each in values)


def test_a_lock_that_tells_keeps_every_update() -> None:
    assert {outcome.state.value for outcome in explored(counter, add_locked, add_locked)} == {2}


def test_a_lock_that_cannot_tell_keeps_every_update() -> None:
    lock = threading.Lock()

    def add_in_private(state: Any) -> None:
        pause()  # a step before the wait, and one after it
        with lock:
            state.value += 1
        pause()

    outcomes = explored(counter, add_in_private, add_in_private)
    assert {outcome.state.value for outcome in outcomes} == {2}


def test_two_locks_in_two_orders_are_found_to_wait_for_each_other() -> None:
    def two() -> Shared:
        return Shared(one=SharedLock("one"), two=SharedLock("two"))

    def there(state: Any) -> None:
        with state.one, state.two:
            pause()

    def back(state: Any) -> None:
        with state.two, state.one:
            pause()

    stuck = {outcome.waiting for outcome in explored(two, there, back)} - {""}
    assert stuck == {"A waits for `two`, which B has. B waits for `one`, which A has."}


def test_a_lock_that_nobody_gives_back_is_told_and_leaves_no_thread() -> None:
    told = explored(counter, lambda state: state.lock.acquire(), add_locked)[0].waiting
    assert told == "B waits for `lock`, which A took and never gave back."
    private = threading.Lock()

    def take(state: Any) -> None:
        private.acquire()
        pause()

    outcome = next(schedules(PATIENT, counter, lambda s: [lambda: take(s), lambda: take(s)]))
    assert "B waits for ever" in outcome.waiting


def test_who_tries_again_and_again_lets_the_others_go_on() -> None:
    def try_again(state: Any) -> None:
        while not state.lock.acquire(blocking=False):
            pass
        state.value += 1
        state.lock.release()

    assert {o.state.value for o in explored(counter, try_again, add_locked)} == {2}


def two_locks() -> Shared:
    return Shared(one=SharedLock("one"), two=SharedLock("two"), crossed=0)


def crossing(first: str, second: str, **limit: Any) -> Callable[[Any], None]:
    def cross(state: Any) -> None:
        while True:
            with getattr(state, first):
                if getattr(state, second).acquire(**limit):
                    state.crossed += 1
                    getattr(state, second).release()
                    return

    return cross


@pytest.mark.parametrize("limit", [{"blocking": False}, {"timeout": 0}, {"timeout": 60}])
def test_two_who_try_again_and_again_do_not_meet_for_ever(limit: dict[str, Any]) -> None:
    here, there = crossing("one", "two", **limit), crossing("two", "one", **limit)
    crossed = {(o.waiting, o.state.crossed) for o in explored(two_locks, here, there)}
    assert crossed == {("", 2)}


@pytest.mark.parametrize("limit", [{"blocking": False}, {"timeout": 60}])
def test_who_tries_for_ever_and_keeps_a_lock_is_told(limit: dict[str, Any]) -> None:
    def there(state: Any) -> None:
        with state.one:
            while not state.two.acquire(**limit):
                pass
            state.two.release()

    def back(state: Any) -> None:
        with state.two:
            while state.one.locked():
                pass

    stuck = " ".join(outcome.waiting for outcome in explored(two_locks, there, back))
    assert "get `one`, which A has" in stuck
    assert "`two`, which B has" in stuck


def test_a_time_limit_is_over_only_when_nobody_can_get_on() -> None:
    def add_in_time(state: Any) -> None:
        assert state.lock.acquire(timeout=0.001)
        state.value += 1
        state.lock.release()

    outcomes = explored(counter, add_in_time, add_locked)
    assert {(o.state.value, o.actors[0].error) for o in outcomes} == {(2, None)}
    keeps = explored(counter, lambda state: state.lock.acquire(), add_in_time)[0]
    assert [type(actor.error) for actor in keeps.actors] == [type(None), AssertionError]


def test_an_error_of_a_thread_is_kept() -> None:
    outcome = explored(counter, add, lambda state: state.nothing)[0]
    assert [type(actor.error) for actor in outcome.actors] == [type(None), AttributeError]


def test_other_threads_never_stop() -> None:
    shared, people = SharedDict(), SharedSet("ab")
    shared.update(a=1)
    shared["b"] = shared.setdefault("a", 2)
    people.add("c")
    people.discard("b")
    people.remove("a")
    assert (list(shared.items()), people, "c" in people) == ([("a", 1), ("b", 1)], {"c"}, True)
    assert (shared.pop("a"), len(shared), shared.copy(), "a" in shared) == (1, 1, {"b": 1}, False)
    lock = SharedLock("lock")
    assert (lock.acquire(), lock.acquire(timeout=1), lock.is_mine) == (True, False, True)
    lock.release()
    with pytest.raises(RuntimeError):
        lock.release()


@pytest.mark.parametrize("most", [0, 1, 2, 9, 100])
def test_every_stop_is_tried_once(most: int) -> None:
    assert sorted(spread(most)) == list(range(most))


def test_only_locks_that_are_reached_through_the_learners_things_are_freed() -> None:
    mine, theirs = threading.Lock(), threading.Lock()
    again = threading.RLock()
    for lock in (mine, theirs, again):
        lock.acquire()

    def uses() -> tuple[Any, Any]:
        return mine, again

    free_all(uses, SimpleNamespace(deep=[{"er": theirs}]).deep)
    assert not mine.locked()
    assert not theirs.locked()
    taken = threading.Thread(target=again.acquire)
    begun = time.monotonic()
    taken.start()
    taken.join(5)
    assert time.monotonic() - begun < 5, "the lock was still held"


def test_every_way_to_look_at_a_dict_or_to_change_a_set_is_noticed() -> None:
    touched: list[None] = []
    numbers = SharedDict(lambda: touched.append(None))
    people = SharedSet("ab", lambda: touched.append(None))

    def operators() -> None:
        nonlocal people
        people |= {"c"}
        people -= {"c"}

    for access in (
        lambda: list(numbers),
        lambda: 1 in numbers.keys(),  # noqa: SIM118
        lambda: sum(numbers.values()),
        lambda: numbers == {},
        lambda: str(numbers),
        lambda: people - {"a"},
        lambda: people.update("c"),
        lambda: sorted(people),
        operators,
    ):
        touched.clear()
        access()
        assert touched
    assert isinstance(people, SharedSet)


def test_two_switches_find_what_one_cannot() -> None:
    def comes_and_leaves(state: Any) -> None:
        state.there["ann"] = 1
        del state.there["ann"]

    def looks_then_takes(state: Any) -> None:
        if "ann" in state.there:
            state.seen.append(state.there["ann"])

    def room() -> Any:
        return SimpleNamespace(there=SharedDict(), seen=[])

    def threads(state: Any) -> list[Callable[[], Any]]:
        return [lambda: looks_then_takes(state), lambda: comes_and_leaves(state)]

    def errors(switches: int) -> set[type[Any]]:
        outcomes = schedules(PATIENT, room, threads, switches=switches)
        return {type(actor.error) for outcome in outcomes for actor in outcome.actors}

    assert errors(1) == {type(None)}
    assert errors(2) == {type(None), KeyError}


def test_schedules_end_in_time_however_many_there_are() -> None:
    def adds(state: Any) -> None:
        for _ in range(1_000):
            state.value += 1

    begun = time.monotonic()
    list(schedules(PATIENT, counter, lambda s: [lambda: adds(s)] * 4, switches=2, within=0.3))
    assert time.monotonic() - begun < 5


class LateThreads:
    """A lock that actors get only after a while, as on a machine that has a lot to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire(self, *args: Any) -> bool:
        if isinstance(threading.current_thread(), interleaved.Actor):
            time.sleep(1.2 * interleaved._PATIENCE)
        return self._lock.acquire(*args)

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self.release()


def test_a_thread_that_comes_late_to_its_turn_still_gets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = SimpleNamespace(**vars(threading))
    slow.Condition = lambda: threading.Condition(cast(Any, LateThreads()))
    monkeypatch.setattr(interleaved, "threading", slow)
    gate = threading.Lock()

    def add_in_private(state: Any) -> None:
        with gate:
            state.value += 1

    for function in (add_in_private, add_locked):

        def threads(state: Any, run: Callable[[Any], None] = function) -> list[Any]:
            return [lambda: run(state)] * 2

        outcome = next(schedules(PATIENT, counter, threads))
        assert (outcome.waiting, outcome.state.value) == ("", 2)
