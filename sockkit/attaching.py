"""What a server and its backplane know of each other. The backplanes are in `sockkit.backplane`.

A backplane lets several servers act as one. The core does not import it and pays nothing where
there is none: a server asks once a broadcast whether one is attached, and that is all.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sockkit.connection import Connection
from sockkit.framing import Framing

# Gives a message, and its encoded form, to all clients of this server but those in the set.
ToAllHere = Callable[[Any, bytes, frozenset[int]], int]


class Home(Protocol):
    """The server, as its backplane sees it."""

    framing: Framing

    @property
    def clients(self) -> Mapping[int, Connection]:
        """Who is connected here."""

    def send(self, number: int, message: Any) -> None:
        """Accept a message for a client of this server. Any thread."""


class Backplane(Protocol):
    """What a server asks of a backplane; and what anybody may ask, through `server.backplane`."""

    def bind(self, home: Home, to_all_here: ToAllHere) -> None:
        """Belong to this server, once and for all.

        Raises:
            ValueError: it belongs to another one.
        """

    async def start(self, changed: asyncio.Event) -> None:
        """Join the others, or keep trying; returns once the first try is over.

        Args:
            changed: set whenever somebody came or went, among other things.
        """

    async def stop(self) -> None:
        """Say goodbye, if that is quick, and leave."""

    def cut_off(self) -> None:
        """In a forked child: be a backplane that is not running."""

    def broadcast(self, data: bytes) -> None:
        """Pass a message, encoded, to all other servers. The loop's thread; never waits."""

    @property
    def state(self) -> str:
        """Whether the others can be reached. Any thread."""

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of all servers that are there, this one included. Any thread."""

    @property
    def clients(self) -> tuple[str, ...]:
        """All clients of all servers, each as `number@server`. Any thread."""

    def send(self, client: str, message: Any) -> None:
        """Accept a message for one client, `number@server`. Any thread."""
