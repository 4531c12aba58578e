"""The main thread, where an answer runs as if you had called it in the cell, and ends for certain.

Python cannot end a thread from outside: one that sleeps or waits for a lock goes on doing so. Its
main thread is the exception. There, on every POSIX system, a signal breaks into whatever is going
on: a sleep, a lock, a receive, an endless loop. That is how Ctrl-C works, and here it is done with
another signal. The answer runs where `check` was called, and the check acts beside it, in a thread
of its own, and interrupts it when its time is over.

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

from sockkit.exercises import calls
from sockkit.exercises.calls import CLEAN_UP, NUDGE, Call

# Ignored where nobody handles it, and used by next to nobody; Go's runtime took it for the same.
_NUDGE_SIGNAL = getattr(signal, "SIGURG", signal.SIGINT)
_STUBBORN = 0.9  # seconds, from which what a call waits for is ended as well
_OURS = (__file__, calls.__file__)


class Ended(KeyboardInterrupt):
    """Raised inside an answer to end it. What Jupyter's stop button does, but for one call.

    An answer that catches it and goes on is not done with it: what is swallowed is soon deleted,
    and from then on each line raises anew, until one is reached where nobody catches it.
    """

    def __init__(self, swallowed: Callable[[], None]) -> None:
        super().__init__()
        self._swallowed = swallowed

    def __del__(self) -> None:
        self._swallowed()


class MainThread:
    """Calls on the main thread, one after another, while it is inside `with`.

    `attend` makes the calls that another thread begins, until that one says `dismiss`.
    """

    ends_within = 1.2

    def __init__(self) -> None:
        self.interrupted = False  # by the person at the keyboard
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._current: Call | None = None
        self._patient_until = 0.0  # after an interrupt, for the answer to clean up

    def __enter__(self) -> Self:
        self._previous = {
            signal.SIGINT: signal.signal(signal.SIGINT, self._on_interrupt),
            _NUDGE_SIGNAL: signal.signal(_NUDGE_SIGNAL, self._on_nudge),
        }
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def attend(self) -> None:
        """Make calls until dismissed. An interrupt ends the call, and is remembered."""
        tracer = sys.gettrace()
        with outside_any_loop():
            while call := self._calls.get():
                self._current = call
                self._patient_until = 0.0
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
        begun = time.monotonic()
        while not call.done.wait(NUDGE):
            signal.pthread_kill(main, _NUDGE_SIGNAL)
            if time.monotonic() - begun > _STUBBORN:  # `os.system`, say, waits for its child alone
                wake()
                begun = time.monotonic()

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True  # the check notices at its next wait, and ends its calls

    def _on_nudge(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._must_end() and now > self._patient_until:
            if self._patient_until:  # it had its time
                self._raise_at_each_line()
            self._patient_until = now + CLEAN_UP
            raise Ended(self._raise_at_each_line)

    def _must_end(self) -> bool:
        call = self._current
        if call is None or not call.ending or call.done.is_set():
            return False
        return time.monotonic() > call.quiet_until

    def _raise_at_each_line(self) -> None:
        # A trace function that raises is removed by that: it is good for one line.
        if not self._must_end():
            return
        frames = []
        frame: FrameType | None = sys._getframe()
        while frame and frame.f_code is not Call.run.__code__:
            if frame.f_code.co_filename not in _OURS:
                frames.append(frame)
            frame = frame.f_back
        if frame and frames:
            for frame in frames:
                frame.f_trace = self._trace
            sys.settrace(self._trace)

    def _trace(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "line" and self._must_end():
            raise Ended(self._raise_at_each_line)


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
