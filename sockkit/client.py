"""The client inside your own event loop."""

import asyncio
import contextlib
import ssl as tls
from typing import Any, Self

from sockkit.admission import WELCOME, FirstLine, FirstLineDecoder, greeting
from sockkit.errors import AuthenticationError, ClosedError, ConnectionLost
from sockkit.events import Address, Reason
from sockkit.foreign import SureDecoder
from sockkit.framing import Framing, Lines
from sockkit.group import ChannelGroup
from sockkit.inbox import ClientChannel
from sockkit.interrupts import Interruptible
from sockkit.limits import Limits
from sockkit.sockets import check_port, raise_clearly


class AsyncClient:
    """A client, on the running event loop.

    Args:
        address: `(host, port)` of the server.
        framing: how bytes become messages; the same as the server's.
        timeout: seconds that `connect`, and each `recv`, may take. None: as long as it takes.
        limits: `max_message` and `max_pending` count here too, and `linger` bounds `close`.
        ssl: a client-side context, for TLS.
        token: what the server wants to hear first.

    Example:
        async with AsyncClient(server.address) as client:
            client.send("hello")
            print(await client.recv())
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
        try:
            host, port = address
        except (TypeError, ValueError):
            raise TypeError(f"an address is a pair (host, port); this is {address!r}") from None
        self.address = (host, port)
        self.framing = framing
        self.timeout = timeout
        self.limits = limits
        self._ssl = ssl
        self._greeting = greeting(token) if token is not None else b""
        self._channel: ClientChannel | None = None

    # Life.

    async def connect(self) -> Self:
        """Connect, and return the client. Connecting a connected client changes nothing.

        Raises:
            OSError: nobody listens there, no such host. The text says where.
            TimeoutError: no answer in time.
            ValueError: no port has this number.
            AuthenticationError: the server does not accept the token.
        """
        if not self._is_open():
            host, port = self.address
            if isinstance(port, int):  # not the name of a service
                check_port(port)
            try:
                with Interruptible():
                    async with asyncio.timeout(self.timeout):
                        channel = await self._open()
                        if self._is_open():  # another task of yours was faster
                            channel.abort(Reason.CLOSED)
                        else:
                            self._channel = channel
            except TimeoutError as error:
                if error.errno is None:
                    text = f"no answer from {host}:{port} within {self.timeout:g} s"
                    raise TimeoutError(text) from None
                raise
        return self

    def _is_open(self) -> bool:
        channel = self._channel
        return channel is not None and channel.reason is None and not channel.closed_here

    async def _open(self) -> ClientChannel:
        loop = asyncio.get_running_loop()
        host, port = self.address
        channel = ClientChannel(ChannelGroup.of_running_loop(), self.framing, self.limits)
        decoder = channel.decoder
        if self._greeting:  # before anything can come: uvloop reads on while we are not waked yet
            channel.decoder = FirstLineDecoder()
        try:
            await loop.create_connection(lambda: channel, host, port, ssl=self._ssl)
        except (OSError, UnicodeError) as error:
            raise_clearly(error, f"cannot connect to {host}:{port}")
        if self._greeting:
            try:
                await self._say_token(channel, decoder)
            except BaseException:
                channel.abort(Reason.REFUSED)
                raise
        return channel

    async def _say_token(self, channel: ClientChannel, decoder: SureDecoder) -> None:
        channel.transport.write(self._greeting)
        try:
            await channel.message_waiting()
        except ConnectionLost as error:
            text = f"the server ended instead of answering: {error}"
            if self._ssl is None:
                text += "; perhaps it speaks TLS, and this client does not"
            raise AuthenticationError(text) from None
        answer: FirstLine = channel.take()
        if answer.line + b"\n" != WELCOME:
            raise AuthenticationError("the server did not accept the token")
        channel.decoder = decoder
        if answer.rest:
            channel.data_received(answer.rest)

    async def close(self) -> None:
        """Leave politely: what was accepted still leaves, then FIN. Closing again does nothing.

        Waits for the server to close its half as well, for at most `limits.linger` seconds: who
        closes with unread bytes resets the connection, and what is still on its way to the server
        is lost. Cancelled, it waits no more, and the connection ends at once.
        """
        channel = self._channel
        if channel is not None:
            channel.finish()
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.limits.linger):
                        await channel.gone()
            finally:
                channel.abort(Reason.CLOSED)
                channel.give_up()  # over TLS it has ended before, and may wait for the other side
            await channel.gone()

    def cut_off(self) -> None:
        """In a forked child: leave the connection to the parent."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.cut_off(Reason.CLOSED)
            channel.group.handover.cut_off()

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    # Talking.

    def send(self, message: Any) -> None:
        """Accept a message for the server. Any thread; never waits.

        Returning means accepted here, not delivered there.

        Raises:
            ConnectionLost: the server has gone.
            ClosedError: not connected, or closed on this side.
            BufferFull: more than `max_pending` bytes wait; this message was not accepted.
            TypeError, ProtocolError: from the framing.
        """
        self._open_channel().send(message)

    def send_eof(self) -> None:
        """Close the sending half: nothing more will be sent, but replies are still received.

        What was accepted still leaves first. A server that keeps to the custom answers what it has
        got, and then closes as well. Any thread; never waits. Calling it again does nothing.

        Raises:
            ClosedError: not connected, or closed on this side.
            NotImplementedError: over TLS, which asyncio can only close as a whole.
        """
        channel = self._open_channel()
        if channel.closed_here:
            raise ClosedError("this client is closed")
        if not channel.can_send_eof:
            raise NotImplementedError("asyncio has no half-close over TLS: call close()")
        channel.sent_eof = True  # at once, so that no send of this thread comes after it
        channel.group.handover.submit(channel.send_eof)

    async def recv(self, timeout: float | None = None) -> Any:
        """The next message. `timeout`, in seconds, instead of the client's own.

        Raises:
            TimeoutError: none came in time. None is lost: the next call goes on waiting.
            ConnectionLost: the connection has ended and every message was received; `reason`
                says how.
            ClosedError: not connected, or closed on this side.
        """
        while True:
            with contextlib.suppress(IndexError):  # none there, or another task was faster
                return self.take()
            await self.message_waiting(timeout)

    def take(self) -> Any:
        """The oldest message that has come already. Any thread; never waits.

        Raises:
            IndexError: there is none.
            ClosedError: not connected.
        """
        return self._open_channel().take()

    async def message_waiting(self, timeout: float | None = None) -> None:
        """Wait until there is something to `take`. Raises what `recv` raises."""
        limit = self.timeout if timeout is None else timeout
        try:
            with Interruptible():
                async with asyncio.timeout(limit):
                    await self._open_channel().message_waiting()
        except TimeoutError:
            raise TimeoutError(f"no message within {limit:g} s") from None

    async def drain(self) -> None:
        """Wait until the kernel has taken all that was sent: the pace of the server's reading.

        Raises:
            ConnectionLost: the server has gone.
            ClosedError: not connected.
        """
        with Interruptible():
            await self._open_channel().drained()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        """The next message; the iteration ends when the server closes politely.

        Raises:
            ConnectionLost: it ended otherwise.
            TimeoutError: nothing came for the client's `timeout`.
        """
        try:
            return await self.recv()
        except ConnectionLost as error:
            if error.reason is Reason.CLOSED:
                raise StopAsyncIteration from None
            raise

    def _open_channel(self) -> ClientChannel:
        if self._channel is None:
            raise ClosedError("this client is not connected: call connect()")
        return self._channel

    # What is known.

    @property
    def reason(self) -> Reason | None:
        """Why the connection ended; None while it is there, or was never made. Any thread."""
        return self._channel.reason if self._channel is not None else None

    @property
    def connected(self) -> bool:
        """Whether messages can be sent. Any thread."""
        channel = self._channel
        if channel is None or channel.reason is not None:
            return False
        return not (channel.closed_here or channel.sent_eof)

    @property
    def local_address(self) -> Address:
        """`(host, port)` of this end: what the server sees as the client's address. Any thread.

        Raises:
            ClosedError: not connected.
        """
        host, port = self._open_channel().transport.get_extra_info("sockname")[:2]
        return host, port

    @property
    def pending(self) -> int:
        """Bytes accepted here that the kernel has not taken yet. Any thread."""
        return self._channel.pending if self._channel is not None else 0

    def __repr__(self) -> str:
        host, port = self.address
        if self._channel is None:
            state = "not connected"
        else:
            state = "connected" if self.connected else str(self.reason or "closed")
        return f"<{type(self).__name__} {host}:{port} {state}>"
