"""Start and stop of a server, and a call through a portal against its stop, to be explored.

`Server` and `Portal` are the kit's own, beside stand-ins for the loop and its thread.
"""

import concurrent.futures
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from sockkit import ClosedError, Server
from sockkit import portal as portal_module
from sockkit import sync_server as sync_server_module
from sockkit.portal import Portal

from .explored_loop import QueueLoop, Unlocked

# Start and stop from two threads.


class StubPortal:
    """A portal without a thread: what it is asked to run, it runs at once."""

    here = False

    def __init__(self, portals: list["StubPortal"], faults: list[str], *options: object) -> None:
        self.alive = True
        self._portals = portals  # all that are alive
        self._faults = faults
        portals.append(self)

    def run(
        self,
        function: Callable[..., Coroutine[Any, Any, Any]],
        *args: Any,
        within: float | None = None,
    ) -> Any:
        if not self.alive:
            self._faults.append("a portal that was stopped is asked for something")
        coroutine = function(*args)
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value
        raise AssertionError("it waits")

    def stop(self, wait: float | None = None) -> bool:
        if self.alive:
            self.alive = False
            self._portals.remove(self)
        return True

    def leave_behind(self, *calls: object) -> None: ...


class StubServer:
    """What is started and stopped."""

    def __init__(self, faults: list[str]) -> None:
        self.running = False
        self._faults = faults

    async def start(self) -> "StubServer":
        if self.running:
            self._faults.append("started twice")
        self.running = True
        return self

    async def stop(self, grace: float = 1.0) -> None:
        self.running = False


class Living:
    """A real `Server`, started and stopped by two threads."""

    def __init__(self) -> None:
        self.portals: list[StubPortal] = []
        self.faults: list[str] = []
        sync_server_module.Portal = functools.partial(  # type: ignore
            StubPortal, self.portals, self.faults
        )
        self.server = self.new_server()
        self.server._server = StubServer(self.faults)  # type: ignore[assignment]

    def new_server(self) -> Server:
        return Server()

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

    def start_and_stop(self) -> None:
        self.server.start()
        self.server.stop()

    def stands(self) -> bool:
        """A running server has one portal, and one that does not run has none."""
        running = self.server.running
        assert self.faults == [], self.faults
        assert len(self.portals) == running, f"{len(self.portals)} portals, running: {running}"
        assert self.server._server.running is running
        assert (self.server in sync_server_module._running) is running
        self.server.stop()  # before it is forgotten
        return True

    def runs(self) -> bool:
        """And it runs."""
        return self.server.running and self.stands()

    def rests(self) -> bool:
        """And it does not run."""
        return not self.server.running and self.stands()


class LivingWithoutLock(Living):
    """The same, and the server has no lock."""

    def new_server(self) -> Server:
        server = Server()
        server._lifecycle = Unlocked()  # type: ignore[assignment]
        return server


# A call through a portal against its stop.


class OwnThread:
    """The thread of a portal, which is one of those that are explored."""

    name, ident = "explored", 0

    def __init__(self) -> None:
        self.ended = threading.Event()

    def is_alive(self) -> bool:
        return not self.ended.is_set()

    def join(self, timeout: float | None = None) -> None:
        self.ended.wait()


class Calling:
    """A real `Portal` on such a loop: one thread calls through it while another one stops it."""

    def __init__(self) -> None:
        portal_module.id = lambda _: 0  # type: ignore  # the same in every run
        self.portal = portal = Portal.__new__(Portal)
        portal._new_loop = QueueLoop  # type: ignore
        portal._lock = self.new_lock()
        portal._unanswered = set()
        portal._open = False
        portal._thread = OwnThread()  # type: ignore[assignment]
        self.started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self.outcome = ""
        self.done = 0

    def new_lock(self) -> Any:
        return threading.Lock()

    def work(self) -> str:
        self.done += 1
        return "answer"

    def serve(self) -> None:
        """The portal's own thread."""
        self.portal._serve(self.started)
        self.portal._thread.ended.set()  # type: ignore[attr-defined]

    def call(self) -> None:
        """Whoever calls gets an answer, or is told."""
        self.started.result()
        try:
            self.outcome = self.portal.call(self.work)
        except ClosedError:
            self.outcome = "closed"

    def stop(self) -> None:
        self.started.result()
        assert self.portal.stop()

    def answered(self) -> bool:
        """An answer means that it was done. To wait for it for ever would be a deadlock."""
        return self.outcome in ("answer", "closed") and self.done >= (self.outcome == "answer")


class CallingWithoutLock(Calling):
    """The same, and the portal has no lock."""

    def new_lock(self) -> Any:
        return Unlocked()
