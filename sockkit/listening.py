"""A channel that listens only while it should, and not for longer than it should.

Reading is held while the client's callbacks lag behind, or while it is ahead of its rate: the
kernel's buffers fill up, and TCP makes the sender wait. Time limits run only while we listen, so
that nobody is called silent whom we did not let speak.
"""

from sockkit.channel import Channel
from sockkit.foreign import SureDecoder
from sockkit.group import ChannelGroup
from sockkit.service import Service

# Why a socket is not read: its callbacks lag behind, or the client is ahead of its rate.
LAG, RATE = 1, 2


class ListeningChannel(Channel):
    """A server's channel, as far as it is about reading or not."""

    __slots__ = ("_next_free", "holds", "service", "watched")

    def __init__(self, service: Service, group: ChannelGroup, decoder: SureDecoder) -> None:
        limits = service.limits
        super().__init__(group, service.encode, decoder, limits.max_pending, limits.linger)
        self.service = service
        self.watched = False  # a begun message has a time limit
        self.holds = 0  # why the socket is not read, if it is not
        self._next_free = 0.0  # loop time at which the rate allows one more message

    @property
    def busy(self) -> bool:
        """Whether one of the client's callbacks is being awaited, or waits for its turn."""
        raise NotImplementedError

    @property
    def begun_message(self) -> bool:
        """Whether a part of a message is there, of which the rest is not."""
        return self.decoder.buffered > 0

    def message_unfinished(self) -> None:
        """Bytes came, but no message is whole yet: its time limit runs."""
        self.watch(heard=True)

    def watch(self, heard: bool = False, whole: bool = False) -> None:
        """Start and stop the time limits. Silence counts only while we listen."""
        idle, begun = self.service.idle, self.service.begun
        listening = self.reason is None and not self.busy and not self.holds
        self.watched = False
        if idle is not None:
            if heard or not listening:
                idle.stop(self)
            if listening:
                idle.start(self)
        if begun is not None:
            if whole or not listening:
                begun.stop(self)  # what is begun now, if anything, is another message
            if listening and self.begun_message:
                begun.start(self)
                self.watched = True

    def hold(self, why: int) -> None:
        """Do not read, for this reason (`LAG` or `RATE`)."""
        if not self.holds:
            self.transport.pause_reading()
        self.holds |= why
        self.watch()

    def release(self, why: int) -> None:
        """This reason has gone; read on, if it was the last."""
        self.holds &= ~why
        if not self.holds and self.reason is None:
            self.transport.resume_reading()
        self.watch()

    def pace(self, count: int, rate: float) -> None:
        """`count` messages came; hold reading if that is more than `rate` a second."""
        # Each message moves the time at which the next one is due. Who is more than a second
        # ahead is not read until then (the generic cell rate algorithm, ITU-T I.371).
        loop = self.group.loop
        self._next_free = max(self._next_free, loop.time()) + count / rate
        ahead = self._next_free - loop.time() - 1
        if ahead > 0 and self.reason is None:
            self.hold(RATE)
            loop.call_later(ahead, self.release, RATE)
