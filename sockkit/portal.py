"""An event loop in a background thread, and the door to it. Knows nothing of sockets.

The thread is a daemon, because a loop in a plain thread keeps the interpreter from exiting. Every
call that was let in gets an answer or a `ClosedError`, also when the loop ends meanwhile: asyncio's
own `run_coroutine_threadsafe` waits for ever in that case.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sockkit.errors import ClosedError, SockkitError

log = logging.getLogger("sockkit")

T = TypeVar("T")

# On Windows a wait for a lock can't be interrupted by Ctrl-C, so it is cut into slices there.
_SLICE = 0.2 if sys.platform == "win32" else None

LAST_WORD = 1.0  # seconds that cancelled tasks get to come to their end

_this_thread = threading.local()  # has a `portal` where it is that of one


class LoopHeld(Exception):
    """The loop did not come to what it was asked: something on its thread does not return.

    Attributes:
        stack: what its thread was doing then, innermost call last.
    """

    def __init__(self, thread: str, stack: traceback.StackSummary) -> None:
        super().__init__(f"the thread of {thread} is held by a call that does not return")
        self.stack = stack


class Portal:
    """A running event loop in a thread of its own.

    Example:
        portal = Portal("my loop")
        portal.run(asyncio.sleep, 1)        # awaits there, waits here
        portal.stop()

    Args:
        name: of the thread.
        new_loop: makes the loop; None: asyncio does.

    Raises:
        RuntimeError, OSError: the thread or its loop could not be started.
    """

    def __init__(
        self,
        name: str,
        new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> None:
        self._new_loop = new_loop or asyncio.new_event_loop
        self._lock = threading.RLock()  # a signal's handler may come in between
        self._unanswered: set[concurrent.futures.Future[Any]] = set()
        self._open = False
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._serve, args=(started,), name=name, daemon=True)
        self._thread.start()
        started.result()

    def _serve(self, started: concurrent.futures.Future[None]) -> None:
        self._helpers = f"{self._thread.name}-worker-{id(self):x}"  # like those of no other portal
        try:
            self._executor = ThreadPoolExecutor(thread_name_prefix=self._helpers)
            self._loop = self._new_loop()
        except BaseException as error:  # no descriptors left, for example: the caller's to see
            started.set_exception(error)
            return
        _this_thread.portal = self
        asyncio.set_event_loop(self._loop)
        self._loop.set_default_executor(self._executor)
        self._open = True
        self._loop.call_soon(started.set_result, None)
        try:
            while not self._run():
                pass
            self._end_tasks()
        finally:
            with self._lock:
                self._open = False
                left, self._unanswered = self._unanswered, set()
            for answer in left:  # of tasks that ignored their cancellation
                if not answer.done() and answer.cancel():
                    answer.set_running_or_notify_cancel()  # wakes who waits
            asyncio.set_event_loop(None)
            self._loop.close()

    def _run(self) -> bool:
        """Run the loop; return whether it was stopped."""
        # sys.exit() in a task of somebody's would end this thread in silence, and whoever relies on
        # it would wait. As in a callback, it ends what raised it, is told, and the loop goes on.
        try:
            self._loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            log.exception("%s: a task wanted to end more than itself", self._thread.name)
            return not self._open  # the stop may have got lost with it
        return True

    def _end_tasks(self) -> None:
        # asyncio.Runner would wait for ever for a task that ignores its cancellation.
        loop = self._loop
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()

        async def ended() -> None:
            if tasks:
                await asyncio.wait(tasks, timeout=LAST_WORD)
            await loop.shutdown_asyncgens()

        ending = loop.create_task(ended())
        ending.add_done_callback(lambda _: loop.stop())
        while not ending.done():  # one of them may raise SystemExit, or the stop come only now
            self._run()
        # Look-ups of host names and asyncio.to_thread use this. What still works there is left
        # behind, as nothing can end it; what is idle ends now.
        self._executor.shutdown(wait=False, cancel_futures=True)
        for thread in threading.enumerate():
            if thread.name.startswith(self._helpers):
                thread.join(LAST_WORD)

    @property
    def running(self) -> bool:
        """Whether calls are let in. Any thread."""
        return self._open

    @property
    def here(self) -> bool:
        """Whether the caller is the loop's own thread."""
        return threading.current_thread() is self._thread

    @staticmethod
    def somewhere() -> bool:
        """Whether the caller is the loop's own thread of this portal or of any other."""
        return hasattr(_this_thread, "portal")

    @property
    def alive(self) -> bool:
        """Whether its thread has not ended yet."""
        return self._thread.is_alive()

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Run a plain function on the loop's thread and return its answer. Any thread.

        Raises:
            ClosedError: the loop has stopped.
        """
        if self.here:
            return function(*args)

        async def on_the_loop() -> T:
            return function(*args)

        return self.run(on_the_loop)

    def run(
        self,
        function: Callable[..., Coroutine[Any, Any, T]],
        *args: Any,
        within: float | None = None,
    ) -> T:
        """Run a coroutine function on the loop and wait for its answer. Any thread but the loop's.

        An interrupt (Ctrl-C) ends the wait and cancels the coroutine.

        Args:
            function: the coroutine function.
            *args: its arguments.
            within: seconds to wait at most, for a loop that a callback may hold; None: no bound.

        Raises:
            LoopHeld: no answer `within` that time.
            RuntimeError: called on the loop's own thread, which would wait for itself for ever.
            ClosedError: the loop has stopped.
        """
        if self.here:
            name = getattr(function, "__qualname__", repr(function))
            raise RuntimeError(
                f"{name} would wait for the very thread that it was called on; "
                "callbacks run there, and may only call what does not wait"
            )
        answer: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            with self._lock:
                if not self._open:
                    raise ClosedError("the event loop that would do this has stopped")
                self._unanswered.add(answer)
                self._loop.call_soon_threadsafe(self._begin, answer, function, args)
            return self._wait(answer, within)
        except concurrent.futures.CancelledError:
            raise ClosedError("the event loop stopped before this was done") from None
        finally:
            answer.cancel()  # does nothing to an answer that is there
            with self._lock:
                self._unanswered.discard(answer)

    def _begin(
        self,
        answer: "concurrent.futures.Future[T]",
        function: Callable[..., Coroutine[Any, Any, T]],
        args: tuple[Any, ...],
    ) -> None:
        # The coroutine is made here and not by the caller, where an interrupt between its making
        # and its beginning would leave one that is never awaited.
        if answer.cancelled():
            return
        try:
            task = self._loop.create_task(function(*args))
        except Exception as error:  # these arguments it does not take
            if answer.set_running_or_notify_cancel():
                answer.set_exception(error)
            return

        def pass_on(task: asyncio.Task[T]) -> None:
            if task.cancelled():
                answer.cancel()
                answer.set_running_or_notify_cancel()
                return
            error = task.exception()
            if not answer.set_running_or_notify_cancel():
                return  # nobody waits any more
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(task.result())

        def give_up(answer: "concurrent.futures.Future[T]") -> None:
            if answer.cancelled():
                with contextlib.suppress(RuntimeError):  # the loop is closed already
                    self._loop.call_soon_threadsafe(task.cancel)

        task.add_done_callback(pass_on)
        answer.add_done_callback(give_up)

    def _wait(self, answer: "concurrent.futures.Future[T]", within: float | None) -> T:
        deadline = None if within is None else time.monotonic() + within
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            longest = threading.TIMEOUT_MAX  # an infinite patience is too long for the system
            slices = [min(seconds, longest) for seconds in (left, _SLICE) if seconds is not None]
            done, _ = concurrent.futures.wait([answer], min(slices, default=None))
            if done:
                error = answer.exception()
                if isinstance(error, SockkitError | OSError):
                    raise _news(error)
                return answer.result()
            if left == 0:
                raise LoopHeld(self._thread.name, self.stack())

    def stack(self) -> traceback.StackSummary:
        """What the loop's thread is doing at this moment, innermost call last. Any thread."""
        frame = sys._current_frames().get(self._thread.ident or 0)
        return traceback.extract_stack(frame) if frame else traceback.StackSummary()

    def leave_behind(
        self, function: Callable[[], Coroutine[Any, Any, object]], then: Callable[[], object]
    ) -> None:
        """Run a coroutine function on the loop, and `then` something; waits for neither.

        For finalizers: these run on any thread, at any time, even inside a lock of this portal;
        so no lock is taken here.
        """

        async def run() -> None:
            try:
                await function()
            finally:
                then()

        def begin() -> None:
            self._left_behind = self._loop.create_task(run())

        with contextlib.suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(begin)

    def cut_off(self) -> None:
        """In a forked child, where the thread does not exist: let every call say so."""
        self._lock = threading.RLock()  # another thread may have held the old one
        self._open = False

    def stop(self, wait: float | None = None) -> bool:
        """End the loop and its thread; return whether the thread has ended. Any thread.

        Args:
            wait: seconds to wait for the thread at most; None for as long as it takes. On the
                loop's own thread there is no waiting.
        """
        with self._lock:
            if self._open:
                self._open = False
                self._loop.call_soon_threadsafe(self._loop.stop)
        if not self.here:
            self._thread.join(wait)
        return not self.alive


def _news(error: Exception) -> Exception:
    """What happened on the network, without the lines of code that brought it to the caller.

    They are the loop's and ours, and nothing in them is at fault: a learner who gave a wrong port
    would look for it in thirty lines of asyncio.
    """
    if error.__cause__ is not None:
        error.__cause__.with_traceback(None)
    return error.with_traceback(None)
