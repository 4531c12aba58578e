"""The soak itself: tide after tide, a line of figures at each high and low water, and a verdict."""

import asyncio
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

from sockkit import Reason, Server
from sockkit.widgets import MessageLadder, ServerPanel

from ..waiting import PATIENCE, until
from .accounts import FAULTS, Judge
from .chat import stay
from .child import Child
from .gauges import Gauges, look
from .growth import MIB, Growth, Reading, judge_growth
from .host import Host, MakeServer
from .tide import Tides
from .trace import Trace

STAY = 3  # clients that are here all the time, on each server
LEAST = 5  # tides, so that there is a line to speak of
LONG = 5  # minutes: then a panel stays all the time, too. It is full after a thousand clients


class Plan(NamedTuple):
    """What to do, and for how long."""

    minutes: float = 1.0
    clients: int = 30  # that chat in a tide, on each server
    length: float = 5.0  # seconds in which the clients of a tide come
    seed: int = 1
    idle: float = 3.0  # seconds of silence until a server ends a client
    patience: float = 2 * PATIENCE  # seconds until a callback counts as missing
    make: MakeServer = Server
    trace: bool = False  # tell where the memory of this process grows in the second half


class Verdict(NamedTuple):
    """How it went."""

    judge: Judge
    growths: list[Growth]

    @property
    def fulfilled(self) -> bool:
        """Nothing lost, nothing leaked, nothing unexpected."""
        return not +self.judge.faults and all(growth.fulfilled for growth in self.growths)

    def to_text(self) -> str:
        """All of it."""
        judge = self.judge
        lines = [growth.to_text() for growth in self.growths]
        lines += judge.examples
        lines.append(", ".join(f"{judge.faults[fault]} {fault}" for fault in FAULTS))
        if judge.stalled:
            lines.append(f"{judge.stalled} clients were not let speak in time by this machine")
        lines.append(f"{judge.served:,} clients, {judge.messages:,} messages: {ends(judge)}")
        lines.append("nothing lost, nothing leaked" if self.fulfilled else "NOT AS PROMISED")
        return "\n".join(lines)


def ends(judge: Judge) -> str:
    """How many ended for which reason."""
    return ", ".join(f"{judge.ends[reason]} {reason}" for reason in Reason if judge.ends[reason])


async def soak(plan: Plan, say: Callable[[str], object] = print) -> Verdict:
    """Run it, and tell how it went."""
    judge, most = Judge(plan.idle, plan.patience), 2 * plan.clients + 40
    source = random.Random(plan.seed)
    # One thread for what waits, so that their number does not depend on chance.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1, "soak waiter"))
    with (
        Host(judge.seen, judge.wrong, most=most, idle=plan.idle, make=plan.make) as host,
        Child(judge, most) as child,
        ExitStack() as panels,
    ):
        if plan.minutes >= LONG:
            for view in (ServerPanel(host.server), MessageLadder(host.server)):
                panels.enter_context(view)
                assert view.widget is not None
        servers = [host.server.address, child.address]
        tides = Tides(
            judge, servers, host.server, clients=plan.clients, length=plan.length, source=source
        )
        soaking = _Soak(plan, judge, host, child, tides, say)
        quiet, leave = asyncio.Event(), asyncio.Event()

        async def always_here(address: tuple[str, int]) -> None:
            while not leave.is_set():  # in one piece, unless this machine is too busy
                await stay(tides.talk("stay"), address, quiet, leave)

        staying = [
            asyncio.create_task(always_here(address)) for address in servers for _ in range(STAY)
        ]
        await soaking.run(quiet)
        leave.set()
        await asyncio.gather(*staying)
        judge.settle()
    growths = []
    if soaking.here:
        growths = judge_growth("here", soaking.here) + judge_growth("child", soaking.there)
    verdict = Verdict(judge, growths)
    say(verdict.to_text())
    return verdict


class _Soak:
    """One run under way."""

    def __init__(
        self,
        plan: Plan,
        judge: Judge,
        host: Host,
        child: Child,
        tides: Tides,
        say: Callable[[str], object],
    ) -> None:
        self.here: list[Reading] = []
        self.there: list[Reading] = []
        self._plan, self._judge, self._host, self._child = plan, judge, host, child
        self._tides, self._say, self._most = tides, say, 2 * plan.clients + 40
        self._began = time.monotonic()
        self._shown = 0
        self._trace = Trace() if plan.trace else None

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    async def run(self, quiet: asyncio.Event) -> None:
        """Tide after tide, until the time is over."""
        tides = 0
        while self._elapsed < 60 * self._plan.minutes or len(self.here) < LEAST > tides / 3:
            tides += 1
            telling = asyncio.create_task(self._high_water())
            await self._tides.rise_and_fall()
            await telling
            for address in (self._host.server.address, self._child.address):
                await self._tides.rush(address, self._most - STAY)
            await asyncio.to_thread(self._judge.settle)
            quiet.set()
            await self._low_water()
            quiet.clear()
        if len(self.here) < LEAST:
            self._judge.wrong("unexpected", f"only {len(self.here)} times was it low water")
            self.here = self.there = []
        if self._trace:
            self._say(self._trace.to_text())
            self._trace.stop()

    async def _high_water(self) -> None:
        await asyncio.sleep(self._plan.length * 0.7)
        self._line("high", look(len(self._host.server.clients)), self._child.gauges())

    async def _low_water(self) -> None:
        host, child = self._host, self._child
        host.pause()
        child.pause()
        try:
            await asyncio.to_thread(
                until, lambda: len(host.server.clients) == STAY, self._plan.patience
            )
        except AssertionError:
            here = sorted(host.server.clients)
            self._judge.wrong("unexpected", f"{STAY} clients stay, and the server has {here}")
        await asyncio.sleep(0.2)  # those who stay hear the last echo
        here, there = look(len(host.server.clients), clean=True), child.gauges(clean=True)
        self._line("low ", here, there)
        if self._trace and self._elapsed > 30 * self._plan.minutes:
            self._trace.begin()
        if here.clients == there.clients == STAY:  # else this machine is too busy for a measure
            self.here.append(Reading(self._elapsed, self._judge.served, here))
            self.there.append(Reading(self._elapsed, self._judge.served, there))
        host.resume()
        child.resume()

    def _line(self, water: str, here: Gauges, there: Gauges) -> None:
        judge = self._judge
        faults = " ".join(f"{fault} {judge.faults[fault]}" for fault in FAULTS)
        self._say(
            f"{self._elapsed / 60:6.2f} min {water} | here {_gauges(here)} | child "
            f"{_gauges(there)} | {judge.served} served, {judge.messages} messages | {ends(judge)} "
            f"| {faults}"
        )
        for example in judge.examples[self._shown :]:
            self._say(example)
        self._shown = len(judge.examples)
        sys.stdout.flush()


def _gauges(g: Gauges) -> str:
    return (
        f"{g.clients} clients {g.descriptors} fds {g.threads} threads {g.tasks} tasks "
        f"{g.objects} objects {g.blocks} blocks {g.allocated / MIB:.2f} allocated "
        f"{g.rss / MIB:.2f} rss {g.uss / MIB:.2f} uss"
    )
