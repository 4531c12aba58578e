"""The token: what a client must say before a server gives it a number.

It is one line before everything else, whatever the framing is, so that it can also be typed:

    client:  TOKEN newline
    server:  "welcome" newline, or "refused" newline and the end

Without TLS a token travels as plain text; `Server` warns where that matters.
"""

import hmac
from typing import NamedTuple

from sockkit.errors import ProtocolError

WELCOME = b"welcome\n"
REFUSED = b"refused\n"
MAX_GREETING = 1024  # bytes; a token is short, and who sends more has not understood


class FirstLine(NamedTuple):
    """The first line that a peer sent, and the bytes that came with it."""

    line: bytes
    rest: bytes


class FirstLineDecoder:
    """Waits for one line, and hands on what follows untouched. It is fed until that line is there.

    Works on both sides: the server waits for the token, the client for the answer.
    """

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = b""

    @property
    def buffered(self) -> int:
        """Bytes of the line so far."""
        return len(self._begun)

    def feed(self, data: bytes) -> list[FirstLine]:
        """The first line once it is whole, as a list of one.

        Raises:
            ProtocolError: no newline where a token would long have ended.
        """
        self._begun += data
        line, newline, rest = self._begun.partition(b"\n")
        if len(line) > MAX_GREETING:
            raise ProtocolError(f"no newline in the first {MAX_GREETING} bytes")
        return [FirstLine(line, rest)] if newline else []


def greeting(token: str) -> bytes:
    """What a client with this token says first.

    Raises:
        ValueError: a token that is empty, too long, or holds a newline.
        TypeError: one that is no str.
    """
    if not isinstance(token, str):
        raise TypeError(f"a token is a str, not {type(token).__name__}")  # it is shown nowhere
    data = token.encode()
    if not data or b"\n" in data or len(data) > MAX_GREETING:
        raise ValueError(f"a token is one line of 1 to {MAX_GREETING} bytes")
    return data + b"\n"


def is_token(line: bytes, token: str) -> bool:
    """Whether this line is the token, in a time that tells nothing about where they differ."""
    return hmac.compare_digest(line, token.encode())
