"""Bytes in, messages out: how a stream of bytes is cut into messages. No sockets in here.

TCP carries bytes, not messages: one receive may hold half a message, or five and a half. A framing
is the agreement that finds the edges again. It has two halves:

    framing.encode(message) -> bytes            what travels
    framing.decoder()       -> Decoder          one for each connection, since it remembers

    decoder.feed(data)      -> list of messages those that are whole now, in order
    decoder.buffered        -> int              bytes of a message that is not whole yet

For every way of cutting the bytes, the messages are the same: that is the whole point, and the
tests try it with any cut. Your own framing needs `encode`, `decoder` and `feed`; `decoder` may take
`max_message`, and a decoder with `buffered` gets the server's `message_timeout` as well.
"""

import codecs
import functools
import inspect
from collections.abc import Callable
from io import BytesIO
from typing import Any, NoReturn, Protocol

from sockkit.errors import MessageTooLarge, ProtocolError
from sockkit.limits import Limits

_MAX_MESSAGE = Limits.max_message
_LONG = 512  # bytes of a line, from which on cutting bytes is faster than cutting text
_ASCII = bytes(range(128))
_WITHOUT_ESCAPES = frozenset({"ascii", "cp1252", "iso8859-1", "utf-8"})


class Decoder(Protocol):
    """Cuts one connection's bytes into messages. Not for use by several threads at once."""

    def feed(self, data: bytes) -> list[Any]:
        """Take the next bytes; return the messages that are complete now.

        Raises:
            ProtocolError: these bytes can't be a message. Its `messages` came before the fault.
                The stream has no edges any more: every later feed raises as well.

        Whatever else it raises ends the connection too, and is an error in the log: see `foreign`.
        """


class Framing(Protocol):
    """How messages are written as bytes, and found in them again."""

    def encode(self, message: Any) -> bytes:
        """The bytes that carry this message.

        Raises:
            TypeError: not the type of message that this framing carries.
            ProtocolError: this message can't be written in this framing.
        """

    def decoder(self) -> Decoder:
        """A new decoder, for one connection."""


class Lines:
    r"""Text messages, each ended by a newline: what you type with `nc` or `telnet`.

    Args:
        encoding: any encoding in which ASCII is itself, such as utf-8 or latin-1.

    Example:
        >>> decoder = Lines().decoder()
        >>> decoder.feed(b"hel"), decoder.feed(b"lo\nworld\n")
        ([], ['hello', 'world'])

    Raises:
        ValueError: an encoding whose newline may hide in another character (utf-16, utf-7).
        LookupError: no such encoding.
    """

    def __init__(self, encoding: str = "utf-8") -> None:
        if _ASCII.decode("ascii").encode(encoding) != _ASCII:
            raise ValueError(f"Lines needs an encoding that contains ASCII; {encoding} does not")
        self.encoding = encoding

    def encode(self, message: str) -> bytes:
        """The text and a newline.

        Raises:
            TypeError: not a str.
            ProtocolError: the text holds a newline, or a character the encoding does not have.
        """
        try:
            if "\n" in message:
                raise ProtocolError("a line cannot hold a newline: send one message for each line")
            return (message + "\n").encode(self.encoding)
        except UnicodeEncodeError as error:
            raise ProtocolError(f"{self.encoding} cannot write this text: {error.reason}") from None
        except (TypeError, AttributeError):  # rather than a look at every type: that would cost
            raise _of_another_type(message, "Lines carries str") from None

    def decoder(self, max_message: int = _MAX_MESSAGE) -> "LineDecoder":
        """A decoder that refuses lines of more than `max_message` bytes."""
        return LineDecoder(self.encoding, max_message)

    def __repr__(self) -> str:
        return f"Lines({self.encoding!r})"


class _Stops:
    """What both decoders do with a fault: tell it now, with what was good, and ever after."""

    __slots__ = ("_buffer", "_fault", "buffered")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._fault: ProtocolError | None = None
        self.buffered = 0  # bytes of a message that is not whole yet; asked for at each receive

    def _stop(self, fault: ProtocolError) -> NoReturn:
        self._fault = type(fault)(str(fault))
        self._buffer.clear()
        self.buffered = 0
        raise fault from None


