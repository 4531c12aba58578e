"""Everything that can go wrong, as one tree of exceptions.

    SockkitError
    ├── ClosedError             you closed it (or never started it)
    ├── ConnectionLost          the other side is gone; .reason says how   (also a ConnectionError)
    ├── UnknownClient           no client with that number is connected    (also a LookupError)
    ├── ProtocolError           bytes or a message that the framing does not allow
    │   └── MessageTooLarge     longer than Limits.max_message
    ├── BufferFull              more waits to be sent than Limits.max_pending allows
    └── AuthenticationError     the server did not accept the token

Two words divide the tree, as in trio: *closed* is what you did, *lost* is what happened to you.
What the operating system refuses at the start (a port in use, an unknown host) stays an `OSError`.
Any module may raise these; none of them needs a socket to be understood.
"""

from collections.abc import Sequence
from typing import Any

from sockkit.events import Reason


class SockkitError(Exception):
    """Base of every error of the kit."""


class ClosedError(SockkitError):
    """The server, client or connection was closed on this side, or was never opened."""


class ConnectionLost(SockkitError, ConnectionError):
    """The connection has ended; `reason` says how.

    Attributes:
        reason: the `Reason` for the end.
    """

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(message or f"the connection has ended: {reason}")
        self.reason = reason


class UnknownClient(SockkitError, LookupError):
    """No client with this number is connected: it has left, or never came."""


class ProtocolError(SockkitError):
    """Bytes that are no message in this framing, or a message that has no form in it.

    Attributes:
        messages: the complete messages that stood before the fault in the same piece of data.
            They are good, and whoever feeds a decoder should still use them.
    """

    def __init__(self, text: str, messages: Sequence[Any] = ()) -> None:
        super().__init__(text)
        self.messages = list(messages)


class MessageTooLarge(ProtocolError):
    """A message is longer than the limit; it is refused before it is buffered."""


class BufferFull(SockkitError):
    """The message was not accepted: too many bytes already wait for a slow peer."""


class AuthenticationError(SockkitError):
    """The server did not accept the token."""
