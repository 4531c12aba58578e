"""Who is connected: numbers that are never used again, and snapshots that never change.

Only the loop's thread adds and removes; any thread may look. That is safe without a lock because
`dict.copy`, `dict.get` and `len` are each one step of the interpreter (on free-threaded builds
`copy` holds the dict's own lock, the other two need none: docs.python.org/3/library/threadsafety).
Nothing here iterates over a dict that another thread may change.
"""

import itertools
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sockkit.channel import Channel
from sockkit.connection import Connection
from sockkit.errors import UnknownClient
from sockkit.events import Address


class Registry:
    """The connected clients of one server, in the order of their arrival."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._clients: dict[int, Connection] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def add(self, channel: Channel, address: Address) -> Connection:
        """Give the next number to a new client. The loop's thread only."""
        number = next(self._numbers)
        connection = self._clients[number] = Connection(channel, number, address)
        return connection

    def remove(self, number: int) -> None:
        """Forget a client that has left. The loop's thread only."""
        del self._clients[number]

    def clear(self) -> None:
        """Forget all clients, but not which numbers are used up. In a forked child."""
        self._clients.clear()

    def find(self, number: int) -> Connection:
        """The connected client with this number. Any thread.

        Raises:
            UnknownClient: it has left, or never came.
        """
        connection = self._clients.get(number)
        if connection is None:
            raise UnknownClient(f"no client with number {number!r} is connected")
        return connection

    def snapshot(self) -> Mapping[int, Connection]:
        """All clients as they are now; what happens later does not change it. Any thread."""
        return MappingProxyType(self._clients.copy())


def numbers_in(exclude: Iterable[int]) -> frozenset[int]:
    """The numbers of clients that `exclude` names.

    Raises:
        TypeError: something else is in it. It would match no number, and so exclude nobody.
    """
    given = tuple(exclude) if isinstance(exclude, Iterable) else None
    if given is not None and all(isinstance(number, int) for number in given):
        return frozenset(given)
    wrong = exclude if given is None else next(n for n in given if not isinstance(n, int))
    raise TypeError(f"exclude takes numbers (connection.number), not {wrong!r}")
