"""What the channels of one event loop share: its thread, one receive buffer, and one flush a turn.

Two decisions made for speed live here, each worth a factor (figures: `benchmarks/`):

* one receive buffer for all channels of a loop, because asyncio's own transport otherwise
  allocates 256 KiB for each read;
* one write for each channel and turn of the loop, however many messages were sent in that turn.
"""

import asyncio
import weakref
from threading import get_ident
from typing import Protocol

from sockkit.handover import Handover

# The C library of Linux keeps twice as much free memory at hand as the largest block that was ever
# given back (M_MMAP_THRESHOLD in mallopt(3)). What many clients send in one turn of the loop would
# else go back to the system with each flush, and be asked for again, page by page: with messages of
# 1 KiB that takes an eighth of the time. Much more would be kept in vain, by each of many threads.
_AT_HAND = 512 * 1024


class Flushable(Protocol):
    """What a group needs of a channel."""

    def flush(self) -> None:
        """Give what waits to the transport."""


class ChannelGroup:
    """What the channels of one event loop share: its thread, receive buffer, and flush.

    Args:
        receive_buffer: bytes that one receive may return at most.
    """

    def __init__(self, receive_buffer: int = 65_536) -> None:
        self.loop = asyncio.get_running_loop()
        self.thread = get_ident()
        self.handover = Handover(self.loop)
        self.observed = False  # whether `message_sent` is wanted
        self.buffer = memoryview(bytearray(receive_buffer))
        bytearray(_AT_HAND)  # made and given back at once
        self._to_flush: list[Flushable] = []

    @classmethod
    def of_running_loop(cls) -> "ChannelGroup":
        """The group that all clients on this loop share: a buffer each would be 64 KiB each."""
        loop = asyncio.get_running_loop()
        group = _groups.get(loop)
        if group is None:
            group = _groups[loop] = cls()
        return group

    def flush_soon(self, channel: Flushable) -> None:
        """Flush this channel at the next turn of the loop, with all others that ask until then."""
        if not self._to_flush:
            self.loop.call_soon(self._flush)
        self._to_flush.append(channel)

    def _flush(self) -> None:
        channels, self._to_flush = self._to_flush, []
        for channel in channels:
            channel.flush()


# Each is there while a channel needs it. A group holds its loop, so weak keys would keep both.
_groups: "weakref.WeakValueDictionary[asyncio.AbstractEventLoop, ChannelGroup]"
_groups = weakref.WeakValueDictionary()
