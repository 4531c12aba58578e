"""The wall of lesson 03: a listener without descriptors, and who was admitted in spite of it."""

import errno
import os
import select
import socket
from typing import Any

from sockkit.exercises.verdict import NotYet


class ShortListener(socket.socket):
    """A listener whose process is, when I say so, out of descriptors.

    `short` says whether it is, and `tries` counts what was tried. The very first try fails anyway.
    """

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__()
        self.bind(("127.0.0.1", 0))
        self.listen()
        self.short = False
        self.tries = 0
        self._fresh = True

    def accept(self) -> tuple[socket.socket, Any]:
        """The next client, if there is a descriptor for it.

        Raises:
            OSError: there is none (EMFILE).
        """
        if self.gettimeout() != 0 and not select.select([self], [], [], self.gettimeout())[0]:
            raise TimeoutError("timed out")
        self.tries += 1
        if self.short or self._fresh:
            self._fresh = False
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
