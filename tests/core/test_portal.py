"""A loop in a thread: every call gets an answer or an error, and nothing is left of it."""

import asyncio
import concurrent.futures
import contextlib
import threading
import time
import traceback
import weakref
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from sockkit import portal as portal_module
from sockkit.errors import ClosedError
from sockkit.loops import loop_factory
from sockkit.portal import LoopHeld, Portal

from ..waiting import until
from .peers import interrupted_while_waiting, needs_signals


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal("test")
    yield portal
    portal.stop()


async def forever() -> None:
    await asyncio.Event().wait()


async def stay(cleaned_up: list[str], name: str) -> None:
    """Wait for ever; once cancelled, clean up, and enter the name."""
    try:
        await forever()
    finally:
        await asyncio.sleep(0)
        cleaned_up.append(name)


def test_a_coroutine_runs_there_and_its_answer_comes_here(portal: Portal) -> None:
    async def where(prefix: str) -> str:
        return prefix + threading.current_thread().name

    assert portal.run(where, "on ") == "on test"


@pytest.mark.parametrize("part", ["ThreadPoolExecutor", "asyncio.new_event_loop"])
def test_what_the_thread_can_not_begin_without_fails_here_and_does_not_wait(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**options: Any) -> None:
        raise OSError("no descriptors left")

    monkeypatch.setattr(f"sockkit.portal.{part}", refuse)
    with pytest.raises(OSError, match="no descriptors left"):
        Portal("test")


def test_a_function_runs_there_too(portal: Portal) -> None:
    assert portal.call(threading.current_thread).name == "test"
    assert portal.call(portal.call, threading.current_thread).name == "test"  # also from there


