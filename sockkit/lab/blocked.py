"""Wait until a thread is really in a system call, so that a lesson need not hope that it is.

What `close` or `shutdown` does to a thread in `accept` can be shown only once the thread is there.
A sleep would nearly always do; this looks.
"""

import sys
import threading
import time
from pathlib import Path

_SLICE = 0.01  # seconds between two looks
_LOOKS = 3  # in a row, all of which must see the same


def until_blocked(thread: threading.Thread, timeout: float = 5.0) -> None:
    """Return once `thread` waits in a system call for the network, or for anything but a lock.

    On Linux the kernel is asked what the thread waits for. Elsewhere, and where the kernel does not
    tell, it counts as waiting when it has not come a single instruction further for three looks.

    Raises:
        TimeoutError: it does not wait within `timeout` seconds.
        RuntimeError: it is not running.

    Example:
        >>> listener = socket.create_server(("127.0.0.1", 0))  # doctest: +SKIP
        >>> thread = threading.Thread(target=listener.accept)  # doctest: +SKIP
        >>> thread.start(); until_blocked(thread)  # doctest: +SKIP
    """
    deadline = time.monotonic() + timeout
    seen: list[tuple[int, int]] = []
    while len(seen) < _LOOKS:
        place = _place(thread)
        seen = [*seen, place] if _may_wait(thread) and seen in ([], [place] * len(seen)) else []
        if time.monotonic() > deadline:
            raise TimeoutError(f"{thread.name} is not blocked after {timeout:g} s")
        time.sleep(_SLICE)


def _place(thread: threading.Thread) -> tuple[int, int]:
    """Which instruction of which call the thread is at."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is None:
        raise RuntimeError(f"{thread.name} is not running")
    return id(frame), frame.f_lasti


def _may_wait(thread: threading.Thread) -> bool:
    """Whether the kernel says that it sleeps, and not for a lock such as Python's own."""
    folder = Path("/proc/self/task", str(thread.native_id))
    try:
        state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        return state == "S" and "futex" not in (folder / "wchan").read_text()
    except OSError:  # not Linux; or it does not tell
        return True
