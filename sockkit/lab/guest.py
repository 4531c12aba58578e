"""A guest of a chat server, made for tests: every step returns once the server has dealt with it.

A test that sleeps is too short on a busy day and too long on all others. A guest asks `/who`
instead, and reads to the answer: what the server said before it has come, and what has not come
by then is not coming. That is all it needs of a server, beside `you are 1` as its first line.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from sockkit.connection import Connection
from sockkit.events import Address
from sockkit.lab import sockopts
from sockkit.lab.peer import Peer

ANSWER = "here: "


class ChatServer(Protocol):
    """What a guest must know of a server: where it is, and who it has."""

    @property
    def address(self) -> Address:
        """Where it listens."""

    @property
    def clients(self) -> Mapping[int, Connection]:
        """Who is connected."""


class Guest(Peer):
    """Somebody in a chat, for tests. Use it in one thread.

    Args:
        server: a running server.
        name: sent as `/name NAME`, when there is one.
        timeout: seconds that any step may take.

    Attributes:
        number: who the server says it is.

    Raises:
        ConnectionError: in any step: the server has ended the connection.
        TimeoutError: in any step: the server does not answer.

    Example:
        with Guest(server, "Ada") as ada, Guest(server, "Ben") as ben:
            ada.say("hello")
            assert ben.heard() == ["1 Ada: hello"]
    """

    def __init__(self, server: ChatServer, name: str = "", timeout: float = 2.0) -> None:
        super().__init__(server.address, timeout=timeout)
        self._server = server
        self._lines: list[str] = []
        with self._closed_on_error():
            self.number = int(self._line().rpartition(" ")[2])
            if name:
                self.say(f"/name {name}")

    def say(self, text: str) -> None:
        """Send a line; return when the server has dealt with it.

        Raises:
            ValueError: the line is `/who`, whose answer would be taken for that of a later one.
        """
        if text == "/who":
            raise ValueError("ask with who(), which returns the answer")
        self.send(f"{text}\n".encode())
        self.who()

    def heard(self) -> list[str]:
        """All lines since the last time: every one that the server has sent until now."""
        self.who()
        lines, self._lines = self._lines, []
        return lines

    def who(self) -> list[str]:
        """Who is here, as the server says, for example `["1 Ada", "2 Ben"]`."""
        self.send(b"/who\n")
        while not (line := self._line()).startswith(ANSWER):
            self._lines.append(line)
        return line.removeprefix(ANSWER).split(", ")

    def leave(self) -> None:
        """Leave politely (FIN); return when the server has noticed."""
        with self._noticed():
            super().leave()

    def crash(self) -> None:
        """Leave with a reset (RST); return when the server has noticed."""
        with self._noticed():
            sockopts.reset(self._socket)

    def _line(self) -> str:
        line = self.receive_line()
        if not line.endswith(b"\n"):
            raise ConnectionError(f"the server has ended the connection of client {self._label()}")
        return line.decode(errors="replace").rstrip("\r\n")

    def _label(self) -> Any:
        return getattr(self, "number", "that had just come")

    @contextlib.contextmanager
    def _noticed(self) -> Iterator[None]:
        # A client goes from `clients` just before its on_disconnect: what is sent after that
        # comes to the server later.
        yield
        deadline = time.monotonic() + 2.0
        while any(c.address == self.address for c in self._server.clients.values()):
            if time.monotonic() > deadline:
                raise TimeoutError("the server has not noticed within 2 s")
            time.sleep(0.001)