class LineDecoder(_Stops):
    """Finds lines: all that are whole are decoded and cut in one go.

    That is a decision made for speed: decoding sixteen short lines at once and splitting the str
    takes a third of the time of doing it line by line. Where the first line is long, they are cut
    first: `split` looks at each character, `BytesIO` leaps to the next newline (memchr), which is
    worth a third at 1 KiB. One by one is for the rare cases only: a fault, and encodings with
    escapes (iso2022_jp), whose effect may reach beyond a newline.
    """

    __slots__ = ("_at_once", "_encoding", "_max")

    def __init__(self, encoding: str, max_message: int) -> None:
        super().__init__()
        self._encoding = encoding
        self._max = max_message
        # Bytes that may be decoded in one go; none of them can be a line that is too long.
        self._at_once = max_message if codecs.lookup(encoding).name in _WITHOUT_ESCAPES else -1

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now, without their newlines.

        Raises:
            MessageTooLarge: a line, whole or not, is longer than the limit.
            ProtocolError: a line is not text in this encoding.
        """
        if self._fault:
            raise self._fault.with_traceback(None)  # or it would keep all the data ever fed
        lines: list[str] = []
        whole, newline, rest = data.rpartition(b"\n")
        if newline:
            if self.buffered:
                whole = bytes(self._buffer) + whole
                self._buffer.clear()
                self.buffered = 0
            size = len(whole)
            try:
                if size > self._at_once:
                    lines = self._cut_one_by_one(whole)
                elif size < _LONG or 0 <= whole.find(b"\n") < _LONG:
                    lines = whole.decode(self._encoding).split("\n")
                else:  # `split` walks through long lines, `BytesIO` leaps
                    cut = BytesIO(whole + b"\n")
                    lines = [line.rstrip(b"\n").decode(self._encoding) for line in cut]
            except UnicodeDecodeError:  # one of them is bad: keep those before it
                lines = self._cut_one_by_one(whole)
        if rest:
            self._buffer += rest
            self.buffered = len(self._buffer)
            if self.buffered > self._max:
                self._stop(self._too_large(lines))
        return lines

    def _cut_one_by_one(self, whole: bytes) -> list[str]:
        lines: list[str] = []
        for line in whole.split(b"\n"):
            if len(line) > self._max:
                self._stop(self._too_large(lines))
            try:
                lines.append(line.decode(self._encoding))
            except UnicodeDecodeError as error:
                text = f"byte {error.start} of a line is not {self._encoding}: {error.reason}"
                self._stop(ProtocolError(text, lines))
        return lines

    def _too_large(self, lines: list[str]) -> MessageTooLarge:
        return MessageTooLarge(f"a line of more than {self._max} bytes", lines)


class LengthPrefixed:
    r"""Messages of any bytes, each after its length: four bytes, the most significant first.

    Example:
        >>> LengthPrefixed().encode(b"hi")
        b'\x00\x00\x00\x02hi'
    """

    def encode(self, message: bytes) -> bytes:
        """The length and the bytes.

        Raises:
            TypeError: not bytes, bytearray or memoryview.
            ProtocolError: 4 GiB or more, which four bytes can't count.
        """
        data = _as_bytes(message, self)
        if len(data) >= 1 << 32:
            raise ProtocolError("a length of four bytes ends below 4 GiB")
        return len(data).to_bytes(4, "big") + data

    def decoder(self, max_message: int = _MAX_MESSAGE) -> "LengthDecoder":
        """A decoder that refuses lengths of more than `max_message`, before their bytes come."""
        return LengthDecoder(max_message)

    def __repr__(self) -> str:
        return "LengthPrefixed()"


class LengthDecoder(_Stops):
    """Reads a length, waits for that many bytes, and starts again."""

    __slots__ = ("_max",)

    def __init__(self, max_message: int) -> None:
        super().__init__()
        self._max = max_message

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now.

        Raises:
            MessageTooLarge: a length says more than the limit.
        """
        if self._fault:
            raise self._fault.with_traceback(None)  # or it would keep all the data ever fed
        buffer = self._buffer
        buffer += data
        messages: list[bytes] = []
        start = 0
        while len(buffer) - start >= 4:
            size = int.from_bytes(buffer[start : start + 4], "big")
            if size > self._max:
                text = f"a message of {size} bytes; the limit is {self._max}"
                self._stop(MessageTooLarge(text, messages))
            end = start + 4 + size
            if end > len(buffer):
                break
            messages.append(bytes(buffer[start + 4 : end]))
            start = end
        del buffer[:start]
        self.buffered = len(buffer)
        return messages


class Raw:
    """No edges at all: bytes as they arrive. What a receive returns is nobody's promise."""

    def encode(self, message: bytes) -> bytes:
        """The bytes themselves.

        Raises:
            TypeError: not bytes, bytearray or memoryview.
        """
        return _as_bytes(message, self)

    def decoder(self) -> "RawDecoder":
        """A decoder that remembers nothing."""
        return RawDecoder()

    def __repr__(self) -> str:
        return "Raw()"


class RawDecoder:
    """Every piece of data is a message."""

    __slots__ = ()

    buffered = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The data, as a list of one; nothing for no data."""
        return [data] if data else []


def decoder_factory(framing: Framing, max_message: int) -> Callable[[], Decoder]:
    """How a server makes decoders: with its bound, if this framing's decoders can take one.

    Raises:
        TypeError: not a framing.
    """
    if isinstance(framing, type) or not hasattr(framing, "decoder"):
        raise TypeError(f"a framing is an object such as Lines(); this is {framing!r}")
    if "max_message" in inspect.signature(framing.decoder).parameters:
        return functools.partial(framing.decoder, max_message=max_message)  # type: ignore[call-arg]
    return framing.decoder


def _as_bytes(message: object, framing: Framing) -> bytes:
    if isinstance(message, bytes | bytearray | memoryview):
        return bytes(message)
    raise _of_another_type(message, f"{framing!r} carries bytes")


def _of_another_type(message: object, carries: str) -> TypeError:
    then = ": encode text first" if isinstance(message, str) else ""
    if isinstance(message, bytes | bytearray):
        then = ": decode bytes first"
    return TypeError(f"{carries}, not {type(message).__name__}{then}")
