"""Why a connection ended, and what an observer is told.

`Reason` is the vocabulary for every end. The records are what `server.observe(callback)` hands to
its callback, on the server's own loop thread, in the order in which things happened. They are
immutable, so they may be passed to any thread. None is built unless somebody observes.
"""

from enum import StrEnum
from typing import Any, NamedTuple


class Reason(StrEnum):
    """Why a connection ended. Prints as its value, for example ``closed``."""

    CLOSED = "closed"  # the peer closed politely (FIN)
    RESET = "reset"  # the peer's side broke the connection (ECONNRESET; 10054 on Windows)
    TIMED_OUT = "timed out"  # nothing was heard for too long
    TOO_SLOW = "too slow"  # the peer took its messages too slowly: over Limits.max_pending
    PROTOCOL_ERROR = "protocol error"  # the peer sent what the framing does not allow
    REFUSED = "refused"  # never admitted: the server is full, or the token was wrong
    KICKED = "kicked"  # this server ended it: server.disconnect() or connection.close()
    SERVER_STOPPED = "server stopped"  # server.stop()
    HANDLER_ERROR = "handler error"  # a callback raised an exception for this client


Address = tuple[str, int]  # host and port


class Started(NamedTuple):
    """The server listens at `address`."""

    time: float  # seconds since the epoch, as in every record
    address: Address


class Connected(NamedTuple):
    """Client `number` is connected."""

    time: float
    number: int
    address: Address


class Received(NamedTuple):
    """One whole message came from client `number`."""

    time: float
    number: int
    message: Any


class Sent(NamedTuple):
    """One message was accepted for client `number`: in this server's hands, not yet in theirs."""

    time: float
    number: int
    message: Any


class Disconnected(NamedTuple):
    """Client `number` is gone, and why."""

    time: float
    number: int
    reason: Reason


class Refused(NamedTuple):
    """Somebody at `address` was turned away before a number was given."""

    time: float
    address: Address
    why: str


class Stopped(NamedTuple):
    """The server has stopped; every client has been told and closed."""

    time: float


Event = Started | Connected | Received | Sent | Disconnected | Refused | Stopped
