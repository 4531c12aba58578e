"""How a server stops: politely, for as long as those who wait for it have patience."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sockkit.door import Door
from sockkit.events import Reason
from sockkit.service import Service, log
from sockkit.serving import ServerChannel
from sockkit.watch import name_of

LAST_WORD = 1.0  # seconds that a cancelled callback gets to come to its end


class Stopping:
    """A stop of a server: begun here once, waited for by any number of callers.

    Made and used on the loop's thread.

    Args:
        service: what the clients share.
        door: is closed first.
        close: is called last, when nobody is left, and closes all else.
    """

    def __init__(self, service: Service, door: Door, close: Callable[[], Awaitable[None]]) -> None:
        self._service = service
        self._door = door
        self._close = close
        self._loop = asyncio.get_running_loop()
        self._deadline = float("inf")
        self._callers: set[asyncio.Task[Any] | None] = set()  # who waits
        self._task = self._loop.create_task(self._run())

    async def wait(self, deadline: float) -> None:
        """Return when it has ended. The caller who is the first to lose patience counts.

        Args:
            deadline: time of the loop until which this caller is patient.
        """
        self._deadline = min(self._deadline, deadline)
        caller = asyncio.current_task()
        self._callers.add(caller)
        self._service.changed.set()  # one who waits more, or less patience
        try:
            await self.ended()
        finally:
            self._callers.discard(caller)

    async def ended(self) -> None:
        """Return when it has ended."""
        await asyncio.shield(self._task)

    async def _run(self) -> None:
        try:
            await self._door.close()
            await self._send_all_home()
        finally:
            await self._close()

    async def _send_all_home(self) -> None:
        await self._until(lambda: not any(channel.busy for channel in self._others()))
        for channel in tuple(self._service.open):
            channel.end(Reason.SERVER_STOPPED)
        await self._until(lambda: not self._others())
        for channel in self._others():
            channel.give_up()
            if task := self._service.workers.task_of(channel):
                task.cancel()
        self._deadline = self._loop.time() + LAST_WORD
        await self._until(lambda: not self._others())
        for channel in self._others():
            if channel.callback is not None and channel.connection is not None:
                callback, number = name_of(channel.callback), channel.connection.number
                log.error("%s never returned for client %d; given up", callback, number)

    def _others(self) -> list[ServerChannel]:
        # A callback that stops its own server is not waited for: it waits for us.
        task_of, callers = self._service.workers.task_of, self._callers - {None}
        return [channel for channel in self._service.open if task_of(channel) not in callers]

    async def _until(self, true: Callable[[], bool]) -> None:
        await self._service.until(true, lambda: self._deadline)
