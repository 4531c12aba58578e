"""What a backplane needs of its carrier, be it a Redis or a list in this process."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol


class State(StrEnum):
    """Whether the other servers can be reached. Prints as its value."""

    STOPPED = "stopped"  # the server itself is not running
    ALONE = "alone"  # the carrier can't be reached: only the clients here are served
    CONNECTED = "connected"


class Post(NamedTuple):
    """A frame on its way to the carrier."""

    kind: str  # that of the frame
    to: str  # the server whose client is meant; empty for all
    packed: bytes


class Wire(Protocol):
    """A live connection to the carrier. Every method raises OSError once it is lost."""

    async def present(self) -> list[bytes]:
        """The last list of clients of each server, as far as it has not expired."""

    async def send(self, posts: Sequence[Post]) -> None:
        """Publish these, in this order; keep a list of clients, until it expires."""

    async def confirm(self) -> None:
        """Take the answers to what was sent, for ever."""

    async def receive(self) -> bytes:
        """The next frame for all, or for this server; our own too."""

    async def close(self) -> None:
        """Let go of it. Does not fail."""
