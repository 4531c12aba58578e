"""One tide: many clients come to both servers, behave and misbehave, and all of them leave."""

import asyncio
import functools
import itertools
import random
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from sockkit import Server
from sockkit.lab.link import Link

from . import misbehave, panels
from .accounts import Judge
from .chat import Talk, chat, chat_over_a_rough_link, talk_from_a_thread

Address = tuple[str, int]

WORKERS = 10  # threads for what waits
ROUGH = 3  # clients on the link that breaks
EXTRA = 5  # clients for whom there is no room
FAULTS_OF_A_LINK: tuple[dict[str, Any], ...] = (
    {"split": 1}, {"split": 7}, {"delay": 0.05}, {"glue": 0.03}, {"rate": 50_000}, {"stall": True},
)  # fmt: skip


class Tides:
    """Makes one tide after the other.

    Args:
        judge: of all accounts.
        servers: where they listen.
        watched: the server that the panels show.
        clients: that chat with each server in each tide.
        length: seconds in which they come.
        source: of all that is left to chance.
    """

    def __init__(
        self,
        judge: Judge,
        servers: list[Address],
        watched: Server,
        *,
        clients: int,
        length: float,
        source: random.Random,
    ) -> None:
        self._judge, self._servers, self._watched = judge, servers, watched
        self._clients, self._length, self._source = clients, length, source
        self._numbers = itertools.count(1)

    def talk(self, what: str) -> Talk:
        """The account of a new client."""
        return Talk(self._name(what), self._judge)

    def _name(self, what: str) -> str:
        return f"{what}-{next(self._numbers)}"

    async def rise_and_fall(self) -> None:
        """One tide; afterwards nothing of it is left."""
        over = threading.Event()
        with ExitStack() as stack, ThreadPoolExecutor(WORKERS, "soak worker") as pool:
            loop = asyncio.get_running_loop()

            def in_a_thread(function: Callable[..., object], *args: Any) -> Awaitable[None]:
                work = functools.partial(self._told, function, *args)
                return loop.run_in_executor(pool, work)

            shown = in_a_thread(panels.watch, self._watched, over, self._fresh())
            try:
                async with asyncio.TaskGroup() as group:
                    for address in self._servers:
                        links = [stack.enter_context(Link(address)) for _ in range(2)]
                        group.create_task(self._come(group, address, links, in_a_thread))
                    group.create_task(self._wait(in_a_thread(panels.play, self._fresh())))
            finally:
                over.set()
                await shown

    async def _come(
        self,
        group: asyncio.TaskGroup,
        address: Address,
        links: list[Link],
        in_a_thread: Callable[..., Awaitable[None]],
    ) -> None:
        """Everybody who comes to one of the servers, one after the other."""
        bad, rough = links
        group.create_task(self._spoil(bad, in_a_thread))
        group.create_task(self._break(rough, in_a_thread))
        coming: list[Callable[[], Awaitable[None]]] = []
        for number in range(self._clients):
            over = bad.address if number % 4 == 0 else address
            coming.append(
                functools.partial(chat, self.talk("chat"), over, self._fresh(), self._length / 12)
            )
        for _ in range(ROUGH):
            talk = self.talk("rough")
            coming.append(
                functools.partial(chat_over_a_rough_link, talk, rough.address, self._fresh())
            )
        for way in misbehave.WAYS:
            scene = misbehave.Scene(self._name(way.__name__), address, self._judge, self._fresh())
            coming.append(functools.partial(in_a_thread, way, scene))
        for _ in range(2):
            talk = self.talk("thread")
            coming.append(
                functools.partial(in_a_thread, talk_from_a_thread, talk, address, self._fresh())
            )
        self._source.shuffle(coming)
        for come in coming:
            group.create_task(self._wait(come()))
            await asyncio.sleep(self._length / len(coming))

    async def _spoil(self, link: Link, in_a_thread: Callable[..., Awaitable[None]]) -> None:
        """One fault after the other, none of which loses anything."""
        pause = self._length / 2 / len(FAULTS_OF_A_LINK)
        for faults in FAULTS_OF_A_LINK:
            await in_a_thread(functools.partial(link.set, **faults))
            await asyncio.sleep(pause)
            await in_a_thread(link.heal)

    async def _break(self, link: Link, in_a_thread: Callable[..., Awaitable[None]]) -> None:
        """Everybody on it is reset, twice; the second time nobody may be left."""
        await asyncio.sleep(self._length / 2)
        await in_a_thread(link.reset)
        await asyncio.sleep(self._length)
        while link.connections:
            await in_a_thread(link.reset)
            await asyncio.sleep(0.05)

    async def rush(self, address: Address, room: int) -> None:
        """More clients than there is room for, all at once."""
        come = functools.partial(
            self._told, misbehave.rush, self._name("rush"), address, self._judge, room, EXTRA
        )
        with ThreadPoolExecutor(1, "soak rush") as pool:
            await asyncio.get_running_loop().run_in_executor(pool, come)

    async def _wait(self, awaitable: Awaitable[None]) -> None:
        try:
            await awaitable
        except Exception as error:
            self._judge.wrong("unexpected", f"a client failed: {error!r}")

    def _told(self, function: Callable[..., object], *args: Any) -> None:
        try:
            function(*args)
        except Exception as error:
            name = getattr(function, "__name__", str(function))
            self._judge.wrong("unexpected", f"{name} failed: {error!r}")

    def _fresh(self) -> random.Random:
        return random.Random(self._source.random())
