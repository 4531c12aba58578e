"""Who is connected to the other servers, as far as we have been told lately.

The loop's thread writes, any thread reads: what is stored for a server is replaced, never changed.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from sockkit.backplane.frames import Frame


class _Told(NamedTuple):
    run: str
    serial: int
    numbers: dict[int, None]  # a dict for the order
    until: float


class Presence:
    """The other servers and their clients.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, _Told] = {}

    def here(self, frame: Frame) -> None:
        """A server says who is connected to it. What is older than what we know is ignored.

        Raises:
            ValueError: its list is none.
        """
        known = self._told.get(frame.server)
        if known is None or known.run != frame.run or known.serial < frame.serial:
            numbers = dict.fromkeys(map(int, frame.data.split()))
            until = self._clock() + frame.number / 1000
            self._told[frame.server] = _Told(frame.run, frame.serial, numbers, until)

    def gone(self, frame: Frame) -> None:
        """A server says goodbye."""
        known = self._told.get(frame.server)
        if known is not None and known.run == frame.run:
            del self._told[frame.server]

    def clear(self) -> None:
        """Nobody can be reached."""
        self._told.clear()

    def servers(self) -> dict[str, dict[int, None]]:
        """The servers that are there, and the numbers of their clients."""
        now = self._clock()
        return {name: told.numbers for name, told in self._told.copy().items() if told.until > now}

    def has(self, server: str, number: int) -> bool:
        """Whether this client is there."""
        told = self._told.get(server)
        return told is not None and told.until > self._clock() and number in told.numbers
