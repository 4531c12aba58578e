"""Bytes in and out of one accepted socket: what asyncio's own transport does, at less cost.

Between a loop and a protocol stands a transport. It reads when the kernel has something, writes
what the kernel takes, keeps the rest, and closes. asyncio's serves any protocol; it makes a task,
two futures and several other objects for each connection, and needs more calls for each receive.
This one serves channels over plain TCP, which is a decision made for speed: clients come and go at
half the cost (figures: `benchmarks/`). Over TLS, and on loops that watch no sockets for others (the
usual one on Windows), `server` leaves it to the loop.

For use on the loop's thread only, except where a docstring says otherwise.
"""

import asyncio
import socket
from typing import Any

from sockkit.poller import Poller, Readers

_NOT_NOW = (BlockingIOError, InterruptedError)
_UNWATCHED = "a socket cannot be watched"


def fits(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether this loop watches sockets for others."""
    return type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader


class SocketTransport(asyncio.Transport):
    """An asyncio transport over a connected, non-blocking socket.

    Args:
        loop: one that `fits`.
        connection: closed by the transport, once `connection_lost` has been called.
        protocol: told of everything as asyncio would tell it, beginning with `connection_made`.
        readers: what tells when there is something to read: a `Poller`, or the loop.
        receive_buffer: bytes that one receive may return at most.
    """

    __slots__ = (
        "_closing",
        "_connection",
        "_eof",
        "_gone",
        "_handle",
        "_loop",
        "_protocol",
        "_readers",
        "_reading",
        "_receive_buffer",
        "_unsent",
        "_unsent_bytes",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connection: socket.socket,
        protocol: asyncio.Protocol,
        readers: Readers,
        receive_buffer: int,
    ) -> None:
        self._loop = loop
        self._readers = readers
        self._receive_buffer = receive_buffer
        self._connection = connection
        self._handle = connection.fileno()
        self._protocol = protocol
        self._reading = False
        self._closing = False  # no more is read, and the socket goes once all is written
        self._gone = False  # `connection_lost` was called, or is about to be
        self._eof = False  # FIN or an error came: there is nothing to read any more
        self._unsent: list[memoryview] = []
        self._unsent_bytes = 0
        # As asyncio does: a reply must not wait until what was sent before is acknowledged.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol.connection_made(self)
        self.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is asked for by its name; `default` for what there is not.

        "socket": the socket. "eof": whether all that came was read. "due": whether something has
        come that will be read in one of the next turns.
        """
        if name == "socket":
            return self._connection
        if name == "due":  # without a poller, asyncio reads all before it looks at its timers
            return isinstance(self._readers, Poller) and self._readers.is_due(self._handle)
        return self._eof if name == "eof" else default

    # Reading.

    def is_reading(self) -> bool:
        """Whether what comes is read."""
        return self._reading

    def pause_reading(self) -> None:
        """Leave what comes to the kernel, whose buffer will fill up."""
        if self._reading:
            self._reading = False
            self._readers.remove_reader(self._handle)

    def resume_reading(self) -> None:
        """Read on."""
        if not (self._reading or self._eof or self._closing):
            try:
                self._readers.add_reader(self._handle, self._read)
            except OSError as error:  # the system watches no more (epoll_ctl(2): ENOSPC, ENOMEM)
                self._fail(_UNWATCHED, error)
            else:
                self._reading = True

    def _read(self) -> None:
        protocol = self._protocol
        try:
            data = self._connection.recv(self._receive_buffer)
        except _NOT_NOW:
            return
        except OSError as error:  # which comes after what was there to be read
            self._eof = True
            self._drop(error, at_once=True)  # nobody has called us but the loop
            return
        try:
            if data:
                protocol.data_received(data)
            else:
                self._eof = True
                self.pause_reading()
                if not protocol.eof_received():
                    self.close()
        except Exception as error:
            self._fail("a protocol failed", error)

    # Writing.

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Changes nothing: the protocol always hears when anything stays behind, and has gone."""

    def get_write_buffer_size(self) -> int:
        """Bytes that the kernel has not taken yet. Any thread."""
        return self._unsent_bytes

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Give it to the kernel; what does not fit there waits, and the protocol is paused."""
        if self._gone:
            return
        if self._unsent:
            self._keep(memoryview(data))
            return
        try:
            sent = self._connection.send(data)
        except _NOT_NOW:
            sent = 0
        except OSError as error:
            self._drop(error)
            return
        if sent < len(data):
            self._keep(memoryview(data)[sent:])
            try:
                self._loop.add_writer(self._handle, self._write_on)
            except OSError as error:  # as in `resume_reading`
                self._fail(_UNWATCHED, error)
            else:
                self._protocol.pause_writing()

    def _keep(self, data: memoryview) -> None:
        self._unsent.append(data)
        self._unsent_bytes += len(data)

    def _write_on(self) -> None:
        unsent = self._unsent
        try:
            while unsent:
                sent = self._connection.send(unsent[0])
                self._unsent_bytes -= sent
                if sent < len(unsent[0]):
                    unsent[0] = unsent[0][sent:]
                    return
                del unsent[0]
        except _NOT_NOW:
            return
        except OSError as error:
            self._drop(error)
            return
        self._loop.remove_writer(self._handle)
        self._protocol.resume_writing()  # which may write more, or bring about the end
        if self._closing and not unsent and not self._gone:
            self._go(None)

    # The end.

    def is_closing(self) -> bool:
        """Whether the end has been decided."""
        return self._closing

    def close(self) -> None:
        """Close, once all is written."""
        if not self._closing:
            self.pause_reading()
            self._closing = True
            if not self._unsent:
                self._go(None)

    def abort(self) -> None:
        """Close; what waits is dropped."""
        self._drop(None)

    def _fail(self, what: str, error: Exception) -> None:
        # No error of the connection's: the code of a protocol, say.
        context = {"message": what, "exception": error, "transport": self}
        self._loop.call_exception_handler(context)
        self._drop(error)

    def _drop(self, error: Exception | None, at_once: bool = False) -> None:
        if not self._gone:
            self.pause_reading()
            self._closing = True
            if self._unsent:
                self._loop.remove_writer(self._handle)
                self._unsent.clear()
                self._unsent_bytes = 0
            self._go(error, at_once)

    def _go(self, error: Exception | None, at_once: bool = False) -> None:
        self._gone = True
        if at_once:
            self._lose(error)
        else:  # the end may have been decided inside a call of the protocol's
            self._loop.call_soon(self._lose, error)

    def _lose(self, error: Exception | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            del self._protocol  # the two hold each other
            self._connection.close()
