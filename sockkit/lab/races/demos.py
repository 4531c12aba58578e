"""Races to look at, and their repairs: small enough to be read, real enough to be met.

Each class is what its threads share. `DEMOS` has them all with their threads and invariants:

    >>> DEMOS["lost_update"].explore()
    >>> print(DEMOS["lost_update"].source)
"""

import inspect
import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sockkit.channel import Channel
from sockkit.lab.races.explorer import explore
from sockkit.lab.races.result import Result
from sockkit.registry import Registry as KitRegistry

_NO_CHANNEL, _ADDRESS = cast(Channel, None), ("127.0.0.1", 1)  # A registry only keeps them.


class Counter:
    """Two threads count up."""

    def __init__(self) -> None:
        self.value = 0

    def add(self) -> None:
        """One line, and yet two things: a read and a write."""
        self.value += 1


class LockedCounter(Counter):
    """The repair: whoever holds the lock reads and writes without being disturbed."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def add(self) -> None:
        """Add one, alone."""
        with self.lock:
            self.value += 1


class OwnedCounter(Counter):
    """Another repair: the value belongs to one thread, and the others send it what to add."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: queue.Queue[int] = queue.Queue()

    def add(self) -> None:
        """Ask the owner."""
        self.orders.put(1)

    def own(self) -> None:
        """The only code that touches the value."""
        for _ in range(2):
            self.value += self.orders.get()


class Registry:
    """Two clients arrive at once, and each gets a number."""

    def __init__(self) -> None:
        self.clients: dict[int, str] = {}

    def join(self, name: str) -> None:
        """Look for a free number, then take it: check, then act."""
        number = len(self.clients) + 1
        self.clients[number] = name

    def ann(self) -> None:
        """The first client."""
        self.join("ann")

    def bob(self) -> None:
        """The second client."""
        self.join("bob")


class LockedRegistry(Registry):
    """The repair: nobody comes between the check and the act."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def join(self, name: str) -> None:
        """Check and act as one."""
        with self.lock:
            super().join(name)


class Chat:
    """Two threads write to one connection, each message in two sends."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()

    def say(self, name: str, text: str) -> None:
        """The name, then the text and the end of the line."""
        self.ours.sendall(f"{name}: ".encode())
        self.ours.sendall(f"{text}\n".encode())

    def ann(self) -> None:
        """One writer."""
        self.say("ann", "hello")

    def bob(self) -> None:
        """The other writer."""
        self.say("bob", "bye")

    def received(self) -> list[str]:
        """What arrived at the other end, line by line."""
        with self.ours, self.theirs:
            self.ours.shutdown(socket.SHUT_WR)
            return sorted(self.theirs.makefile(encoding="utf-8").read().splitlines())


class LockedChat(Chat):
    """One repair: a message is sent as a whole before the next begins."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def say(self, name: str, text: str) -> None:
        """Both sends, alone."""
        with self.lock:
            super().say(name, text)


class SingleWriterChat(Chat):
    """Another repair: one thread writes, the others hand it their messages."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox: queue.Queue[tuple[str, str]] = queue.Queue()

    def say(self, name: str, text: str) -> None:
        """Hand the message over."""
        self.outbox.put((name, text))

    def write(self) -> None:
        """The only code that sends."""
        for _ in range(2):
            super().say(*self.outbox.get())


def lines_are_whole(chat: Chat) -> bool:
    """Both messages arrived as they were sent, in either order."""
    lines = chat.received()
    assert lines == ["ann: hello", "bob: bye"], f"received {lines}"
    return True


class Rooms:
    """Two clients change rooms, in opposite directions; each room has a lock."""

    def __init__(self) -> None:
        self.lobby = threading.Lock()
        self.garden = threading.Lock()
        self.moves = 0

    def go_out(self) -> None:
        """From the lobby to the garden."""
        with self.lobby, self.garden:
            self.moves += 1

    def come_in(self) -> None:
        """From the garden to the lobby."""
        with self.garden, self.lobby:
            self.moves += 1


class OrderedRooms(Rooms):
    """The repair: everybody takes the locks in the same order."""

    def come_in(self) -> None:
        """From the garden to the lobby, but the lobby's lock comes first."""
        with self.lobby, self.garden:
            self.moves += 1


class Clients:
    """The kit's own registry: the loop's thread changes it, while another one looks."""

    def __init__(self) -> None:
        self.registry = KitRegistry()
        self.come()
        self.seen: list[int] = []

    def come(self) -> None:
        """A client is accepted."""
        self.registry.add(_NO_CHANNEL, _ADDRESS)

    def come_and_go(self) -> None:
        """The loop's thread: another one comes, and the first leaves."""
        self.come()
        self.registry.remove(1)

    def look(self) -> None:
        """Any thread: who is here?"""
        self.seen = list(self.registry.snapshot())


@dataclass(frozen=True)
class Demo:
    """Something to explore."""

    title: str
    setup: type
    threads: tuple[Callable[[Any], Any], ...]
    invariant: Callable[[Any], Any]

    @property
    def source(self) -> str:
        """The source of the class."""
        return inspect.getsource(self.setup)

    def explore(self) -> Result:
        """Explore it; where there is no frontrun, show what was recorded elsewhere."""
        return explore(self.setup, self.threads, self.invariant, recorded=self._name)

    @property
    def _name(self) -> str:
        return next(name for name, demo in DEMOS.items() if demo is self)


def _demo(title: str, setup: type, threads: str, invariant: Callable[[Any], Any]) -> Demo:
    return Demo(title, setup, tuple(getattr(setup, name) for name in threads.split()), invariant)


DEMOS = {
    "lost_update": _demo("Lost update", Counter, "add add", lambda c: c.value == 2),
    "lost_update_locked": _demo(
        "One at a time, by a lock", LockedCounter, "add add", lambda c: c.value == 2
    ),
    "lost_update_owned": _demo(
        "One owner, behind a queue", OwnedCounter, "own add add", lambda c: c.value == 2
    ),
    "same_number": _demo(
        "One number for two clients", Registry, "ann bob", lambda r: len(r.clients) == 2
    ),
    "same_number_locked": _demo(
        "Check and act as one", LockedRegistry, "ann bob", lambda r: len(r.clients) == 2
    ),
    "torn_frame": _demo("Torn frame", Chat, "ann bob", lines_are_whole),
    "torn_frame_locked": _demo("Whole messages, by a lock", LockedChat, "ann bob", lines_are_whole),
    "torn_frame_single_writer": _demo(
        "Whole messages, by a single writer", SingleWriterChat, "write ann bob", lines_are_whole
    ),
    "lock_order": _demo("Deadlock by lock order", Rooms, "go_out come_in", lambda r: r.moves == 2),
    "lock_order_repaired": _demo(
        "One order for all", OrderedRooms, "go_out come_in", lambda r: r.moves == 2
    ),
    "client_registry": _demo(
        "The kit's registry", Clients, "come_and_go look", lambda c: c.seen in ([1], [1, 2], [2])
    ),
}
"""Each race under its name, and its repairs under names that begin with it."""
