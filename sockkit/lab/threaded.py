"""An echo server of threads that block, as most first servers are, and that nobody can stop yet.

Lesson 09 stops it. Nothing else uses it: the kit's own server has neither of its faults.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

ANY_PORT = ("127.0.0.1", 0)


class ThreadedEcho:
    """An echo server on 127.0.0.1 that begins at once: a thread that accepts, and one a client.

    Attributes:
        listener: the listening socket.
        connections: one socket for each client that ever came.
        threads: the first one accepts, each other one serves a connection.
    """

    def __init__(self) -> None:
        self.listener = socket.create_server(ANY_PORT, backlog=128)
        self.connections: list[socket.socket] = []
        self.threads: list[threading.Thread] = []
        self.begin(self.accept)

    def begin(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do some work in a thread of its own."""
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def accept(self) -> None:
        """Accept clients until that fails."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                self.begin(self.echo, connection)

    def echo(self, connection: socket.socket) -> None:
        """Send everything back until the client has finished, or is gone."""
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(1024):
                connection.sendall(data)
