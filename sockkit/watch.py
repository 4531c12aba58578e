"""Who held the event loop: the callback is named, and how long it took.

While a callback computes or sleeps, no other client is served. That is the most common mistake in
an asynchronous server, and it is silent. So callbacks are timed, and the first that is too long is
told, and after that only one that is twice as long as the last one told.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any

log = logging.getLogger("sockkit")

SLOW = 0.1  # seconds; asyncio's debug mode calls a callback slow from here on as well


class SlowCallbacks:
    """Tells in the log which callback of a server held its loop."""

    def __init__(self) -> None:
        self.limit = SLOW

    def tell(self, callback: Callable[..., object], number: int, held: float) -> None:
        """Report that `callback`, run for client `number`, held the loop for `held` seconds."""
        self.limit = 2 * held
        log.warning(
            "%s held the event loop for %.2f s (client %d); nobody else was served meanwhile. "
            "Work that blocks belongs into a thread: await asyncio.to_thread(...)",
            name_of(callback),
            held,
            number,
        )


class Timed:
    """Awaits `waiting`, and checks each step between two awaits of its own.

    Example:
        await Timed(handler(connection, message), lambda held: print(held))
    """

    def __init__(self, waiting: Awaitable[Any], check: Callable[[float], None]) -> None:
        self._waiting = waiting
        self._check = check

    def __await__(self) -> Generator[Any, Any, Any]:
        # The loop drives an awaitable by send() and throw(); this stands in between.
        inner = self._waiting.__await__()
        step: Callable[[Any], Any] = lambda _: next(inner)  # noqa: E731
        argument: Any = None
        while True:
            started = time.perf_counter()
            try:
                future = step(argument)
            except StopIteration as end:
                return end.value
            finally:
                self._check(time.perf_counter() - started)
            try:
                argument = yield future
                step = inner.send
            except BaseException as error:
                argument, step = error, inner.throw


def name_of(callback: Callable[..., object]) -> str:
    """What to call a callback in a sentence."""
    return getattr(callback, "__qualname__", None) or repr(callback)
