"""Who has sent something: the kernel is asked about all clients of a loop with one call.

asyncio asks like that too, and then makes a key, a queued handle and a call of each answer. An
epoll can be waited for like a socket (epoll(7)), so that one stands inside the loop's own: the loop
watches a single descriptor, readable while any client is, and the answers lead to the clients
directly. A decision made for speed: an answer costs less than half, and so does a client's coming
and going.

For use on the loop's thread only, except where a docstring says otherwise.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Any, Protocol

HAS_EPOLL = hasattr(select, "epoll")  # Linux

# So many clients at most are read in one turn of the loop, the others in the next; the kernel goes
# on where it stopped. What they sent, and what they are sent, then stays in the processor's cache
# until it leaves: 100 clients in one turn took a fifth longer for messages of 1 KiB. With far
# fewer, the cost of a turn would be shared by too few.
_AT_ONCE = 48


class Readers(Protocol):
    """What calls back when there is something to read: a poller, or the loop itself."""

    def add_reader(self, fd: int, callback: Callable[[], Any]) -> Any:
        """Call it in each turn in which this descriptor is readable, or has failed."""

    def remove_reader(self, fd: int) -> Any:
        """Call it no more, not even in this turn."""


class Poller:
    """The readers of one loop, behind one descriptor. Lives until `close`.

    Raises:
        OSError: there is no descriptor left.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], Any]] = {}
        loop.add_reader(self._epoll.fileno(), self._poll)

    def add_reader(self, fd: int, callback: Callable[[], Any]) -> None:
        """Call it in each turn in which this descriptor is readable, or has failed."""
        self._epoll.register(fd, select.EPOLLIN)
        self._readers[fd] = callback

    def remove_reader(self, fd: int) -> None:
        """Call it no more, not even in this turn."""
        if self._readers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def is_due(self, fd: int) -> bool:
        """Whether there is something to be read that has not had its turn yet."""
        look = select.poll()  # an epoll cannot be asked for one of its many
        look.register(fd, select.POLLIN)
        return bool(look.poll(0))

    def _poll(self) -> None:
        readers = self._readers
        for fd, _ in self._epoll.poll(0, _AT_ONCE):
            reader = readers.get(fd)  # None: removed in this turn
            if reader is not None:
                reader()

    def close(self) -> None:
        """Watch nobody any more."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def cut_off(self) -> None:
        """In a forked child: what is registered is the parent's, and remains so."""
        self._readers.clear()
