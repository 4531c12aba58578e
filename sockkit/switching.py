"""How often the threads of a process take turns, for as long as a server needs it.

Under the GIL only one thread of a process runs Python at a time. One that computes keeps the others
waiting for `sys.getswitchinterval()` seconds, 5 ms by default, each time one of them wants its
turn, and a server wants it several times for each reply. A shorter interval gets more replies out
of a server whose process computes, and slows down the computing. It counts for the whole process.
"""

import os
import sys
import threading

_lock = threading.RLock()  # a finalizer may release while the same thread is in here
_held: dict[int, float] = {}  # what is asked for, by the id of who asks
_usual = 0.0  # what it was before anybody asked


class SwitchInterval:
    """Asks for a switch interval while it is held. Among several, the shortest counts.

    Args:
        seconds: the interval; None asks for nothing.

    Raises:
        ValueError: not more than 0.
    """

    def __init__(self, seconds: float | None) -> None:
        if seconds is not None and not seconds > 0:
            raise ValueError(f"switch_interval must be more than 0; got {seconds!r}")
        self.seconds = seconds

    def hold(self) -> None:
        """Ask for it. Any thread."""
        global _usual
        if self.seconds is not None:
            with _lock:
                if not _held:
                    _usual = sys.getswitchinterval()
                _held[id(self)] = self.seconds
                sys.setswitchinterval(min(_held.values()))

    def release(self) -> None:
        """Ask no more: once nobody does, it is what it was. Any thread; again does nothing."""
        with _lock:
            if _held.pop(id(self), None) is not None:
                sys.setswitchinterval(min(_held.values(), default=_usual))


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # another thread may have held the old one


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
