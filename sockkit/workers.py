"""Coroutine callbacks: each client's in order, with as few tasks as will do.

A task for each message costs more than most messages. So one task, the leader, takes one client's
callbacks after the other's, for as long as they end without waiting for anything. The moment one
really waits, its task stays with it, and another takes the lead. Nobody waits for anybody else, and
while nothing is to be awaited there is no task at all. A decision made for speed.

For use on the loop's thread only.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, Protocol

_DONE = object()  # in place of what a step waits for: it was the last


class Client(Protocol):
    """What a worker needs of a client."""

    context: Context  # what its callbacks set in context variables is its own

    def work(self) -> Coroutine[Any, Any, None]:
        """Run the callbacks that wait, in order, until there are none. Raises only Ctrl-C."""

    def step_began(self) -> None:
        """A callback has the loop to itself, from now on."""

    def step_ended(self) -> None:
        """It has given the loop back, to wait for something."""


class Workers:
    """The tasks that work for the clients of one server."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.ready: deque[Client] = deque()  # with callbacks to run, and nobody at it
        self.leader: _Worker | None = None  # takes the next client
        self._at_work: dict[Client, asyncio.Task[None]] = {}

    def take(self, client: Client) -> None:
        """Have somebody `work` for this client, soon."""
        self.ready.append(client)
        self.lead_on()

    def lead_on(self) -> None:
        """See to it that somebody leads while there is something to do."""
        if self.leader is None and self.ready:
            self.leader = _Worker(self)

    def task_of(self, client: Client) -> asyncio.Task[None] | None:
        """The task that is waiting with this client, if one is."""
        return self._at_work.get(client)

    def stays_with(self, worker: "_Worker", client: Client) -> None:
        """This worker's client waits for something: it leads no longer."""
        self._at_work[client] = worker.task  # asyncio itself holds tasks weakly
        if self.leader is worker:
            self.leader = None
            self.lead_on()

    def has_done(self, client: Client) -> None:
        """This client has nothing left to call."""
        if self._at_work:
            self._at_work.pop(client, None)


class _Worker:
    """One task: it works for one client after the other."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        # Not by the loop's task factory: an eager one would begin before it is known who leads.
        self.task = asyncio.Task(self._run(), loop=workers.loop)

    async def _run(self) -> None:
        workers = self._workers
        try:
            await self
        finally:
            if workers.leader is self:
                workers.leader = None
                workers.lead_on()

    def __await__(self) -> Generator[Any, Any, None]:
        # A task drives what it awaits by send() and throw(). Standing in between, we see each step
        # of a callback, and the moment at which it waits. And what it sets in a context variable,
        # it sets for its client: the task has a context too, but serves others as well.
        workers = self._workers
        while workers.leader in (self, None) and workers.ready:
            client = workers.ready.popleft()
            run, steps = client.context.run, client.work().__await__()
            # Not by `send`: its StopIteration at the end would cost as much as a short callback.
            future = run(next, steps, _DONE)
            while future is not _DONE:
                client.step_ended()
                workers.stays_with(self, client)
                try:
                    yield future
                except BaseException as error:
                    client.step_began()
                    future = run(_throw, steps, error)
                else:
                    client.step_began()
                    future = run(next, steps, _DONE)
            workers.has_done(client)
            if self.task.cancelling():  # that was meant for this client, and might meet another
                break


def _throw(steps: Generator[Any, Any, None], error: BaseException) -> Any:
    try:
        return steps.throw(error)
    except StopIteration:
        return _DONE
