"""Every bound of a server or client in one frozen record, with the precedent for its default.

A bound that is `None`, where its type allows that, is not applied. Times are seconds, sizes are
bytes.
"""

from dataclasses import dataclass, fields
from types import NoneType
from typing import get_args


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one connection, and the server as a whole, may use up.

    Example:
        >>> Limits(max_clients=30, idle_timeout=300).max_clients
        30

    Raises:
        ValueError: a bound that is zero or negative.
        TypeError: a bound that is no number; or `None`, for a size or `linger`.
    """

    max_clients: int | None = None
    """Connected at the same time; one more is told so and closed. Unbounded as in asyncio."""

    max_message: int = 65_536
    """One message as it travels, without its newline or length. asyncio's `readline` stops here."""

    max_pending: int = 1_048_576
    """Bytes that may wait for one slow peer, give or take one message. InspIRCd's sample: 1 MiB."""

    idle_timeout: float | None = None
    """A client that says nothing for this long is `TIMED_OUT`. Off, as in most servers of lines."""

    message_timeout: float | None = 60.0
    """A begun message must be whole by then. nginx gives a request's header 60 s as well."""

    linger: float = 5.0
    """How long the last replies may take to leave after the end. nginx waits 5 s between reads."""

    keepalive: float | None = None
    """Silence after which the kernel probes the peer (TCP_KEEPIDLE, TCP_KEEPINTVL). Linux: 2 h."""

    user_timeout: float | None = None
    """How long the peer may leave data unacknowledged or unread (TCP_USER_TIMEOUT). Linux only."""

    rate: float | None = None
    """Messages a second from one client; faster ones are read no sooner. Off by default."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and NoneType in get_args(field.type):
                continue
            try:
                positive = value > 0  # nan is not, either
            except TypeError:
                kind = type(value).__name__
                raise TypeError(f"{field.name} must be a number, not {kind}") from None
            if not positive:
                raise ValueError(f"{field.name} must be more than 0; got {value!r}")
