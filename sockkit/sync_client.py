"""The client for code that has no event loop. It only forwards to `AsyncClient`.

All clients of a process share one loop thread, so that a thousand clients are not a thousand
threads. The thread is there while at least one of them is connected.
"""

import asyncio
import atexit
import contextlib
import functools
import os
import ssl as tls
import threading
import weakref
from typing import Any, Self

from sockkit.client import AsyncClient
from sockkit.errors import ClosedError, ConnectionLost
from sockkit.events import Address, Reason
from sockkit.forgotten import tell_forgotten
from sockkit.framing import Framing, Lines
from sockkit.limits import Limits
from sockkit.portal import Portal


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
        self._lifecycle = threading.RLock()  # a signal's handler may close what is being closed
        self._client = AsyncClient(
            address, framing=framing, timeout=timeout, limits=limits, ssl=ssl, token=token
        )

    # Life.

    def connect(self) -> Self:
        """Connect, and return the client. Connecting a connected client changes nothing.

        Raises:
            OSError: nobody listens there, no such host. The text says where.
            TimeoutError: no answer in time.
            ValueError: no port has this number.
            AuthenticationError: the server does not accept the token.
            RuntimeError: called inside a callback.
        """
        with self._lifecycle:
            portal = self._portal or _shared_portal.enter()
            try:
                portal.run(self._client.connect)
            except BaseException as error:
                if self._portal is None:
                    if not isinstance(error, Exception):  # an interrupt that came too late
                        portal.run(self._client.close)
                    _shared_portal.leave(portal)
                raise
            self._portal = portal
            _connected.add(self)
        return self

    def close(self) -> None:
        """Leave politely: what was accepted still leaves, then FIN. Closing again does nothing.

        Waits for the server to close its half as well, for at most `limits.linger` seconds.

        Raises:
            RuntimeError: called inside a callback.
        """
        with self._lifecycle:
            portal = self._portal
            if portal is not None:
                portal.run(self._client.close)
                if self._portal is portal:  # and no signal's handler has closed it meanwhile
                    self._portal = None
                    _connected.discard(self)
                    _shared_portal.leave(portal)

    def _cut_off(self) -> None:
        """In a forked child: the connection is the parent's."""
        self._lifecycle = threading.RLock()  # another thread may have held the old one
        if self._portal is not None:
            self._portal.cut_off()
            self._portal = None
            self._client.cut_off()

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        portal = getattr(self, "_portal", None)
        if portal is not None:
            text = f"forgotten, and now closed: {self!r}; close() or a with block ends it in time"
            leave = functools.partial(_shared_portal.leave, portal)
            portal.leave_behind(self._client.close, then=leave)
            tell_forgotten(self, text)

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
            NotImplementedError: over TLS, which asyncio can only close as a whole.
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
        self._lock = threading.RLock()  # a signal's handler may come in between
        self._users = 0
        self._portal: Portal | None = None

    def enter(self) -> Portal:
        with self._lock:
            self._users += 1  # first, so that nobody who leaves in between ends it
            if self._portal is None or not self._portal.running:
                self._portal = Portal("sockkit-clients")
                self._users = 1
            return self._portal

    def leave(self, portal: Portal) -> None:
        with self._lock:
            if portal is not self._portal:
                return  # one whose thread was ended from outside, and that has a successor
            self._users -= 1
            if self._users == 0:
                self._portal = None
                portal.stop(wait=1.0)

    def cut_off(self) -> None:
        """In a forked child, where the portal's thread does not exist."""
        self._lock = threading.RLock()  # another thread may have held the old one
        self._users = 0
        self._portal = None


_shared_portal = _SharedPortal()
_connected: "weakref.WeakSet[Client]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    # A daemon thread that still runs while the interpreter ends may write to a closed stderr.
    clients = tuple(_connected)

    async def close_together() -> None:
        await asyncio.gather(*(client._client.close() for client in clients))

    if clients:
        portal = _shared_portal.enter()
        portal.run(close_together)
        _shared_portal.leave(portal)
    for client in clients:
        client.close()


def _cut_off_all() -> None:
    for client in tuple(_connected):
        client._cut_off()
    _connected.clear()
    _shared_portal.cut_off()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_cut_off_all)
