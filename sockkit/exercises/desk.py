"""The main thread, where an answer runs as if you had called it in the cell, and ends for certain.

Python cannot end a thread from outside: one that sleeps or waits for a lock goes on doing so. Its
main thread is the exception. There, on every POSIX system, a signal breaks into whatever is going
on: a sleep, a lock, a receive, an endless loop. That is how Ctrl-C works, and it is used here. The
answer runs where `check` was called, and the check acts beside it, in a thread of its own, and
interrupts it when its time is over.

Where that thread can't be had (on Windows, or when `check` was not called from the main thread),
and for answers that must run beside each other, there is `calls.OwnThread`.

Nothing ends C code that never looks at signals, such as `3 ** 10 ** 9`: not here, not in a cell.
A child process could be killed, but it would see none of the notebook's objects.
"""

import asyncio
import contextlib
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Self

from sockkit.exercises.calls import NUDGE, Call

_POLITE = 3  # so many interrupts may be swallowed, before each line raises


class Ended(KeyboardInterrupt):
    """Raised inside an answer to end it. What Jupyter's stop button does, but for one call."""


class MainThread:
    """Calls on the main thread, one after another, while it is inside `with`.

    `attend` makes the calls that another thread begins, until that one says `dismiss`.
    """

    def __init__(self) -> None:
        self.interrupted = False  # by the person at the keyboard
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._current: Call | None = None
        self._nudged = False
        self._swallowed = 0

    def __enter__(self) -> Self:
        self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *exc_info: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def attend(self) -> None:
        """Make calls until dismissed. An interrupt ends the call, and is remembered."""
        tracer = sys.gettrace()
        with outside_any_loop():
            while call := self._calls.get():
                self._current = call
                self._swallowed = 0
                try:
                    call.run()
                except Ended:  # it came too late, at the very end of `run`
                    call.done.set()
                self._current = None
                if sys.gettrace() is not tracer:
                    sys.settrace(tracer)

    def dismiss(self) -> None:
        """No more calls. From any thread."""
        self._calls.put(None)

    def begin(self, call: Call) -> None:
        """The call's turn comes after those begun before."""
        self._calls.put(call)

    def end(self, call: Call, wake: Callable[[], None]) -> None:
        """Interrupt until it has ended. From another thread."""
        main = threading.main_thread().ident or 0
        call.cancel()
        while not call.done.wait(NUDGE):
            self._nudged = True
            signal.pthread_kill(main, signal.SIGINT)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        nudged, self._nudged = self._nudged, False
        self.interrupted = self.interrupted or not nudged
        call = self._current
        if call is None or call.done.is_set():
            return
        if not nudged:
            raise KeyboardInterrupt
        if call.ending and time.monotonic() > call.quiet_until:
            self._swallowed += 1
            if self._swallowed > _POLITE:
                self._raise_at_each_line(frame)
            raise Ended

    def _raise_at_each_line(self, frame: FrameType | None) -> None:
        """For an answer that catches every exception, and tries again for ever."""
        sys.settrace(_raise)
        while frame and frame.f_code is not Call.run.__code__:
            frame.f_trace = _raise
            frame = frame.f_back


def _raise(frame: FrameType, event: str, arg: Any) -> None:
    if event == "line":
        raise Ended


@contextlib.contextmanager
def outside_any_loop() -> Iterator[None]:
    """Let this thread run a second event loop, although it is inside a first one.

    A notebook's cell runs inside the kernel's loop, where asyncio allows no other. For the length
    of a check the thread forgets the first; which stands still, as in every cell without `await`.
    """
    loop = asyncio._get_running_loop()
    swap = getattr(asyncio.tasks, "_swap_current_task", None)  # since Python 3.12
    task = swap(loop, None) if swap and loop else None
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
        if swap and loop:
            swap(loop, task)
