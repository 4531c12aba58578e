"""Model solutions of lesson 07: races."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D103, SIM105

from sockkit import UnknownClient


def order():
    return "A B A A B B"


def join(room, name):
    with room.lock:
        room.count += 1
        room.names[room.count] = name
        return room.count


def count(loop, counts, room):
    def on_the_loop():
        counts[room] = counts.get(room, 0) + 1

    loop.call_soon_threadsafe(on_the_loop)


def move(name, source, target):
    if source is target:
        return
    first, second = sorted([source, target], key=lambda room: room.name)
    with first.lock, second.lock:
        source.people.remove(name)
        target.people.add(name)


def question(Registry):
    address = ("127.0.0.1", 1)

    def setup():
        registry = Registry()
        registry.add(None, address)
        return registry

    def loop(registry):
        registry.add(None, address)
        registry.remove(1)

    def look(registry):
        try:
            registry.find(1)
        except UnknownClient:
            pass
        for number in registry.snapshot():
            assert number in (1, 2)

    return setup, [loop, look], lambda registry: list(registry.snapshot()) == [2]
