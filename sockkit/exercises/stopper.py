"""The end of a server that an answer should end, and what a check does if it has not."""

import contextlib
import socket
import threading
import time

from sockkit.exercises.partner import Partner
from sockkit.exercises.verdict import NotYet
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


def expect_nothing_open(server: ThreadedEcho, partners: list[Partner]) -> None:
    """Each client has seen the end, and the server's own sockets are closed."""
    for partner in partners:
        partner.receive_all(within=0.3)
        if not partner.ended:
            raise NotYet(
                "You returned, and a client still believes that it is connected.",
                "each of them sees the end.",
            )
    left = ["the listener"] if server.listener.fileno() >= 0 else []
    if connections := [sock for sock in server.connections if sock.fileno() >= 0]:
        left.append(f"connections, {len(connections)} of {len(server.connections)}")
    if left:
        raise NotYet(
            f"You returned; still open: {', and '.join(left)}.", "no socket of the server is open."
        )


def alive(server: ThreadedEcho) -> list[threading.Thread]:
    """The server's threads that still run."""
    return [thread for thread in server.threads if thread.is_alive()]
