"""One swarm on the running event loop: a task for each client, and a deadline for all."""

import asyncio
import concurrent.futures
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sockkit.lab.descriptors import check_descriptors
from sockkit.lab.swarm_client import SwarmClient, Tally, Unfinished
from sockkit.lab.swarm_result import ErrorGroup, SwarmResult, group_errors
from sockkit.limits import Limits

Address = tuple[str, int]
Script = Callable[[SwarmClient, int], Awaitable[object]]

_LOOK = 0.1  # seconds between two looks at the progress
_LINGER = 2.5  # seconds that the server gets to close its half when a client leaves
_GRACE = 3.0  # seconds after the deadline for scripts to end and clients to leave


class Run:
    """A swarm that has started. On the thread of the running loop, except where it says otherwise.

    Args:
        count, address, script, timeout: as for `swarm`.
        connecting: how many clients connect at the same time at most.
        first: the number of the first client.
        hold: whether the scripts wait for `go`, even when all are connected.
        options: for each client.

    Raises:
        OSError: this process may not open so many connections.
    """

    def __init__(
        self,
        count: int,
        address: Address,
        script: Script,
        timeout: float,
        *,
        connecting: int = 100,
        first: int = 1,
        hold: bool = False,
        **options: Any,
    ) -> None:
        check_descriptors(count, address)
        self.tally = Tally()
        self.over: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._count = count
        self._script = script
        self._timeout = timeout
        self._errors: list[tuple[int, BaseException]] = []
        self._door = asyncio.Semaphore(connecting)
        self.outside = count  # clients that have neither connected nor failed to
        self._hold = hold
        self._may_begin = asyncio.Event()
        self._start = self._ended_at = time.perf_counter()
        self._connected_at: float | None = None
        self._began_at: float | None = None
        self._loop = asyncio.get_running_loop()
        # Half of the time for one step, so that what hangs is told from what is slow.
        options = {"timeout": timeout / 2, "limits": Limits(linger=_LINGER), **options}
        clients = [SwarmClient(self.tally, address, **options) for _ in range(count)]
        self._left = count
        self._deadline = self._loop.call_later(timeout, self.cancel)
        self._active = {
            self._loop.create_task(self._live(client, number))
            for number, client in enumerate(clients, first)
        }
        if not count:
            self._finish()

    async def _live(self, client: SwarmClient, number: int) -> None:
        try:
            await self._play(client, number)
            self.tally.finished += 1
        except Exception as error:
            self.tally.failed += 1
            self._errors.append((number, error))
        self._ended_at = time.perf_counter()
        self._active.discard(asyncio.current_task())
        await client.close()
        self._left -= 1
        if not self._left:
            self._finish()

    async def _play(self, client: SwarmClient, number: int) -> None:
        doing = "connecting"
        try:
            await self._connect(client)
            doing = "waiting until all were connected"
            await self._may_begin.wait()
            doing = "in its script"
            await self._script(client, number)
        except asyncio.CancelledError:
            text = f"after {self._timeout:g} s it was still {doing}"
            raise Unfinished(text) from None

    async def _connect(self, client: SwarmClient) -> None:
        try:
            async with self._door:
                await client.connect()
                self.tally.connected += 1
        finally:
            self.outside -= 1
            if not self.outside:
                self._connected_at = time.perf_counter()
                if not self._hold:
                    self.go()

    def go(self) -> None:
        """Have the scripts begin."""
        self._began_at = time.perf_counter()
        self._may_begin.set()

    # The end.

    def cancel(self) -> None:
        """End every client that is not done; one whose script ignores that is left behind."""
        self._deadline.cancel()
        if self._left:
            self._deadline = self._loop.call_later(_GRACE, self._finish)
            for task in self._active:
                task.cancel()

    def _finish(self) -> None:
        self._deadline.cancel()
        if not self.over.done():
            self.over.set_result(None)

    def wait(self, show: Callable[[str, int], object]) -> None:
        """Wait for the end, and call `show(what, how many)` meanwhile. Any other thread.

        A script that blocks the loop can't be cancelled; it is given up some time after the
        deadline. An interrupt (Ctrl-C) ends the swarm.
        """
        give_up = time.monotonic() + self._timeout + 2 * _GRACE
        try:
            while not self.over.done() and time.monotonic() < give_up:
                concurrent.futures.wait([self.over], _LOOK)
                if self.outside:
                    show("connecting", self._count - self.outside)
                else:
                    show("in their scripts", self.tally.finished + self.tally.failed)
        except BaseException:
            self._loop.call_soon_threadsafe(self.cancel)
            concurrent.futures.wait([self.over], _GRACE)
            raise

    def result(self) -> SwarmResult:
        """What was counted until now. Any thread."""
        tally = self.tally
        ended_at = time.perf_counter() if self._left else self._ended_at
        connected_at = self._connected_at or ended_at
        began_at = self._began_at or ended_at
        errors = group_errors(sorted(self._errors, key=lambda error: error[0]))
        if stuck := self._count - tally.finished - tally.failed:
            errors.append(ErrorGroup("Unfinished", stuck, "a script would not give up the loop"))
        return SwarmResult(
            clients=self._count,
            connected=tally.connected,
            finished=tally.finished,
            replies=tally.replies,
            right=tally.right,
            wrong=tally.wrong,
            errors=errors,
            connecting=connected_at - self._start,
            duration=ended_at - began_at,
            latencies=sorted(tally.latencies),
        )
