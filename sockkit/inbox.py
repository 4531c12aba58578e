"""The client's channel: messages wait in an inbox until somebody receives them."""

import asyncio
import contextlib
import threading
from collections import deque
from typing import Any

from sockkit.channel import Channel
from sockkit.errors import BufferFull, ClosedError, ConnectionLost
from sockkit.events import Reason
from sockkit.foreign import encoder, sure_decoders
from sockkit.framing import Framing
from sockkit.group import ChannelGroup
from sockkit.limits import Limits
from sockkit.sockets import close_for_proactor

MAX_WAITING = 1000  # messages; beyond this the socket is not read until the inbox is empty


class ClientChannel(Channel):
    """The channel of a client. For use on the loop's thread, except `send`."""

    __slots__ = (
        "_changed",
        "_eof",
        "_handed_over",
        "_handing_over",
        "_inbox",
        "_paused",
        "_taken_over",
        "closed_here",
        "sent_eof",
    )

    def __init__(self, group: ChannelGroup, framing: Framing, limits: Limits) -> None:
        decoder = sure_decoders(framing, limits.max_message)()
        super().__init__(group, encoder(framing), decoder, limits.max_pending, limits.linger)
        self._inbox: deque[Any] = deque()
        self._paused = False
        self._changed = asyncio.Event()  # a message, room to send, or the end
        self.closed_here = False  # we want no more of it
        self.sent_eof = False  # no more will be accepted
        self._eof = False  # FIN follows what was accepted until now
        # Bytes that other threads sent, and how many of them have reached the loop's thread.
        self._handed_over = self._taken_over = 0
        self._handing_over = threading.RLock()  # a signal's handler may send in between

    def messages_received(self, messages: list[Any]) -> None:
        """Keep them for `take`, unless nobody will come for them."""
        if not self.closed_here:
            self._inbox.extend(messages)
            self._changed.set()
            if len(self._inbox) > MAX_WAITING:
                self._paused = True
                self.transport.pause_reading()
                self._read_on()  # if another thread has taken all before it could see the pause

    async def message_waiting(self) -> None:
        """Return once `take` will find a message.

        Raises:
            ConnectionLost: there will be no more.
            ClosedError: closed on this side.
        """
        while not self._inbox:
            if self.closed_here:
                raise ClosedError("this client is closed")
            if self.reason is not None:
                raise ConnectionLost(self.reason)
            await self._change()

    def take(self) -> Any:
        """The oldest waiting message. Any thread.

        Raises:
            IndexError: there is none.
        """
        message = self._inbox.popleft()
        if self._paused and not self._inbox:
            with contextlib.suppress(ClosedError):
                self.group.handover.submit(self._read_on)
        return message

    def _read_on(self) -> None:
        if self._paused and not self._inbox:
            self._paused = False
            self.transport.resume_reading()

    async def drained(self) -> None:
        """Return once the kernel has taken everything that was accepted.

        Raises:
            ConnectionLost: it never will.
        """
        self.flush()
        while self.reason is None and (self.pending or self.transport.is_closing()):
            await self._change()
        if self.reason is not None:  # what waited then was dropped, not taken
            raise ConnectionLost(self.reason)

    async def gone(self) -> None:
        """Return once the transport is gone."""
        while not self.lost:
            await self._change()

    async def _change(self) -> None:
        # Several may wait: set() wakes all, and each looks for what it waits for.
        self._changed.clear()
        await self._changed.wait()

    def send(self, message: Any) -> None:
        """Accept a message. Any thread; never waits.

        Raises:
            BufferFull: too much waits already; this message was not accepted.
            ClosedError, ConnectionLost, TypeError, ProtocolError: as for every send.
        """
        if self.closed_here:
            raise ClosedError("this client is closed")
        if self.sent_eof:
            raise ClosedError("nothing can be sent after send_eof()")
        if self._waiting > self.max_pending:
            if threading.get_ident() == self.group.thread:
                self.flush()
            if self._waiting > self.max_pending:
                raise BufferFull(f"more than {self.max_pending} bytes wait for the server to read")
        super().send(message)

    @property
    def _waiting(self) -> int:
        while True:
            taken_over = self._taken_over
            waiting = self._handed_over - taken_over + self.pending
            if taken_over == self._taken_over:  # else some of it was counted twice
                return waiting

    def hand_over(self, message: Any, data: bytes) -> None:
        """`write`, from another thread. What is on the way to the loop waits as well."""
        size = len(data)
        with self._handing_over:
            self._handed_over += size
        super().hand_over(message, data)

    def _write_late(self, message: Any, data: bytes) -> None:
        super()._write_late(message, data)
        self._taken_over += len(data)  # only now: not for a moment does it wait nowhere

    def write(self, message: Any, data: bytes) -> None:
        """Accept it, unless another thread's send and the end of all sends have crossed."""
        if not self._eof:
            super().write(message, data)

    @property
    def can_send_eof(self) -> bool:
        """Whether one half can be closed alone. Over TLS asyncio can't. Any thread."""
        return self.transport.can_write_eof()

    def send_eof(self) -> None:
        """Say that no more will come (FIN), once all that was accepted is out."""
        self.sent_eof = self._eof = True
        if self.reason is None:
            self._blocked = False  # one last write may stand behind one that is under way
            self.flush()
            with contextlib.suppress(OSError):  # a reset that the loop has not seen yet
                self.transport.write_eof()

    def finish(self) -> None:
        """Have no more to do with it: say so with FIN, and let go what still comes."""
        self.closed_here = True
        self._inbox.clear()
        self._changed.set()
        if self.reason is None:
            if self._paused:
                self.transport.resume_reading()
            if self.can_send_eof:
                self.send_eof()
            else:
                self.end(Reason.CLOSED)

    def resume_writing(self) -> None:
        """asyncio: the kernel has taken it all."""
        super().resume_writing()
        self._changed.set()

    def ended(self) -> None:
        """Wake whoever waits for what will not come."""
        self._changed.set()

    def connection_lost(self, exc: BaseException | None) -> None:
        """asyncio: the connection is gone."""
        super().connection_lost(exc)
        if hasattr(self.group.loop, "_proactor"):
            close_for_proactor(self.transport)
        self._changed.set()
