"""Wait for what must come, and fail when it does not."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 20.0  # seconds; only a test that fails waits for so long


def until(condition: Callable[[], T], timeout: float = PATIENCE) -> T:
    """Return what `condition()` returns, as soon as that is true.

    Raises:
        AssertionError: it is not, after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"this did not come true within {timeout:g} s: {condition}")
        time.sleep(0.002)
    return result


async def turns_until(condition: Callable[[], object], timeout: float = PATIENCE) -> None:
    """Let the running loop turn until `condition()` is true.

    Raises:
        TimeoutError: it is not, after `timeout` seconds.
    """
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0)
