"""The end of a server that an answer was to end and has not: a check may leave nothing behind."""

import contextlib
import socket
import time

from sockkit.exercises.partner import Partner
from sockkit.lab.threaded import ThreadedEcho


class Stopper:
    """Ends what an answer has left of a server, whatever that is."""

    def __init__(self, server: ThreadedEcho, partners: list[Partner]) -> None:
        self._server = server
        self._partners = partners
        self._address: tuple[str, int] = server.listener.getsockname()

    def close(self) -> None:
        """Wake everything, close it, and wait a moment for the threads."""
        server = self._server
        with contextlib.suppress(OSError):
            server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        with contextlib.suppress(OSError):  # for an `accept` that a `close` has not woken
            socket.create_connection(self._address, timeout=0.1).close()
        for partner in self._partners:  # the end wakes a `recv`, whoever has closed its socket
            partner.socket.close()
        deadline = time.monotonic() + 0.5
        for thread in server.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for connection in server.connections:
            connection.close()
