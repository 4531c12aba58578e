"""Coroutine callbacks: each client's in order, few tasks, and nobody waits for anybody else."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context

import pytest

from sockkit.workers import Workers

from .peers import in_a_loop


class Client:
    """A client of `Workers`: does its jobs, and notes when it had the loop."""

    def __init__(self, *jobs: Callable[[], Awaitable[object]]) -> None:
        self.jobs = jobs
        self.context = copy_context()
        self.steps: list[str] = []
        self.tasks: list[asyncio.Task[object] | None] = []

    async def work(self) -> None:
        for job in self.jobs:
            self.tasks.append(asyncio.current_task())
            await job()

    def step_began(self) -> None:
        self.steps.append("began")

    def step_ended(self) -> None:
        self.steps.append("ended")


async def nothing() -> None:
    """A callback that waits for nothing."""


async def some_turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def busy() -> int:
    """How many tasks there are beside the test's own."""
    return len(asyncio.all_tasks()) - 1


@in_a_loop
async def test_callbacks_that_wait_for_nothing_share_one_task() -> None:
    workers = Workers(asyncio.get_running_loop())
    clients = [Client(nothing, nothing) for _ in range(100)]
    for client in clients:
        workers.take(client)
    assert busy() == 1
    await some_turns()
    assert {task for client in clients for task in client.tasks} == {clients[0].tasks[0]}
    assert all(len(client.tasks) == 2 and client.steps == [] for client in clients)
    assert busy() == 0
    assert workers.leader is None


@in_a_loop
async def test_whoever_waits_keeps_its_task_and_the_others_go_on() -> None:
    workers = Workers(asyncio.get_running_loop())
    gate = asyncio.Event()
    waiting, quick, late = Client(gate.wait), Client(nothing), Client(nothing)
    workers.take(waiting)
    workers.take(quick)
    await some_turns()
    assert quick.tasks
    assert workers.task_of(waiting) is waiting.tasks[0]
    assert workers.task_of(quick) is None
    workers.take(late)
    await some_turns()
    assert late.tasks
    gate.set()
    await some_turns()
    assert workers.task_of(waiting) is None
    assert busy() == 0


@in_a_loop
async def test_it_sees_when_a_callback_gives_the_loop_back() -> None:
    workers = Workers(asyncio.get_running_loop())
    gate = asyncio.Event()
    client = Client(gate.wait)
    workers.take(client)
    await some_turns()
    assert client.steps == ["ended"]
    gate.set()
    await some_turns()
    assert client.steps == ["ended", "began"]


@in_a_loop
async def test_a_task_that_has_waited_takes_what_is_there_before_it_ends() -> None:
    workers = Workers(asyncio.get_running_loop())
    gate = asyncio.Event()
    late = Client(nothing)

    async def wait_and_bring_work() -> None:
        await gate.wait()
        workers.take(late)

    first = Client(wait_and_bring_work)
    workers.take(first)
    await some_turns()
    gate.set()
    await some_turns()
    assert late.tasks
    assert busy() == 0
    assert workers.leader is None


@in_a_loop
async def test_the_task_of_a_callback_can_be_cancelled_and_time_limits_work_in_it() -> None:
    workers = Workers(asyncio.get_running_loop())
    ended: list[str] = []

    async def give_up() -> None:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            ended.append("time limit")

    async def be_cancelled() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")

    client = Client(give_up, be_cancelled)
    workers.take(client)
    await some_turns(10)
    task = workers.task_of(client)
    assert task is not None
    task.cancel()
    await some_turns()
    assert ended == ["time limit", "cancelled"]
    assert busy() == 0


@in_a_loop
async def test_a_thousand_that_wait_at_once_are_a_thousand_tasks_and_then_none() -> None:
    workers = Workers(asyncio.get_running_loop())
    gate = asyncio.Event()
    clients = [Client(gate.wait, nothing) for _ in range(1000)]
    for client in clients:
        workers.take(client)
    while not all(client.tasks for client in clients):
        await asyncio.sleep(0)
    gate.set()
    await some_turns(10)
    assert all(len(client.tasks) == 2 for client in clients)
    assert busy() == 0


@in_a_loop
async def test_a_cancellation_left_behind_meets_nobody_else() -> None:
    workers = Workers(asyncio.get_running_loop())

    async def cancel_and_return() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    first, second = Client(cancel_and_return), Client(some_turns, nothing)
    workers.take(first)
    workers.take(second)
    await some_turns(15)
    assert len(second.tasks) == 2, "the second client was cancelled instead"
    assert second.tasks[0] is not first.tasks[0]
    assert workers.leader is None


@in_a_loop
async def test_what_a_client_sets_in_a_context_variable_is_its_own() -> None:
    workers = Workers(asyncio.get_running_loop())
    name = ContextVar("name", default="nobody")
    seen: list[str] = []

    async def introduce() -> None:
        name.set("the first")
        await some_turns(1)
        seen.append(name.get())

    async def look() -> None:
        seen.append(name.get())

    first, second = Client(introduce, look), Client(look)
    for client in (first, second, first):
        workers.take(client)
        await some_turns(10)
    assert seen == ["the first", "the first", "nobody", "the first", "the first"]


def test_whatever_ends_a_task_others_are_taken_care_of() -> None:
    async def interrupted() -> None:
        raise KeyboardInterrupt

    first, second = Client(interrupted), Client(nothing)

    async def main() -> None:
        workers = Workers(asyncio.get_running_loop())
        for client in (first, second):
            workers.take(client)
        await some_turns()

    with asyncio.Runner() as runner:
        with pytest.raises(KeyboardInterrupt):
            runner.run(main())
        runner.run(some_turns())
        [task] = first.tasks
        assert task is not None
        assert isinstance(task.exception(), KeyboardInterrupt)
    assert second.tasks


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
@in_a_loop
async def test_with_eager_tasks_nobody_waits_for_who_waits() -> None:
    asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009
    workers = Workers(asyncio.get_running_loop())
    gate = asyncio.Event()
    waiting, quick = Client(gate.wait), Client(nothing)
    for client in (waiting, quick):
        workers.take(client)
        await some_turns()
    assert waiting.tasks
    assert quick.tasks
    gate.set()
    await some_turns()
