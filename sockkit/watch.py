"""Who held the event loop: the callback is named, and how long it took.

While a callback computes or sleeps, no other client is served. That is the most common mistake in
an asynchronous server, and it is silent. So callbacks are timed, and the first that is too long is
told, and after that only one that is twice as long as the last one told.
"""

import logging
from collections.abc import Callable

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


def name_of(callback: Callable[..., object]) -> str:
    """What to call a callback in a sentence."""
    return getattr(callback, "__qualname__", None) or repr(callback)
