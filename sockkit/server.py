"""The server inside your own event loop: its life, and what can be said to its clients.

Everything runs on the loop that `start` was awaited on, and so needs no locks. What does not wait
is a plain method: it is accepted, or it raises.
"""

import socket
import ssl as tls
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from sockkit.admission import greeting
from sockkit.attaching import Backplane
from sockkit.connection import Connection
from sockkit.door import Door
from sockkit.errors import ClosedError, ConnectionLost, UnknownClient
from sockkit.events import Address, Event, Reason, Started, Stopped
from sockkit.framing import Framing, Lines
from sockkit.group import ChannelGroup
from sockkit.interrupts import Interruptible
from sockkit.limits import Limits
from sockkit.registry import numbers_in
from sockkit.service import Callback, Service
from sockkit.sockets import bound_to, is_loopback, listen
from sockkit.stopping import Stopping
from sockkit.views import server_html


class AsyncServer:
    """A server for any number of clients, on the running event loop.

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

    Callbacks are plain functions or coroutine functions. They run on the loop's thread, for each
    client in order. One that raises ends its client (`HANDLER_ERROR`), and no other notices. What
    one sets in a context variable is there in the next of its client, and in no other client's.

    Example:
        async with AsyncServer(lambda connection, text: connection.send(text.upper())) as server:
            print(server.address)
            await asyncio.Event().wait()
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
    ) -> None:
        if token is not None:
            greeting(token)
        if ssl is not None and not isinstance(ssl, tls.SSLContext):
            raise TypeError(f"ssl is an ssl.SSLContext; this is {ssl!r}")
        if receive_buffer < 1:
            raise ValueError(f"a receive buffer has at least 1 byte, not {receive_buffer}")
        self.host = host
        self.port = port
        self.framing = framing
        self.limits = limits
        self.backplane = backplane
        self._ssl = ssl
        self._reuse_port = reuse_port
        self._receive_buffer = receive_buffer
        self._service = Service(on_connect, on_message, on_disconnect, framing, limits, token)
        self._group: ChannelGroup | None = None  # while running
        self._stopping: Stopping | None = None
        if backplane is not None:
            backplane.bind(self, self._to_all_here)

    # Life.

    async def start(self) -> Self:
        """Listen and serve; return the server. Starting a running server changes nothing.

        Raises:
            OSError: the address can't be listened on; the text says which and why.
            ValueError: no port has this number.
            RuntimeError: the loop it was started on is closed, and it was not stopped before.
        """
        self._not_after_its_loop()
        if self._stopping is not None:
            await self._stopping.ended()
        if self._group is None:
            listener = await listen(self.host, self.port, self._reuse_port)
            try:
                self._serve(listener)
            except BaseException:
                listener.close()
                raise
            if self.backplane is not None:
                try:
                    await self.backplane.start(self._service.changed)
                except BaseException:
                    await self.stop(grace=0)
                    raise
        return self

    def _serve(self, listener: socket.socket) -> None:
        if self._group is not None:  # somebody else started it meanwhile
            listener.close()
            return
        self._address: Address = bound_to(listener)
        self._warn_if_open_to_all()
        group = ChannelGroup(self._receive_buffer)
        self._service.begin(group)
        self._door = Door(listener, self._service, group, self._ssl)
        self._group = group
        self._service.record(Started(time.time(), self._address))

    async def stop(self, grace: float = 1.0) -> None:
        """Stop listening, tell every client's callback (`SERVER_STOPPED`), and close.

        Callbacks at work and replies on their way have `grace` seconds; then they are cancelled and
        dropped, and the log names whoever did not end. Any number of calls do no harm; the one that
        is the first to lose its patience counts.

        Raises:
            RuntimeError: the loop it was started on is closed.
        """
        self._not_after_its_loop()
        if self._group is None:
            return
        deadline = self._group.loop.time() + grace  # first: a wrong grace stops nothing
        if self._stopping is None:
            self._stopping = Stopping(self._service, self._door, self._close)
        await self._stopping.wait(deadline)

    async def _close(self) -> None:
        try:
            if self.backplane is not None:
                await self.backplane.stop()
        finally:  # a backplane of somebody's may fail
            group = self._running()
            self._service.open.clear()
            self._door.leave()
            self._service.end()
            group.handover.close()
            self._group = self._stopping = None
            self._service.changed.set()
            self._service.record(Stopped(time.time()))

    def _not_after_its_loop(self) -> None:
        # It can be neither started nor stopped any more: its clients hang on what has gone.
        if self._group is not None and self._group.loop.is_closed():
            raise RuntimeError("the event loop of this server was closed before stop(): it is lost")

    def cut_off(self) -> None:
        """In a forked child: leave the sockets to the parent, and be a server that is not running.

        The child has none of the parent's threads, so nothing here would ever be served; but as
        long as it holds the sockets, no client of the parent sees the end of its connection.
        """
        group, service = self._running(), self._service
        self._door.cut_off()
        for channel in service.open:
            channel.cut_off(Reason.SERVER_STOPPED)
        service.open.clear()
        service.registry.clear()
        if self.backplane is not None:
            self.backplane.cut_off()
        group.handover.cut_off()
        self._group = self._stopping = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    def _warn_if_open_to_all(self) -> None:
        if not is_loopback(self._address[0]) and not (self._ssl and self._service.token):
            missing = " and ".join(
                name
                for name, there in (("TLS", self._ssl), ("a token", self._service.token))
                if not there
            )
            text = f"{self._address[0]} can be reached by other machines, without {missing}"
            warnings.warn(text, RuntimeWarning, stacklevel=4)

    def _running(self) -> ChannelGroup:
        if self._group is None:
            raise ClosedError("this server is not running: call start()")
        return self._group

    # Who is here.

    @property
    def running(self) -> bool:
        """Whether it is started, and not yet stopped. Any thread."""
        return self._group is not None

    @property
    def address(self) -> Address:
        """`(host, port)` as really bound. Any thread.

        Raises:
            ClosedError: not running.
        """
        self._running()
        return self._address

    @property
    def clients(self) -> Mapping[int, Connection]:
        """Who is connected now, by number, in the order of arrival: a snapshot. Any thread."""
        return self._service.registry.snapshot()

    async def wait_for_clients(self, count: int, timeout: float = 5.0) -> Mapping[int, Connection]:
        """The snapshot, once at least `count` clients are connected.

        Raises:
            TimeoutError: there were fewer for `timeout` seconds.
            ClosedError: not running, or stopped meanwhile.
        """
        registry = self._service.registry
        deadline = self._running().loop.time() + timeout
        with Interruptible():
            await self._service.until(
                lambda: self._group is None or len(registry) >= count, lambda: deadline
            )
        self._running()
        if len(registry) < count:
            raise TimeoutError(f"{len(registry)} of {count} clients after {timeout:g} s")
        return self.clients

    # Talking to them.

    def send(self, number: int, message: Any) -> None:
        """Accept a message for one client. Any thread; never waits.

        Returning means accepted here, not delivered there.

        Raises:
            UnknownClient: no client with this number is connected.
            ConnectionLost: it went just now.
            ClosedError: not running.
            TypeError, ProtocolError: from the framing.
        """
        self._find(number).send(message)

    def broadcast(self, message: Any, *, exclude: Iterable[int] = ()) -> int:
        """Accept a message for all clients but those numbered in `exclude`; return for how many.

        Never waits for a slow client: over `max_pending` it goes, reason `TOO_SLOW`. With a
        backplane, the clients of the other servers get it too; they are not in the count, and
        `exclude` names none of them. On the loop's thread only; `Server.broadcast` works from any.

        Raises:
            ClosedError: not running.
            TypeError: `exclude` holds something else than numbers.
            TypeError, ProtocolError: from the framing; then nobody gets it.
        """
        group = self._running()
        if threading.get_ident() != group.thread:
            raise RuntimeError("AsyncServer.broadcast belongs to the thread of its loop")
        return self._to_all(message, self._service.encode(message), numbers_in(exclude))

    def broadcast_soon(self, message: Any, exclude: Iterable[int]) -> int:
        """`broadcast` for the thread of another loop, which is not to wait for ours.

        It counts the clients that there are now.
        """
        data, left_out = self._service.encode(message), numbers_in(exclude)
        self._running().handover.submit(self._to_all, message, data, left_out)
        return len(self.clients.keys() - left_out)

    def _to_all(self, message: Any, data: bytes, left_out: frozenset[int]) -> int:
        if self.backplane is not None:  # first, so that it is on its way while we write
            self.backplane.broadcast(data)
        return self._to_all_here(message, data, left_out)

    def _to_all_here(self, message: Any, data: bytes, left_out: frozenset[int]) -> int:
        count = 0
        for channel in tuple(self._service.open):
            connection = channel.connection
            if connection is not None and connection.number not in left_out:
                try:
                    channel.write(message, data)
                    count += 1
                except ConnectionLost:  # not counted (`suppress` costs as much as the write)
                    pass
        return count

    def disconnect(self, number: int) -> None:
        """End one connection, reason `KICKED`. Any thread; never waits.

        Raises:
            UnknownClient: no client with this number is connected.
            ClosedError: not running.
        """
        self._find(number).close()

    def _find(self, number: int) -> Connection:
        try:
            return self._service.registry.find(number)
        except UnknownClient:
            self._running()
            raise

    def observe(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Have `callback(record)` told of everything that happens; return what ends that.

        It runs on the loop's thread for every message, so it must be quick. Any thread.
        """
        return self._service.observe(callback)

    def __repr__(self) -> str:
        if self._group is None:
            return f"<{type(self).__name__} not running>"
        host, port = self._address
        return f"<{type(self).__name__} {host}:{port}, {len(self.clients)} clients>"

    def _repr_html_(self) -> str:
        return server_html(self)
