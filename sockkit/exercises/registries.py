"""The kit's registry, where threads can meet at each access to its dict; and broken ones."""

from collections.abc import Mapping
from types import MappingProxyType

from sockkit.connection import Connection
from sockkit.errors import UnknownClient
from sockkit.exercises.shared import SharedDict
from sockkit.registry import Registry


class Kit(Registry):
    """The kit's own, every method as it is."""

    fault = ""
    ask = ""

    def __init__(self) -> None:
        super().__init__()
        self._clients = SharedDict()


class Live(Kit):
    """Its snapshot is none."""

    fault = "whose `snapshot` is a view of the living dict, and changes while somebody looks."
    ask = "What would you do with a snapshot, that fails if it changes meanwhile?"

    def snapshot(self) -> Mapping[int, Connection]:
        """The dict itself."""
        return MappingProxyType(self._clients)


class OneByOne(Kit):
    """It copies with a loop, during which a client may come or leave."""

    fault = "whose `snapshot` copies client by client, while the loop adds and removes."
    ask = "Does a thread of yours take a snapshot while another adds and removes?"

    def snapshot(self) -> Mapping[int, Connection]:
        """Copied in many steps."""
        return MappingProxyType({number: self._clients[number] for number in self._clients})


class LooksFirst(Kit):
    """It looks, then takes; a client may leave between the two."""

    fault = "whose `find` looks whether a number is there, and takes it a step later."
    ask = "Does a thread of yours look for a client that another one removes?"

    def find(self, number: int) -> Connection:
        """Check, then act."""
        if number not in self._clients:
            raise UnknownClient(f"no client with number {number!r} is connected")
        return self._clients[number]


BROKEN = (LooksFirst, OneByOne, Live)
