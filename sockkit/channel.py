"""One TCP connection as both ends of the kit see it: messages in and out, one reason at the end.

`Channel` is an asyncio protocol. The server's and the client's channels extend it with what they do
with a message and with the end. Nothing outside the core uses it; a learner sees `Connection`.
Everything here runs on the loop's thread, except where a docstring says otherwise.

A decision made for speed lives here: asyncio's write buffer is kept at no more than one write, so
that what waits is counted by one addition instead of a sum over the buffer's pieces. `group.py` has
two more.
"""

import asyncio
import errno
import ssl
from asyncio.trsock import TransportSocket
from collections.abc import Callable
from threading import get_ident
from typing import Any, cast

from sockkit.errors import ConnectionLost, ProtocolError
from sockkit.events import Reason
from sockkit.foreign import SureDecoder
from sockkit.group import ChannelGroup
from sockkit.sockets import let_go, reset_on_close, unread

_SILENCE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}


class Channel(asyncio.BufferedProtocol, asyncio.Protocol):
    """Messages over one transport: asyncio's fill the group's buffer, ours brings bytes.

    A subclass says what happens with `messages_received`, `peer_closed` and `ended`.

    Args:
        group: the group of the running loop.
        encode: the framing's; runs on the thread that sends.
        decoder: finds the messages in what is received.
        max_pending: bytes that may wait for the peer before `overflow` is called.
        linger: seconds that queued output may take to leave after the end.
    """

    __slots__ = (
        "__weakref__",
        "_blocked",
        "_flushed",
        "decoder",
        "encode",
        "group",
        "limit",
        "linger",
        "lost",
        "max_pending",
        "out",
        "out_bytes",
        "reason",
        "received",
        "received_bytes",
        "sent_bytes",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(
        self,
        group: ChannelGroup,
        encode: Callable[[Any], bytes],
        decoder: SureDecoder,
        max_pending: int,
        linger: float,
    ) -> None:
        self.group = group
        self.encode = encode
        self.decoder = decoder
        self.max_pending = max_pending
        self.linger = linger
        self.reason: Reason | None = None  # why it ended; None while it has not
        self.received = self.received_bytes = self.sent_bytes = 0
        self._flushed = 0  # messages given to the transport
        self.out: list[bytes] = []  # accepted in this turn, or while the transport is blocked
        self.out_bytes = 0
        # While `out_bytes` stays below this, another message may go straight to `out`. 0 whenever
        # `write` has to look: for the first message of a turn, at the end, when somebody observes.
        self.limit = 0
        self._blocked = False  # the kernel takes no more for now
        self.lost = False  # the transport is gone

    # What a subclass does.

    def messages_received(self, messages: list[Any]) -> None:
        """Whole messages came, at least one."""
        raise NotImplementedError

    def message_unfinished(self) -> None:
        """Bytes came, but no message is whole yet."""

    def peer_closed(self) -> None:
        """The peer will send no more (FIN). Ends the channel, now or when its work is done."""
        self.end(Reason.CLOSED)

    def overflow(self) -> None:
        """More than `max_pending` waits for the peer. May raise what the sender is to see."""

    def ended(self) -> None:
        """`reason` has just been set. Called once."""

    # Sending.

    def send(self, message: Any) -> None:
        """Accept a message. Any thread; never waits.

        Raises:
            ConnectionLost: the channel has ended.
            TypeError, ProtocolError: from the framing's `encode`.
        """
        data = self.encode(message)
        if get_ident() == self.group.thread:
            self.write(message, data)
        else:
            self.hand_over(message, data)

    def hand_over(self, message: Any, data: bytes) -> None:
        """`write`, from another thread.

        Raises:
            ConnectionLost: the channel has ended.
        """
        if self.reason is not None:
            raise ConnectionLost(self.reason)
        self.group.handover.submit(self._write_late, message, data)

    def _write_late(self, message: Any, data: bytes) -> None:
        # The thread that sent this has gone on: accepted there, and lost here if the peer left.
        try:  # noqa: SIM105 (`suppress` would cost more than the rest)
            self.write(message, data)
        except ConnectionLost:
            pass

    def write(self, message: Any, data: bytes) -> None:
        """Accept a message and its encoded form; it leaves at the next turn of the loop.

        Raises:
            ConnectionLost: the channel has ended.
        """
        if self.reason is not None:
            raise ConnectionLost(self.reason)
        if self.out_bytes > self.max_pending or self._blocked:
            self._check_pending()
        group = self.group
        if not (self.out or self._blocked):
            group.flush_soon(self)
            if not group.observed:
                self.limit = self.max_pending
        self.out.append(data)
        self.out_bytes += len(data)
        if group.observed:
            self.message_sent(message)

    def message_sent(self, message: Any) -> None:
        """A message was accepted; called while somebody observes."""

    @property
    def sent(self) -> int:
        """Messages accepted here. Any thread."""
        return self._flushed + len(self.out)

    @property
    def pending(self) -> int:
        """Bytes accepted here that the kernel has not taken yet. Any thread."""
        while True:
            try:
                return self.out_bytes + self.transport.get_write_buffer_size()
            except RuntimeError:  # since 3.12 asyncio adds up its pieces, and one came or went
                continue

    def _check_pending(self) -> None:
        # Offer it to the kernel before calling anybody slow. The bound is looked at before a
        # message is added, so that one message larger than the bound can be sent at all.
        self.flush()
        if self.lost:
            self._empty_output()  # replies find nobody
        elif self.pending > self.max_pending:
            self.overflow()

    def flush(self) -> None:
        """Give what waits to the transport, as one piece, unless it is blocked."""
        out = self.out
        if out and not self._blocked:
            data = b"".join(out)
            self._flushed += len(out)
            self.sent_bytes += len(data)
            out.clear()
            self.transport.write(data)
            # Only now: while the kernel takes it, another thread may ask what waits.
            self.out_bytes = self.limit = 0

    def _empty_output(self) -> None:
        self.out.clear()
        self.out_bytes = self.limit = 0

    def pause_writing(self) -> None:
        """asyncio: the kernel did not take all of the last write."""
        self._blocked = True

    def resume_writing(self) -> None:
        """asyncio: the kernel has taken it all."""
        self._blocked = False
        if self.out:  # not at once: if that write failed, asyncio would lose the connection twice
            self.group.flush_soon(self)

    # Receiving.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection is there."""
        self.transport = cast(asyncio.Transport, transport)
        # Tell us as soon as anything stays behind: more than `high`, or over TLS as much as that.
        encrypted = transport.get_extra_info("sslcontext") is not None
        self.transport.set_write_buffer_limits(high=1 if encrypted else 0, low=0)

    def get_buffer(self, sizehint: int) -> memoryview:
        """asyncio: where to put the next bytes. Shared: each read is used up before the next."""
        return self.group.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio: so many bytes are in the buffer."""
        self.data_received(self.group.buffer[:nbytes].tobytes())

    def data_received(self, data: bytes) -> None:
        """asyncio: these bytes came. Decode them, and pass on the messages that are whole now."""
        self.received_bytes += len(data)
        if self.reason is not None:
            return  # TLS, as asyncio does it, reads once more while it closes
        fault = None
        try:
            messages = self.decoder.feed(data)
        except ProtocolError as error:
            fault, messages = error, error.messages
        if messages:
            self.received += len(messages)
            self.messages_received(messages)
        else:
            self.message_unfinished()
        if fault is not None:
            self.protocol_fault(fault)

    def protocol_fault(self, fault: ProtocolError) -> None:
        """The peer sent what is no message. What came before it has been passed on."""
        self.end(Reason.PROTOCOL_ERROR)

    def eof_received(self) -> bool:
        """asyncio: FIN. True keeps our half open until the last reply is out (not over TLS)."""
        self.peer_closed()
        return self.transport.get_extra_info("sslcontext") is None

    # The end.

    def request_end(self, reason: Reason) -> None:
        """`end`, from any thread."""
        if get_ident() == self.group.thread:
            self.end(reason)
        elif self.reason is None:
            self.group.handover.submit(self.end, reason)

    def end(self, reason: Reason) -> None:
        """Decide the end: what was accepted still leaves, for at most `linger` seconds.

        The first reason counts; later calls do nothing.
        """
        if self.reason is None:
            self.reason = reason
            self._blocked = False  # one last write may stand behind one that is under way
            self.flush()
            if not self.transport.is_closing():  # closed again, one over TLS would break
                self.transport.close()
            if self.transport.get_write_buffer_size():
                self.group.loop.call_later(self.linger, self.give_up)
            self.ended()

    def abort(self, reason: Reason) -> None:
        """End at once; what waits is dropped."""
        if self.reason is None:
            self.reason = reason
            self.give_up()
            self.ended()

    def give_up(self) -> None:
        """Close now. If something waits, the peer sees a reset, and not half of it as the whole."""
        if self.lost:  # asyncio's abort fails after a close that had to wait for its last write
            return
        if self.pending and (connection := self.transport.get_extra_info("socket")):
            reset_on_close(connection)
        self._empty_output()
        self.transport.abort()

    def cut_off(self, reason: Reason) -> None:
        """In a forked child: the connection is the parent's, and only the parent's."""
        self.reason = reason
        handle = self.transport.get_extra_info("socket").fileno()
        if handle >= 0:
            let_go(handle)

    def connection_lost(self, exc: BaseException | None) -> None:
        """asyncio: the connection is gone, by our doing or not; its socket is closed after this."""
        self.lost = self._blocked = True  # replies to what is still read find nobody
        connection = self.transport.get_extra_info("socket")
        read = self.reason is Reason.CLOSED or self.transport.get_extra_info("eof")
        if connection and not read:  # after a FIN nothing can be left
            self._read_the_rest(connection)
        self._empty_output()
        if self.reason is None:
            self.reason = reason_of(exc)
            self.ended()

    def _read_the_rest(self, connection: TransportSocket) -> None:
        # When a write has failed, asyncio closes without another look at what had come before: the
        # last messages of a peer that did not wait for our replies. And when it is we who close,
        # what is left unread would make the system send a reset, which may overtake our last words.
        # (Not over TLS: there, asyncio has let go of the socket already.)
        most = len(self.group.buffer)
        for data in unread(connection, say_fin=self.reason is not None):
            for start in range(0, len(data), most):
                if self.reason is None:
                    self.data_received(data[start : start + most])


def reason_of(error: BaseException | None) -> Reason:
    """Which end an exception from the operating system means.

    `BrokenPipeError` (EPIPE) comes when something is written after the peer's FIN was followed by
    its reset: the peer closed politely first, and only our replies found nobody.
    Source: tcp_reset() in Linux sets EPIPE in state CLOSE_WAIT, and ECONNRESET otherwise.
    """
    if error is None or isinstance(error, BrokenPipeError):
        return Reason.CLOSED
    if isinstance(error, TimeoutError) or getattr(error, "errno", None) in _SILENCE:
        return Reason.TIMED_OUT
    if isinstance(error, ssl.SSLError):
        return Reason.PROTOCOL_ERROR
    return Reason.RESET
