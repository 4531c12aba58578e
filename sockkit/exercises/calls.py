"""One call of a learner's code, which may do anything, and how it is ended.

Where a call is made decides how surely it can be ended: see `desk`. Here is the call itself, and
the place of last resort: a thread of its own. There tasks are cancelled, SystemExit is thrown into
the next line of Python, and waits on sockets are woken. But a sleep or a wait for a lock can't be
ended, so the verdict names the thread.
"""

import asyncio
import contextlib
import ctypes
import inspect
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from sockkit.exercises.where import frames_of_task, learners_place, named

NUDGE = 0.05  # seconds between two attempts to end a call
_TURN = 0.02  # seconds between two looks
_HELD = 0.3  # seconds without a turn, from which the loop counts as blocked
CLEAN_UP = 0.4  # seconds for an interrupted call to leave its `with` and `finally` blocks
LAST_STEPS = 0.3  # seconds for tasks to end by themselves, and again when cancelled


class Call:
    """A function called with arguments, somewhere, and what became of it."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], in_loop: bool) -> None:
        self.name = getattr(function, "__name__", "answer")
        self.done = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None
        self.failed_in = ""  # the function that raised it, where the call is of several
        self.ending = False
        self.ended_at: float | None = None
        self.thread: threading.Thread | None = None
        self.held: tuple[float, str] | None = None  # how long the loop had no turn, and where
        self.tasks_left: list[str] = []
        self.turns = 0  # of the event loop, while the call waits there
        self.awaited = False  # what the function returned
        self.unawaited = ""  # the name of a coroutine that the answer returned, and did not await
        self.complaints: list[str] = []  # what went wrong in tasks that nobody waited for
        self.quiet_until = 0.0  # the first and last steps of a loop are not interrupted before
        self._function = function
        self._args = args
        self._in_loop = in_loop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._last_turn = 0.0

    def run(self) -> None:
        """Make the call, on this thread. What is awaitable is awaited, in a loop of its own."""
        process = os.getpid()
        try:
            if not self.ending:
                self.thread = threading.current_thread()
                self.value = self._made()
                if inspect.iscoroutine(self.value):
                    self.unawaited = self.value.__qualname__
                    self.value.close()
        except BaseException as error:
            if not self.ending:
                self.error = error
            else:  # nobody is told of it, and it would keep all local variables of the answer
                traceback.clear_frames(error.__traceback__)
        finally:
            if os.getpid() != process:  # a fork of the answer's: nobody waits for it here
                os._exit(0)
            self.ended_at = time.monotonic()
            self.done.set()

    def place(self) -> str:
        """Where in the learner's code the call is now, for example "line 3: `x = f()`"; or ""."""
        task, thread = self._task, self.thread
        frame = sys._current_frames().get(thread.ident or 0) if thread else None
        found = learners_place(frame) if frame else ""
        return found or (learners_place(*frames_of_task(task)) if task else "")

    def watch(self) -> None:
        """Notice whether the answer keeps its event loop from running. Called now and then."""
        gap = time.monotonic() - self._last_turn
        if self._loop and gap > _HELD and time.monotonic() > self.quiet_until:
            place = self.place() if not self.held else self.held[1]
            if place and self._loop:
                self.held = (gap, place)

    def cancel(self) -> None:
        """Ask the task of an async answer to end, and give it a moment. From any other thread."""
        loop, task = self._loop, self._task
        if loop and task:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(task.cancel)
            patiently(self.done.is_set, LAST_STEPS)

    def _made(self) -> Any:
        if self._in_loop:
            return self._in_loop_of_its_own(self._call_and_await())
        value = self._function(*self._args)
        if not inspect.iscoroutine(value):
            return value
        self.awaited = True
        return self._in_loop_of_its_own(value)

    async def _call_and_await(self) -> Any:
        value = self._function(*self._args)
        if not inspect.isawaitable(value):
            return value
        self.awaited = True
        return await value

    def _in_loop_of_its_own(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        self.quiet_until = time.monotonic() + LAST_STEPS  # a half-made loop could not be closed
        loop = asyncio.new_event_loop()
        self.quiet_until = 0.0
        loop.set_debug(False)  # how long a step may take is judged here, and told once
        loop.set_exception_handler(self._complain)
        try:
            self._task = loop.create_task(coroutine)
            self._last_turn = time.monotonic()
            self._loop = loop
            loop.call_soon(self._turn)
            return loop.run_until_complete(self._task)
        finally:
            self._loop = None
            self._wind_up(loop)
            self._task = None

    def _turn(self) -> None:
        self._last_turn = time.monotonic()
        self.turns += 1
        if self._loop:
            self._loop.call_later(_TURN, self._turn)

    def _wind_up(self, loop: asyncio.AbstractEventLoop) -> None:
        self.quiet_until = time.monotonic() + 3 * LAST_STEPS
        try:
            if not self.ending:
                _let_end(loop)
                left = (task for task in asyncio.all_tasks(loop) if task is not self._task)
                self.tasks_left = [learners_place(*frames_of_task(task)) for task in left]
            for _ in range(2):  # what a task begins when it is cancelled is to end as well
                for task in asyncio.all_tasks(loop):
                    task.cancel()
                _let_end(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
            self.quiet_until = 0.0
            for task in asyncio.all_tasks(loop):
                _close(task.get_coro())

    def _complain(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not self.ending:
            what = f": {named(error)}" if error else ""
            self.complaints.append(context["message"] + what)


class Place(Protocol):
    """Where calls are made."""

    @property
    def ends_within(self) -> float:
        """Seconds that it takes to end calls, and what they left behind, at most."""

    def begin(self, call: Call) -> None:
        """Have the call made."""

    def end(self, call: Call, wake: Callable[[], None]) -> None:
        """End the call, whatever it does, as far as that is possible. `wake` helps."""


class OwnThread:
    """Each call in a thread of its own. They run beside each other; the end is less certain."""

    ends_within = 2.0

    def begin(self, call: Call) -> None:
        """Start the thread."""
        call.thread = threading.Thread(target=call.run, name=f"answer {call.name}", daemon=True)
        call.thread.start()

    def end(self, call: Call, wake: Callable[[], None]) -> None:
        """Try for a while."""
        call.cancel()
        if call.thread and not call.done.is_set():
            wake()
            for _ in range(2):
                throw_into(call.thread)
                if patiently(call.done.is_set, CLEAN_UP):
                    break
        if call.thread and call.done.is_set():
            call.thread.join(CLEAN_UP)


def patiently(condition: Callable[[], bool], seconds: float, look: float = _TURN) -> bool:
    """Wait until this is so, and say whether it is: for so long, or longer on a busy machine.

    What is waited for needs turns of the processor, as this does. So turns are counted, and where
    each comes late, there is more time.

    Args:
        condition: asked at each turn.
        seconds: how long, where every turn comes in time.
        look: seconds between two turns.
    """
    for _ in range(round(seconds / look)):
        if condition():
            return True
        time.sleep(look)
    return condition()


def throw_into(thread: threading.Thread) -> None:
    """Raise SystemExit in another thread, as soon as it comes to its next line of Python.

    SystemExit, because a thread that ends with it says nothing, however late that is.
    """
    _raise_in(thread.ident or 0, SystemExit)
    if sys.version_info < (3, 12):
        _calm()


def _raise_in(ident: int, kind: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(kind))


class _Calm(BaseException):
    """What a thread raises in itself, and catches."""


def _calm() -> None:
    """Take back that an exception is pending, which Python 3.11 notes for all threads together.

    While that is noted, and the one that it is for waits, no other thread can enter a function that
    is traced: it looks for exceptions again and again, for ever. The first to find one takes the
    note away. Who is still to end makes it anew, as soon as it goes on.
    """
    try:
        _raise_in(threading.get_ident(), _Calm)
        while True:  # each turn looks for exceptions
            pass
    except _Calm:
        pass


def close_unbegun(coroutine: object) -> None:
    """Close a coroutine that will never begin.

    Otherwise Python says, whenever it comes to the garbage, that nobody awaited it: in some later
    cell, to somebody who has done nothing wrong.
    """
    if not inspect.iscoroutine(coroutine):
        return
    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        coroutine.close()


def _close(coroutine: object) -> None:
    """End a coroutine that no loop will go on with: here, where it can be interrupted.

    Python would do so when it comes to the garbage, in some later cell. One that swallows every
    exception, its end included, would then go round for ever.
    """
    if inspect.iscoroutine(coroutine):
        with contextlib.suppress(BaseException):
            coroutine.close()


def _let_end(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=LAST_STEPS))
