"""How any thread hands work to an event loop: one locked list, and one wake-up for many calls.

`loop.call_soon_threadsafe` for each call writes a byte to the loop's wake-up socket each time;
a future for each call costs a round trip on top. Here only the call that finds the list empty wakes
the loop, which is the difference between some ten thousand and more than a million calls a second.
This is a decision made for speed, and lesson 07 takes it apart.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from sockkit.errors import ClosedError

_STOPPED = "the event loop that would do this has stopped"


class Handover:
    """Runs calls from any thread on the thread of `loop`, in the order of their submission.

    Example:
        handover.submit(print, "on the loop's thread")
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.RLock()  # a signal's handler, or a finalizer, may come in between
        self._calls: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self._closed = False

    def submit(self, call: Callable[..., object], *args: Any) -> None:
        """Have `call(*args)` run on the loop's thread, soon. Any thread; never waits.

        Raises:
            ClosedError: the loop takes no more calls.
        """
        with self._lock:
            if self._closed:
                raise ClosedError(_STOPPED)
            if not self._calls:
                try:
                    self._loop.call_soon_threadsafe(self._run)
                except RuntimeError:  # closed, and nobody told us
                    raise ClosedError(_STOPPED) from None
            self._calls.append((call, args))

    def close(self) -> None:
        """Take no more calls; those already taken still run. Any thread."""
        with self._lock:
            self._closed = True

    def cut_off(self) -> None:
        """In a forked child: as `close`, without the lock, which another thread may have held."""
        self._lock = threading.RLock()
        self._closed = True

    def _run(self) -> None:
        # The lock is held for a swap only, so that a slow call never stops a submitting thread.
        with self._lock:
            calls, self._calls = self._calls, []
        for call, args in calls:
            try:
                call(*args)
            except Exception as error:
                context = {"message": f"a call handed over to the loop failed: {call}"}
                self._loop.call_exception_handler({**context, "exception": error})
