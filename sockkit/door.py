"""The door of a running server: who comes is accepted, and given a channel with a transport."""

import asyncio
import socket
import ssl as tls
import time

from sockkit.events import Address, Refused
from sockkit.group import ChannelGroup
from sockkit.poller import HAS_EPOLL, Poller
from sockkit.service import Service, log
from sockkit.serving import ServerChannel
from sockkit.sockets import accept_for_ever, let_go
from sockkit.transport import SocketTransport, fits

_NO_TLS = "it left before TLS was agreed on: perhaps it does not trust this certificate"
_PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST")  # OpenSSL, of plain text


class Door:
    """Lets clients in until it is closed. Made, used and closed on the loop's thread.

    Args:
        listener: closed together with the door.
        service: what all clients share.
        group: the channel group of the running loop.
        ssl: a server-side context, for TLS.

    Raises:
        OSError: there is no descriptor left.
    """

    def __init__(
        self,
        listener: socket.socket,
        service: Service,
        group: ChannelGroup,
        ssl: tls.SSLContext | None,
    ) -> None:
        self._listener = listener
        self._service = service
        self._group = group
        self._ssl = ssl
        self._entering: set[asyncio.Task[None]] = set()
        ours = ssl is None and fits(group.loop)
        self._poller = Poller(group.loop) if ours and HAS_EPOLL else None
        admit = self._admit if ours else self._admit_by_loop
        accepting = accept_for_ever(listener, service.limits, admit)
        self._accepting = group.loop.create_task(accepting)

    async def close(self) -> None:
        """Let nobody in any more, and close the listener."""
        self._accepting.cancel()
        if self._ssl is not None:  # without TLS, who is half-way in will be in at once
            for task in self._entering:
                task.cancel()
        await asyncio.gather(self._accepting, *self._entering, return_exceptions=True)
        self._listener.close()

    def leave(self) -> None:
        """After `close`, and when nobody is in any more: read from nobody."""
        if self._poller is not None:
            self._poller.close()

    def cut_off(self) -> None:
        """In a forked child: all of it is the parent's."""
        let_go(self._listener.fileno())
        if self._poller is not None:
            self._poller.cut_off()

    def _admit(self, connection: socket.socket, address: Address) -> None:
        loop, size = self._group.loop, len(self._group.buffer)
        try:
            SocketTransport(loop, connection, self._channel(address), self._poller or loop, size)
        except Exception as error:  # a client that was gone at once
            self._refuse(connection, address, error)

    def _admit_by_loop(self, connection: socket.socket, address: Address) -> None:
        def entered(task: asyncio.Task[None]) -> None:
            self._entering.discard(task)
            if task.cancelled():  # closed meanwhile, perhaps before its first step
                connection.close()

        task = self._group.loop.create_task(self._let_in(connection, address))
        self._entering.add(task)
        task.add_done_callback(entered)

    async def _let_in(self, connection: socket.socket, address: Address) -> None:
        try:
            await self._group.loop.connect_accepted_socket(
                lambda: self._channel(address),
                connection,
                ssl=self._ssl,
                ssl_shutdown_timeout=self._service.limits.linger if self._ssl else None,
            )
        except Exception as error:  # no TLS, or a client that was gone at once
            self._refuse(connection, address, error)

    def _channel(self, address: Address) -> ServerChannel:
        return ServerChannel(self._service, self._group, address)

    def _refuse(self, connection: socket.socket, address: Address, error: Exception) -> None:
        # asyncio says nothing of who leaves in the midst of TLS.
        why = str(error) or (_NO_TLS if self._ssl else type(error).__name__)
        if isinstance(error, tls.SSLError) and error.reason in _PLAIN:
            why = f"perhaps it speaks no TLS: {why}"
        log.warning("refused a client at %s:%d: %s", *address, why)
        self._service.record(Refused(time.time(), address, why))
        connection.close()
