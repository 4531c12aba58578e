"""The server for code that has no event loop. It only forwards to `AsyncServer`.

Each server has a loop in a thread of its own, and every call works from any thread. What does not
wait is accepted at once; what waits must not be called inside a callback, and says so.
"""

import atexit
import contextlib
import errno
import logging
import os
import ssl as tls
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self

from sockkit.attaching import Backplane
from sockkit.connection import Connection
from sockkit.errors import ClosedError
from sockkit.events import Address, Event
from sockkit.forgotten import tell_forgotten
from sockkit.framing import Framing, Lines
from sockkit.limits import Limits
from sockkit.loops import loop_factory
from sockkit.portal import LoopHeld, Portal
from sockkit.server import AsyncServer
from sockkit.service import Callback
from sockkit.stopping import LAST_WORD
from sockkit.switching import SwitchInterval
from sockkit.views import server_html
from sockkit.watch import who_holds

log = logging.getLogger("sockkit")


class Server:
    """A server for any number of clients, on a thread of its own.

    Args:
        on_message: called as `on_message(connection, message)` for each whole message.
        host: the address to listen on. Other machines can reach anything but a loopback address.
        port: 0 lets the system choose; see `address`.
        on_connect: called as `on_connect(connection)` before the first message.
        on_disconnect: called as `on_disconnect(connection, reason)`, once for each client, after
            its last message.
        framing: how bytes become messages.
        limits: every bound; see `Limits`.
        ssl: a server-side context, for TLS.
        token: what a client must know to be let in.
        receive_buffer: bytes that one receive may return at most.
        reuse_port: listen at a port at which others listen who also said so (SO_REUSEPORT, which
            not every system has). On Linux each new client comes to one of them, by chance.
        backplane: makes this server and others act as one; see `sockkit.backplane`. For this
            server alone.
        loop: "asyncio", or "uvloop" for the faster one of `pip install 'sockkit[speed]'`.
        switch_interval: seconds after which a thread that computes lets another one run, while the
            server is started; see `sys.setswitchinterval`. With 0.0005, a server beside a cell that
            computes answers in a fraction of the time, and all threads of the process pay for it.
            None leaves it as it is. A server in a process of its own waits for nobody.

    Raises:
        ModuleNotFoundError: there is no uvloop here.

    Callbacks are plain functions or coroutine functions. They run on the server's own thread, in
    order for each client. Inside them everything here works except `start`, `stop` and
    `wait_for_clients`, which would wait for themselves.

    Example:
        with Server(lambda connection, text: connection.send(text.upper())) as server:
            print(server.address)
    """

    def __init__(
        self,
        on_message: Callback | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        on_connect: Callback | None = None,
        on_disconnect: Callback | None = None,
        framing: Framing = Lines(),  # noqa: B008 (it has no state)
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        ssl: tls.SSLContext | None = None,
        token: str | None = None,
        receive_buffer: int = 65_536,
        reuse_port: bool = False,
        backplane: Backplane | None = None,
        loop: str = "asyncio",
        switch_interval: float | None = None,
    ) -> None:
        self._new_loop = loop_factory(loop)
        self._interval = SwitchInterval(switch_interval)
        self._portal: Portal | None = None  # while running
        self._held: Portal | None = None  # of a run whose thread a callback held at its stop
        self._lifecycle = threading.RLock()  # a signal's handler may stop what is being stopped
        self._server = AsyncServer(
            on_message,
            host=host,
            port=port,
            on_connect=on_connect,
            on_disconnect=on_disconnect,
            framing=framing,
            limits=limits,
            ssl=ssl,
            token=token,
            receive_buffer=receive_buffer,
            reuse_port=reuse_port,
            backplane=backplane,
        )

    # Life.

    def start(self) -> Self:
        """Listen and serve; return the server. Starting a running server changes nothing.

        Raises:
            OSError: the address can't be listened on; the text says which and why.
            ValueError: no port has this number.
            RuntimeError: called inside a callback; or one of the run before still holds its thread.
        """
        self._not_inside_a_callback("start")
        with self._lifecycle:
            if self._portal is None:
                if self._held is not None and self._held.alive:
                    raise RuntimeError("a callback of the run before has still not returned")
                portal = Portal("sockkit-server", self._new_loop)
                try:
                    portal.run(self._server.start)
                except BaseException as error:
                    portal.run(self._server.stop)  # an interrupt may have come too late
                    portal.stop()
                    self._blame_our_own(error)
                    raise
                self._portal = portal
                self._interval.hold()
                _running.add(self)
        return self

    def _blame_our_own(self, error: BaseException) -> None:
        # A cell that ran before is the usual culprit, and its server is in nobody's mind any more.
        if getattr(error, "errno", None) != errno.EADDRINUSE:
            return
        for other in tuple(_running):
            with contextlib.suppress(ClosedError):  # it stops at this moment
                if other.address[1] == self.port:
                    text = (
                        f"cannot listen on {self.host}:{self.port}: your own {other!r} has this"
                        " port. Call its stop() first, or leave `port` away: any free one will do"
                    )
                    raise OSError(errno.EADDRINUSE, text) from None

    def stop(self, grace: float = 1.0) -> None:
        """Stop listening, tell every client's callback (`SERVER_STOPPED`), close, end the thread.

        Callbacks at work and replies on their way have `grace` seconds; then they are cancelled and
        dropped, and the log names whoever did not end. It returns within `grace` and two seconds.
        Any number of calls, from any threads, do no harm. A stopped server may be started again.
        Where a callback holds the thread itself, the rest is done when that returns.

        Raises:
            RuntimeError: called inside a callback.
        """
        self._not_inside_a_callback("stop")
        try:
            self._hurry(grace)
        except LoopHeld as held:
            log.error("stop: %s", who_holds(held.stack))
            return
        with self._lifecycle:
            portal = self._portal
            if portal is not None:
                try:
                    portal.run(self._server.stop, grace, within=grace + LAST_WORD + 0.5)
                    portal.stop(wait=0.5)
                except LoopHeld as held:
                    log.error("stop: %s", who_holds(held.stack))
                    portal.leave_behind(self._server.stop, then=portal.stop)
                    self._held = portal
                if self._portal is portal:  # and no signal's handler has stopped it meanwhile
                    self._portal = None
                    self._interval.release()
                    _running.discard(self)

    def _hurry(self, grace: float) -> None:
        # Another thread may be stopping it with more patience than we have. Then ours counts.
        if self._lifecycle.acquire(timeout=max(0.0, min(grace, threading.TIMEOUT_MAX))):
            self._lifecycle.release()
        elif (portal := self._portal) is not None:
            with contextlib.suppress(ClosedError):  # it has ended just now
                portal.run(self._server.stop, 0.0, within=LAST_WORD + 0.5)

    def _cut_off(self) -> None:
        """In a forked child."""
        self._lifecycle = threading.RLock()  # another thread may have held the old one
        portal, self._portal, self._held = self._portal or self._held, None, None
        if portal is not None:
            self._interval.release()
            portal.cut_off()
            with contextlib.suppress(ClosedError):  # it was just being stopped
                self._server.cut_off()

    def _not_inside_a_callback(self, what: str) -> None:
        portal = self._portal
        if portal is not None and portal.here:
            raise RuntimeError(
                f"{what}() would wait for the very thread that it was called on; "
                "callbacks run there, and may only call what does not wait"
            )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def __del__(self) -> None:
        portal = getattr(self, "_portal", None)
        if portal is not None:
            text = f"forgotten, and now stopped: {self!r}; stop() or a with block ends it in time"
            portal.leave_behind(self._server.stop, then=portal.stop)
            self._interval.release()
            tell_forgotten(self, text)

    # Who is here.

    @property
    def host(self) -> str:
        """The address as asked for."""
        return self._server.host

    @property
    def port(self) -> int:
        """The port as asked for; 0 means any. `address` has the real one."""
        return self._server.port

    @property
    def framing(self) -> Framing:
        """How bytes become messages."""
        return self._server.framing

    @property
    def limits(self) -> Limits:
        """Every bound."""
        return self._server.limits

    @property
    def backplane(self) -> Backplane | None:
        """What makes this server and others act as one; None if it is alone."""
        return self._server.backplane

    @property
    def running(self) -> bool:
        """Whether it is started, and not yet stopped."""
        return self._portal is not None

    @property
    def address(self) -> Address:
        """`(host, port)` as really bound.

        Raises:
            ClosedError: not running.
        """
        self._door()
        return self._server.address

    @property
    def clients(self) -> Mapping[int, Connection]:
        """Who is connected now, by number, in the order of arrival: a snapshot."""
        return self._server.clients if self.running else MappingProxyType({})

    def wait_for_clients(self, count: int, timeout: float = 5.0) -> Mapping[int, Connection]:
        """The snapshot, once at least `count` clients are connected.

        Raises:
            TimeoutError: there were fewer for `timeout` seconds.
            ClosedError: not running, or stopped meanwhile.
            RuntimeError: called inside a callback.
        """
        return self._door().run(self._server.wait_for_clients, count, timeout)

    # Talking to them.

    def send(self, number: int, message: Any) -> None:
        """Accept a message for one client. Never waits.

        Returning means accepted here, not delivered there.

        Raises:
            UnknownClient: no client with this number is connected.
            ConnectionLost: it went just now.
            ClosedError: not running.
            TypeError, ProtocolError: from the framing.
        """
        self._door()
        self._server.send(number, message)

    def broadcast(self, message: Any, *, exclude: Iterable[int] = ()) -> int:
        """Accept a message for all clients but those numbered in `exclude`; return for how many.

        Never waits for a slow client: over `max_pending` it goes, reason `TOO_SLOW`. With a
        backplane, the clients of the other servers get it too; they are not in the count, and
        `exclude` names none of them. In a callback of another server it does not wait for this
        one's thread, and counts who is connected when it is called.

        Raises:
            ClosedError: not running.
            TypeError: `exclude` holds something else than numbers.
            TypeError, ProtocolError: from the framing; then nobody gets it.
        """
        portal = self._door()
        if Portal.somewhere() and not portal.here:
            # A callback of ours may be doing the same with that server: neither would ever return.
            return self._server.broadcast_soon(message, exclude)
        return portal.call(lambda: self._server.broadcast(message, exclude=exclude))

    def disconnect(self, number: int) -> None:
        """End one connection, reason `KICKED`. Never waits.

        Raises:
            UnknownClient: no client with this number is connected.
            ClosedError: not running.
        """
        self._door()
        self._server.disconnect(number)

    def observe(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Have `callback(record)` told of everything that happens; return what ends that.

        It runs on the server's thread for every message, so it must be quick.
        """
        return self._server.observe(callback)

    def _door(self) -> Portal:
        if self._portal is None:
            raise ClosedError("this server is not running: call start()")
        return self._portal

    def __repr__(self) -> str:
        return repr(self._server).replace("<Async", "<") if self.running else "<Server not running>"

    def _repr_html_(self) -> str:
        return server_html(self)


_running: "weakref.WeakSet[Server]" = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    # A daemon thread that still runs while the interpreter ends may write to a closed stderr.
    for server in tuple(_running):
        server.stop(grace=0)


def _cut_off_all() -> None:
    for server in tuple(_running):
        server._cut_off()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_cut_off_all)
