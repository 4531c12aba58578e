"""One client of a swarm, and what all of them count together. Lives on the loop of the swarm."""

import asyncio
import time
from array import array
from collections import deque
from typing import Any

from sockkit.aio import AsyncClient
from sockkit.events import Reason
from sockkit.text import plain


class WrongReply(Exception):
    """A reply was not what `ask` expected."""


class Unfinished(Exception):
    """A client was not done when the time of the swarm was over."""


class SwarmClient(AsyncClient):
    """A client of a swarm: an `AsyncClient` that counts replies and measures how long they take.

    The time of a reply runs from the oldest send that has none yet. So it is right for servers
    that answer each message once, in order; messages that answer nothing spoil it.
    """

    def __init__(self, tally: "Tally", address: tuple[str, int], **options: Any) -> None:
        super().__init__(address, **options)
        self._tally = tally
        self._unanswered: deque[float] = deque()

    def send(self, message: Any) -> None:
        """As for every client; the time until the reply starts to run."""
        super().send(message)
        self._unanswered.append(time.perf_counter())

    async def recv(self, timeout: float | None = None) -> Any:
        """As for every client; counted as a reply."""
        message = await super().recv(timeout)
        self._tally.replies += 1
        if self._unanswered:
            self._tally.latencies.append(time.perf_counter() - self._unanswered.popleft())
        return message

    async def ask(self, message: Any, *, expect: Any = None) -> Any:
        """Send a message and return the next one that comes.

        Args:
            message: what to send.
            expect: what should come; None takes anything.

        Raises:
            WrongReply: something else came. Counted as wrong.
            ConnectionLost, TimeoutError: nothing came.
        """
        self.send(message)
        reply = await self.recv()
        if expect is not None:
            if reply != expect:
                self._tally.wrong += 1
                raise WrongReply(f"expected {plain(repr(expect))}, got {plain(repr(reply))}")
            self._tally.right += 1
        return reply

    async def close(self) -> None:
        """As for every client. Cancelled meanwhile, it breaks the connection instead."""
        try:
            await super().close()
        except asyncio.CancelledError:
            if self._channel is not None:
                self._channel.abort(Reason.CLOSED)
            raise


class Tally:
    """What the clients of one swarm count together, on their loop's thread."""

    def __init__(self) -> None:
        self.connected = self.finished = self.failed = 0
        self.replies = self.right = self.wrong = 0
        self.latencies = array("d")