def lines_of(error: BaseException) -> list[str]:
    """The names of the functions that a traceback would show."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("kind", [ConnectionRefusedError, TimeoutError, ClosedError])
def test_news_of_the_network_comes_without_the_lines_that_brought_it(
    portal: Portal, kind: type[Exception]
) -> None:
    async def tell_the_news() -> None:
        try:
            raise OSError
        except OSError as error:
            raise kind("nobody listens there") from error

    with pytest.raises(kind, match="nobody listens there") as raised:
        portal.run(tell_the_news)
    assert "tell_the_news" not in lines_of(raised.value)
    assert type(raised.value.__cause__) is OSError
    assert lines_of(raised.value.__cause__) == []


def test_a_fault_of_the_code_comes_with_its_lines(portal: Portal) -> None:
    async def divide() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        portal.run(divide)
    assert "divide" in lines_of(raised.value)


def test_what_fails_there_is_raised_here(portal: Portal) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        portal.run(fail)
    with pytest.raises(ValueError, match="invalid literal"):
        portal.call(int, "x")


def test_to_wait_on_the_loops_own_thread_raises_at_once(portal: Portal) -> None:
    with pytest.raises(RuntimeError, match=r"forever would wait for the very thread"):
        portal.call(portal.run, forever)


def test_it_knows_its_own_thread(portal: Portal) -> None:
    assert not portal.here
    assert portal.call(lambda: portal.here)


def test_the_thread_is_a_daemon_and_ends_with_stop() -> None:
    portal = Portal("test")
    thread = portal.call(threading.current_thread)
    assert thread.daemon
    assert portal.stop()
    assert not thread.is_alive()
    assert portal.stop()  # again


def test_calls_after_stop_are_refused() -> None:
    portal = Portal("test")
    portal.stop()
    with pytest.raises(ClosedError):
        portal.run(forever)
    with pytest.raises(ClosedError):
        portal.call(print)


def test_whoever_waits_when_the_loop_ends_is_told() -> None:
    portal = Portal("test")
    began = threading.Event()

    async def begin() -> None:
        began.set()
        await forever()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(portal.run, begin)
        began.wait()
        portal.stop()
        with pytest.raises(ClosedError, match="stopped before this was done"):
            waiting.result()


def test_a_call_that_crosses_the_stop_is_told_too() -> None:
    for _ in range(100):
        portal = Portal("test")
        barrier = threading.Barrier(5)

        def call(portal: Portal, barrier: threading.Barrier) -> bool:
            barrier.wait()
            try:
                portal.call(threading.get_ident)
            except ClosedError:
                return False
            return True

        with concurrent.futures.ThreadPoolExecutor() as pool:
            calls = [pool.submit(call, portal, barrier) for _ in range(4)]
            barrier.wait()
            portal.stop()
            assert {call.result() for call in calls} <= {True, False}


def test_within_bounds_the_wait_for_a_loop_that_is_held(portal: Portal) -> None:
    release, held = threading.Event(), threading.Event()

    def hold_the_loop() -> None:
        held.set()
        release.wait()

    thread = threading.Thread(target=portal.call, args=(hold_the_loop,))
    thread.start()
    held.wait()
    with pytest.raises(LoopHeld, match="the thread of test is held") as raised:
        portal.run(asyncio.sleep, 0, within=0.01)
    release.set()
    thread.join()
    assert "hold_the_loop" in [frame.name for frame in raised.value.stack]
    assert portal.call(int) == 0  # it goes on


def test_within_changes_nothing_for_who_answers_in_time(portal: Portal) -> None:
    assert portal.run(asyncio.sleep, 0, "answer", within=20) == "answer"


def test_waits_are_cut_into_slices_where_a_lock_cannot_be_interrupted(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal_module, "_SLICE", 0.001)
    assert portal.run(asyncio.sleep, 0.01, "answer") == "answer"
    assert portal.run(asyncio.sleep, 0.01, "answer", within=20) == "answer"


@needs_signals
def test_an_interrupt_ends_the_wait_and_cancels_what_runs(portal: Portal) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    async def go_on_for_ever() -> None:
        begun.set()
        try:
            await forever()
        finally:
            cancelled.set()

    with pytest.raises(KeyboardInterrupt), interrupted_while_waiting(begun.is_set):
        portal.run(go_on_for_ever)
    assert cancelled.wait(20)
    assert portal.call(int) == 0


def test_an_interrupt_before_the_loop_was_asked_leaves_no_coroutine(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    made = []

    def work() -> Coroutine[Any, Any, None]:
        made.append("a coroutine that nobody will await")
        return forever()

    monkeypatch.setattr(portal._loop, "call_soon_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        portal.run(work)
    monkeypatch.undo()
    assert made == []
    assert portal.call(lambda: "at work") == "at work"


def test_wrong_arguments_are_the_callers_error(portal: Portal) -> None:
    with pytest.raises(TypeError, match="positional argument"):
        portal.run(asyncio.sleep, 1, 2, 3)


def test_tasks_end_with_the_loop_and_may_clean_up() -> None:
    portal = Portal("test")
    cleaned: list[str] = []

    async def begin() -> None:
        work = stay(cleaned, "task")
        asyncio.current_task().get_loop().work = asyncio.create_task(work)  # type: ignore[union-attr]
        await asyncio.sleep(0)

    portal.run(begin)
    portal.stop()
    assert cleaned == ["task"]


def test_asynchronous_generators_end_with_the_loop() -> None:
    portal = Portal("test")
    cleaned: list[str] = []

    async def numbers() -> object:  # type: ignore[misc]
        try:
            yield 1
        finally:
            cleaned.append("generator")

    generator = numbers()

    async def begin() -> None:
        await anext(generator)  # type: ignore[call-overload]

    portal.run(begin)
    portal.stop()
    assert cleaned == ["generator"]


def test_a_task_that_ignores_its_end_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(portal_module, "LAST_WORD", 0.01)
    portal = Portal("test")
    stubborn = threading.Event()

    async def never_end() -> None:
        while not stubborn.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await forever()

    async def begin() -> "asyncio.Task[None]":
        task = asyncio.create_task(never_end())
        await asyncio.sleep(0)
        return task

    task = portal.run(begin)
    assert portal.stop(wait=20)
    assert not task.done()
    stubborn.set()
    with contextlib.suppress(RuntimeError, StopIteration):
        task.get_coro().throw(asyncio.CancelledError)  # type: ignore[union-attr]
    task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_who_waits_for_a_task_that_ignores_its_end_is_told(
    monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(portal_module, "LAST_WORD", 0.01)
    portal = Portal("test")
    tasks: list[asyncio.Task[Any]] = []

    async def never_end() -> None:
        tasks.append(asyncio.current_task())  # type: ignore[arg-type]
        with contextlib.suppress(asyncio.CancelledError):
            await forever()
        await forever()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        told = pool.submit(portal.run, never_end)
        until(lambda: tasks)
        assert portal.stop(wait=20)
        with pytest.raises(ClosedError):
            told.result(20)
    with contextlib.suppress(RuntimeError, StopIteration, asyncio.CancelledError):
        tasks[0].get_coro().throw(asyncio.CancelledError)  # type: ignore[union-attr]
    tasks[0]._log_destroy_pending = False  # type: ignore[attr-defined]


def test_a_task_that_ends_with_sys_exit_keeps_no_other_from_its_end(
    log: pytest.LogCaptureFixture,
) -> None:
    portal = Portal("test")
    tasks: list[asyncio.Task[None]] = []
    cleaned_up: list[str] = []

    async def leave() -> None:
        try:
            await forever()
        finally:
            raise SystemExit

    async def begin() -> None:
        tasks.extend(
            map(asyncio.create_task, (stay(cleaned_up, "one"), leave(), stay(cleaned_up, "two")))
        )
        await asyncio.to_thread(int)  # a helper thread, which ends as well

    portal.run(begin)
    assert portal.stop(), "its thread has not ended"
    assert sorted(cleaned_up) == ["one", "two"]
    assert isinstance(tasks[1].exception(), SystemExit)
    assert "test: a task wanted to end more than itself" in log.text


def test_idle_helper_threads_end_with_the_loop() -> None:
    before = set(threading.enumerate())
    portal = Portal("test")
    portal.run(asyncio.to_thread, time.sleep, 0)
    assert any("worker" in thread.name for thread in threading.enumerate())
    portal.stop()
    assert set(threading.enumerate()) <= before


def test_one_portal_does_not_wait_for_the_helper_threads_of_another() -> None:
    first, second = Portal("test"), Portal("test")
    first.run(asyncio.to_thread, time.sleep, 0)
    second.run(asyncio.to_thread, time.sleep, 0)
    started = time.monotonic()
    assert first.stop()
    assert time.monotonic() - started < portal_module.LAST_WORD
    second.stop()


def test_a_thread_without_a_loop_reports_to_who_wanted_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptors_left() -> asyncio.AbstractEventLoop:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(asyncio, "new_event_loop", no_descriptors_left)
    with pytest.raises(OSError, match="Too many open files"):
        Portal("test")


def test_stop_on_its_own_thread_does_not_wait_for_itself() -> None:
    portal = Portal("test")
    assert portal.call(portal.stop) is False
    until(lambda: portal.stop(wait=1))


def test_what_is_left_behind_runs_without_anybody_waiting() -> None:
    portal = Portal("test")
    done: list[str] = []

    async def work() -> None:
        done.append("work")

    portal.leave_behind(work, then=lambda: (done.append("then"), portal.stop()))
    until(lambda: done == ["work", "then"])
    until(lambda: portal.stop(wait=1))
    portal.leave_behind(work, then=print)  # nothing happens any more, and nothing is raised
    assert done == ["work", "then"]


def test_a_stopped_portal_is_not_kept_in_memory() -> None:
    portal = Portal("test")
    gone = weakref.ref(portal)
    portal.stop()
    del portal
    until(lambda: gone() is None)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_whoever_wants_to_end_the_process_there_ends_alone(
    error: BaseException, log: pytest.LogCaptureFixture
) -> None:
    portal = Portal("test")

    def fail() -> None:
        raise error

    async def leave_a_task_that_fails() -> None:
        asyncio.get_running_loop().call_soon(fail)

    portal.run(leave_a_task_that_fails)
    assert portal.call(lambda: "still here") == "still here"
    assert portal.stop(), "its thread has not ended"
    assert "test: a task wanted to end more than itself" in log.text


@pytest.fixture(scope="session", params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> str:
    if request.param == "uvloop":
        request.getfixturevalue("uvloop")
    return str(request.param)


@pytest.mark.parametrize("order", ["stop, fail", "fail, stop", "fail, stop, fail"])
def test_a_stop_is_not_lost_where_somebody_wants_to_end_the_process(
    order: str, loop: str, log: pytest.LogCaptureFixture
) -> None:
    portal = Portal("test", loop_factory(loop))
    tasks: list[asyncio.Task[None]] = []
    cleaned_up: list[str] = []

    def fail() -> None:
        raise SystemExit

    def in_one_turn_of_the_loop() -> None:
        tasks.append(portal._loop.create_task(stay(cleaned_up, "a task")))
        for what in order.split(", "):
            if what == "stop":
                portal.stop()
            else:
                portal._loop.call_soon(fail)

    def begin() -> None:
        portal._loop.call_soon(in_one_turn_of_the_loop)

    portal.call(begin)
    until(lambda: not portal.alive)
    assert cleaned_up == ["a task"]
