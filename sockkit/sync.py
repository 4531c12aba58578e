"""The server and the client for code that has no event loop: every call works from any thread.

These only forward. A server has its own loop in its own thread; all clients of a process share one
thread, so that a thousand clients are not a thousand threads. What does not wait is accepted at
once; what waits must not be called inside a callback, and says so.
"""

import atexit
import contextlib
import logging
import os
import ssl as tls
import threading
import traceback
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from sockkit.client import Address, AsyncClient
from sockkit.connection import Connection
from sockkit.errors import ClosedError, ConnectionLost
from sockkit.events import Event, Reason
from sockkit.framing import Framing, Lines
from sockkit.limits import Limits
from sockkit.portal import LoopHeld, Portal
from sockkit.server import LAST_WORD, AsyncServer
from sockkit.service import Callback

log = logging.getLogger("sockkit")


class Server:
    """A server for any number of clients, on a thread of its own.

    Args:
        on_message: called as `on_message(connection, message)` for each whole message.
        host: the address to listen on. Anything but a loopback address can be reached from outside.
        port: 0 lets the system choose; see `address`.
        on_connect: called as `on_connect(connection)` before the first message.
        on_disconnect: called as `on_disconnect(connection, reason)`, once for each client, after
            its last message.
        framing: how bytes become messages.
        limits: every bound; see `Limits`.
        ssl: a server-side context, for TLS.
        token: what a client must know to be let in.
        receive_buffer: bytes that one receive may return at most.

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
    ) -> None:
        self._portal: Portal | None = None  # while running
        self._lifecycle = threading.Lock()
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
        )

    # Life.

    def start(self) -> Self:
        """Listen and serve; return the server. Starting a running server changes nothing.

        Raises:
            OSError: the address can't be listened on; the text says which and why.
            RuntimeError: called inside a callback.
        """
        self._not_inside_a_callback("start")
        with self._lifecycle:
            if self._portal is None:
                portal = Portal("sockkit-server")
                try:
                    portal.run(self._server.start)
                except BaseException:
                    portal.stop()
                    raise
                self._portal = portal
                _running.add(self)
        return self

    def stop(self, grace: float = 1.0) -> None:
        """Stop listening, tell every client's callback (`SERVER_STOPPED`), close, end the thread.

        Callbacks at work and replies on their way have `grace` seconds; then they are cancelled and
        dropped, and the log names whoever did not end. It returns within `grace` and two seconds.
        Any number of calls, from any threads, do no harm. A stopped server may be started again.

        Raises:
            RuntimeError: called inside a callback.
        """
        self._not_inside_a_callback("stop")
        with self._lifecycle:
            if self._portal is not None:
                try:
                    self._portal.run(self._server.stop, grace, within=grace + LAST_WORD + 0.5)
                except LoopHeld as held:
                    log.error("stop: %s", _who_holds(held.stack))
                self._portal.stop(wait=0.5)
                self._portal = None
                _running.discard(self)

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
            warnings.warn(f"forgotten, and now stopped: {self!r}", ResourceWarning, source=self)
            portal.leave_behind(self._server.stop, then=lambda: portal.stop(wait=0))

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
    def running(self) -> bool:
        """Whether it is started, and not yet stopped."""
        return self._server.running

    @property
    def address(self) -> Address:
        """`(host, port)` as really bound.

        Raises:
            ClosedError: not running.
        """
        return self._server.address

    @property
    def clients(self) -> Mapping[int, Connection]:
        """Who is connected now, by number, in the order of arrival: a snapshot."""
        return self._server.clients

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
        self._server.send(number, message)

    def broadcast(self, message: Any, *, exclude: Iterable[int] = ()) -> int:
        """Accept a message for all clients but those numbered in `exclude`; return for how many.

        Never waits for a slow client: over `max_pending` it goes, reason `TOO_SLOW`.

        Raises:
            ClosedError: not running.
            TypeError, ProtocolError: from the framing; then nobody gets it.
        """
        return self._door().call(lambda: self._server.broadcast(message, exclude=exclude))

    def disconnect(self, number: int) -> None:
        """End one connection, reason `KICKED`. Never waits.

        Raises:
            UnknownClient: no client with this number is connected.
            ClosedError: not running.
        """
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
        return repr(self._server).replace("<Async", "<")


class Client:
    """A client, for code that has no event loop.

    Args:
        address: `(host, port)` of the server.
        framing: how bytes become messages; the same as the server's.
        timeout: seconds that `connect`, and each `recv`, may take. None: as long as it takes.
        limits: `max_message` and `max_pending` count here too, and `linger` bounds `close`.
        ssl: a client-side context, for TLS.
        token: what the server wants to hear first.

    Example:
        with Client(server.address) as client:
            client.send("hello")
            print(client.recv())
    """

    def __init__(
        self,
        address: Address,
        *,
        framing: Framing = Lines(),  # noqa: B008 (it has no state)
        timeout: float | None = 5.0,
        limits: Limits = Limits(linger=1.0),  # noqa: B008 (frozen)
        ssl: tls.SSLContext | None = None,
        token: str | None = None,
    ) -> None:
        self._portal: Portal | None = None  # from connect to close
        self._lifecycle = threading.Lock()
        self._client = AsyncClient(
            address, framing=framing, timeout=timeout, limits=limits, ssl=ssl, token=token
        )

    # Life.

    def connect(self) -> Self:
        """Connect, and return the client. Connecting a connected client changes nothing.

        Raises:
            OSError: nobody listens there, no such host. The text says where.
            TimeoutError: no answer in time.
            AuthenticationError: the server does not accept the token.
            RuntimeError: called inside a callback.
        """
        with self._lifecycle:
            portal = self._portal or _shared_portal.enter()
            try:
                portal.run(self._client.connect)
            except BaseException:
                if self._portal is None:
                    _shared_portal.leave()
                raise
            self._portal = portal
        return self

    def close(self) -> None:
        """Leave politely: what was accepted still leaves, then FIN. Closing again does nothing.

        Waits for the server to close its half as well, for at most `limits.linger` seconds.

        Raises:
            RuntimeError: called inside a callback.
        """
        with self._lifecycle:
            if self._portal is not None:
                self._portal.run(self._client.close)
                self._portal = None
                _shared_portal.leave()

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        portal = getattr(self, "_portal", None)
        if portal is not None:
            warnings.warn(f"forgotten, and now closed: {self!r}", ResourceWarning, source=self)
            portal.leave_behind(self._client.close, then=_shared_portal.leave)

    # Talking.

    def send(self, message: Any) -> None:
        """Accept a message for the server. Never waits.

        Returning means accepted here, not delivered there.

        Raises:
            ConnectionLost: the server has gone.
            ClosedError: not connected, or closed on this side.
            BufferFull: more than `max_pending` bytes wait; this message was not accepted.
            TypeError, ProtocolError: from the framing.
        """
        self._client.send(message)

    def send_eof(self) -> None:
        """Close the sending half: nothing more will be sent, but replies are still received.

        What was accepted still leaves first. A server that keeps to the custom answers what it has
        got, and then closes as well. Never waits. Calling it again does nothing.

        Raises:
            ClosedError: not connected, or closed on this side.
            NotImplementedError: over TLS, which can only be closed as a whole.
        """
        self._client.send_eof()

    def recv(self, timeout: float | None = None) -> Any:
        """The next message. `timeout`, in seconds, instead of the client's own.

        An interrupt (Ctrl-C) ends the wait; no message is lost by it.

        Raises:
            TimeoutError: none came in time. None is lost: the next call goes on waiting.
            ConnectionLost: the connection has ended and every message was received; `reason`
                says how.
            ClosedError: not connected, or closed on this side.
            RuntimeError: called inside a callback of a client.
        """
        while True:
            with contextlib.suppress(IndexError):  # none there, or another thread was faster
                return self._client.take()
            self._door().run(self._client.message_waiting, timeout)

    def drain(self) -> None:
        """Wait until the kernel has taken all that was sent: the pace of the server's reading.

        Raises:
            ConnectionLost: the server has gone.
            ClosedError: not connected.
        """
        self._door().run(self._client.drain)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        """The next message; the iteration ends when the server closes politely.

        Raises:
            ConnectionLost: it ended otherwise.
            TimeoutError: nothing came for the client's `timeout`.
        """
        try:
            return self.recv()
        except ConnectionLost as error:
            if error.reason is Reason.CLOSED:
                raise StopIteration from None
            raise

    def _door(self) -> Portal:
        if self._portal is None:
            raise ClosedError("this client is not connected: call connect()")
        return self._portal

    # What is known.

    @property
    def address(self) -> Address:
        """`(host, port)` of the server."""
        return self._client.address

    @property
    def framing(self) -> Framing:
        """How bytes become messages."""
        return self._client.framing

    @property
    def timeout(self) -> float | None:
        """Seconds that `connect`, and each `recv`, may take."""
        return self._client.timeout

    @property
    def limits(self) -> Limits:
        """Every bound."""
        return self._client.limits

    @property
    def reason(self) -> Reason | None:
        """Why the connection ended; None while it is there, or was never made."""
        return self._client.reason

    @property
    def connected(self) -> bool:
        """Whether messages can be sent."""
        return self._client.connected

    @property
    def local_address(self) -> Address:
        """`(host, port)` of this end: what the server sees as the client's address.

        Raises:
            ClosedError: not connected.
        """
        return self._client.local_address

    @property
    def pending(self) -> int:
        """Bytes accepted here that the kernel has not taken yet."""
        return self._client.pending

    def __repr__(self) -> str:
        return repr(self._client).replace("<Async", "<")


class _SharedPortal:
    """One portal for all clients of the process, there while at least one is connected."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._portal: Portal | None = None

    def enter(self) -> Portal:
        with self._lock:
            if self._portal is None:
                self._portal = Portal("sockkit-clients")
            self._users += 1
            return self._portal

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._portal is not None:
                portal, self._portal = self._portal, None
                portal.stop(wait=1.0)


_shared_portal = _SharedPortal()
_running: "weakref.WeakSet[Server]" = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    # A daemon thread that still runs while the interpreter ends may write to a closed stderr.
    for server in tuple(_running):
        server.stop(grace=0)


def _who_holds(stack: traceback.StackSummary) -> str:
    package = os.path.dirname(__file__)
    """The sentence that names what keeps a server's thread."""
    ours = [index for index, frame in enumerate(stack) if frame.filename.startswith(package)]
    callback = stack[min(ours[-1] + 1, len(stack) - 1)] if ours else stack[-1]
    return (
        f"{callback.name} does not return (line {stack[-1].lineno} of {stack[-1].filename}); "
        "its thread is left behind until it does"
    )
