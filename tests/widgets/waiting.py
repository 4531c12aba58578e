"""Wait for what must come, and fail when it does not."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], timeout: float = 5.0) -> None:
    """Return as soon as `condition()` is true.

    Raises:
        TimeoutError: it is not, after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what the test waits for did not happen")
        time.sleep(0.005)
