"""What is fuzzed: each target takes any bytes, and raises if the kit does what it must not do."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest import mock

from sockkit import framing
from sockkit.framing import LengthPrefixed, Lines, Raw

from ..core.meaning import Meaning, cut, lengths_of, lines_of, meaning, one_by_one
from .script import read
from .world import Worlds

ENCODINGS = ("utf-8", "ascii", "latin-1", "cp1252", "gb18030", "shift_jis", "euc_kr", "iso2022_jp")
LONG = 4  # bytes of a line that is taken for a long one, for half of the inputs
HEADER = 4  # bytes of a length
MOST_CUTS = 8

Play = Callable[[bytes], None]


class Bounded:
    """A decoder that is looked at after each feed: it never holds more than one message."""

    def __init__(self, decoder: Any, most: int) -> None:
        self._decoder = decoder
        self._most = most

    def feed(self, data: bytes) -> list[Any]:
        try:
            messages: list[Any] = self._decoder.feed(data)
        finally:
            assert getattr(self._decoder, "buffered", 0) <= self._most
        return messages


def lines(data: bytes) -> None:
    """Lines, in any encoding and with any bound, however they are cut."""
    encoding = ENCODINGS[_byte(data, 0) % len(ENCODINGS)]
    long = LONG if _byte(data, 0) < 128 else framing._LONG
    most, stream, pieces = _cut(data)
    expected = lines_of(stream, encoding, most)
    with mock.patch.object(framing, "_LONG", long):
        for split in ([stream], pieces, one_by_one(stream)):
            decoder = Bounded(Lines(encoding).decoder(most), most)
            assert meaning(decoder, split) == expected, (encoding, most, split)


def lengths(data: bytes) -> None:
    """Messages after their lengths, with any bound, however they are cut."""
    most, stream, pieces = _cut(data)
    expected = lengths_of(stream, most)
    for split in ([stream], pieces, one_by_one(stream)):
        decoder = Bounded(LengthPrefixed().decoder(most), HEADER + most)
        assert meaning(decoder, split) == expected, (most, split)


def raw(data: bytes) -> None:
    """Bytes as they come."""
    _, stream, pieces = _cut(data)
    for split in ([stream], pieces, one_by_one(stream)):
        expected = Meaning([piece for piece in split if piece], None)
        assert meaning(Raw().decoder(), split) == expected, split


def _cut(data: bytes) -> tuple[int, bytes, list[bytes]]:
    """The bound, the stream, and the pieces that these bytes stand for."""
    count = _byte(data, 2) % MOST_CUTS
    places, stream = data[3 : 3 + count], data[3 + count :]
    return 1 + _byte(data, 1) % 32, stream, cut(stream, places)


def _byte(data: bytes, index: int) -> int:
    return data[index] if index < len(data) else 0


# What a target is played in, and how an input of it is shown to people.
TARGETS: dict[str, Callable[[], AbstractContextManager[Play]]] = {
    "lines": lambda: nullcontext(lines),
    "lengths": lambda: nullcontext(lengths),
    "raw": lambda: nullcontext(raw),
    "server": Worlds,
}


def shown(name: str, data: bytes) -> str:
    """An input in words."""
    return str(read(data)) if name == "server" else repr(_cut(data))
