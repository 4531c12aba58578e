"""The wall of lesson 03: a listener without descriptors, and who was admitted in spite of it."""

import errno
import os
import select
import socket
import threading
import time
from typing import Any

from sockkit.exercises.verdict import NotYet

PAUSE = 1.0  # seconds between two tries, at most: as long as asyncio waits
PATIENCE = 1.3 * PAUSE  # for one more try
SPIN = 1000  # tries that are too many; waiting a millisecond between them makes 300
_WALL = 0.3  # seconds without descriptors, and longer for who tries rarely
_TRIES = 6  # in that time: some give up after five
LONGEST = 2.6  # seconds, at most, until two more tries must have been possible
_BUSY = 0.12  # of that time at work: who rests needs a hundredth, and others may be at work too
_SLICE = 0.02  # seconds between two lines of Python: only there can a thread be ended


class ShortListener(socket.socket):
    """A listener whose process is out of descriptors between `begin_wall` and `end_wall`."""

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__()
        self.bind(("127.0.0.1", 0))
        self.listen()
        self._since: float | None = None
        self._failures: list[tuple[int, float]] = []  # the thread, and its work so far
        self._gap = 0.0  # seconds, the longest between two of them
        self._latest = 0.0  # when

    def begin_wall(self) -> None:
        """From now on there are no descriptors."""
        self._since = time.monotonic()

    def end_wall(self) -> None:
        """There are some again."""
        self._since = None

    @property
    def tries(self) -> int:
        """How often `accept` failed."""
        return len(self._failures)

    def tried_enough(self) -> bool:
        """Whether the wall has stood long enough for what is to be seen there."""
        lasted = time.monotonic() - (self._since or 0.0)
        often = self.tries >= _TRIES and lasted >= _WALL
        begun = self._since or 0.0
        if self.tries < 2:
            return lasted > PATIENCE
        late = self._latest - begun + 2 * self._gap > LONGEST and lasted >= PAUSE
        stuck = time.monotonic() - self._latest > PATIENCE
        return often or self.tries >= SPIN or late or stuck

    def kept_busy(self) -> bool:
        """Whether the thread that tried was at work between its tries."""
        (thread, worked), (same, worked_then) = self._failures[0], self._failures[-1]
        lasted = time.monotonic() - (self._since or 0.0)
        return thread == same and worked_then - worked > _BUSY * lasted

    def accept(self) -> tuple[socket.socket, Any]:
        """The next client, if there is a descriptor for it.

        Raises:
            OSError: there is none (EMFILE).
        """
        patience = self.gettimeout()
        until = None if patience is None else time.monotonic() + patience
        while patience != 0 and not select.select([self], [], [], _SLICE)[0]:
            if until is not None and time.monotonic() > until:
                raise TimeoutError("timed out")
        if self._since is not None:
            now = time.monotonic()
            self._gap = max(self._gap, now - self._latest if self._failures else 0.0)
            self._latest = now
            self._failures.append((threading.get_ident(), time.thread_time()))
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().accept()


def expect_connections(admitted: list[Any]) -> None:
    """Each is a connection, an open one, and another than those before.

    Raises:
        NotYet: one is not.
    """
    for number, thing in enumerate(admitted, 1):
        if not isinstance(thing, socket.socket):
            kind = "None" if thing is None else f"a {type(thing).__name__}"
            after = "`accept` returns two things: which of them is the client?"
            if thing is None:
                after = "When `accept` has failed, whom do you admit?"
            raise NotYet(f"You admitted {kind}.", "the connection alone.", after)
        known = next(n for n, other in enumerate(admitted, 1) if other is thing)
        if known < number:
            raise NotYet(
                f"You admitted client {known} again.",
                "each client once.",
                "When `accept` has failed, what does your variable hold, and what do you do next?",
            )
        if thing.fileno() < 0:
            raise NotYet(
                f"You admitted client {number}, and closed its connection.",
                "it stays open: from then on it belongs to `admit`.",
                "Who may still want to talk with this client?",
            )
