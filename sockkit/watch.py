"""Who held the event loop: the callback is named, and how long it took.

While a callback computes or sleeps, no other client is served. That is the most common mistake in
an asynchronous server, and it is silent. So callbacks are timed, and the first that is too long is
told, and after that only one that is twice as long as the last one told.
"""

import asyncio
import logging
import os
import threading
import traceback
from collections.abc import Callable

log = logging.getLogger("sockkit")

SLOW = 0.1  # seconds; asyncio's debug mode calls a callback slow from here on as well

# The code that leads to a callback: ours, the loop's, and that of threads.
_LEADS_THERE = (
    os.path.join(os.path.dirname(__file__), ""),
    os.path.join(os.path.dirname(asyncio.__file__), ""),
    threading.__file__,
)


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


def who_holds(stack: traceback.StackSummary) -> str:
    """The sentence that names what keeps a server's thread; from the stack of that thread."""
    # The first of somebody else's frames: behind it ours may come again, such as those of a Client.
    others = (frame for frame in stack if not frame.filename.startswith(_LEADS_THERE))
    callback = next(others, stack[-1])
    return (
        f"{callback.name} does not return (line {stack[-1].lineno} of {stack[-1].filename}); "
        "its thread is left behind until it does"
    )
