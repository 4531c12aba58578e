"""One timer for any number of equal time limits.

A server may have to watch ten thousand clients for silence. A timer for each, moved at every
message, would cost more than the messages. But all limits of one kind are equally long, so the
order in which they were started is the order in which they end, and only the first needs a timer.
"""

import asyncio
from collections.abc import Callable, Hashable
from contextvars import copy_context
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Deadlines(Generic[K]):
    """Calls `expired(key)` when `seconds` have passed since `start(key)`, unless stopped.

    For use on the loop's thread only. Time is `loop.time()`, so a test may bring its own.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, expired: Callable[[K], object]
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._expired = expired
        self._due: dict[K, float] = {}  # in the order of their ends
        self._timer: asyncio.TimerHandle | None = None
        # The timer may be set in a client's context, and would keep that when the client has gone.
        self._context = copy_context()

    def __len__(self) -> int:
        return len(self._due)

    def start(self, key: K) -> None:
        """Begin the time limit of `key`, if it is not running yet."""
        if key not in self._due:
            self._due[key] = self._loop.time() + self._seconds
            self._set_timer()

    def restart(self, key: K) -> None:
        """Begin the time limit of `key` afresh."""
        self.stop(key)
        self.start(key)

    def stop(self, key: K) -> None:
        """End the time limit of `key`, if one is running."""
        self._due.pop(key, None)

    def close(self) -> None:
        """End all of them."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        # A timer whose key was stopped is left alone: when it fires, it finds the next one.
        if self._timer is None and self._due:
            first = next(iter(self._due.values()))
            self._timer = self._loop.call_at(first, self._fire, context=self._context)

    def _fire(self) -> None:
        self._timer = None
        now = self._loop.time()
        over = []
        for key, due in self._due.items():
            if due > now:
                break
            over.append(key)
        for key in over:
            del self._due[key]
        self._set_timer()
        for key in over:
            self._expired(key)
