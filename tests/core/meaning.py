"""What a stream of bytes means, written a second time, in the plainest way, over all of it at once.

Every decoder, fed any pieces of the stream, must agree. The tests of framings and the fuzzing of
the whole server hold the kit against this.
"""

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

from sockkit.errors import MessageTooLarge, ProtocolError
from sockkit.framing import Decoder


class Meaning(NamedTuple):
    """What a stream of bytes says: whole messages, and the fault after them, if there is one."""

    messages: list[Any]
    fault: type[ProtocolError] | None


def lines_of(stream: bytes, encoding: str, max_message: int) -> Meaning:
    messages: list[str] = []
    *whole, begun = stream.split(b"\n")
    for line in whole:
        if len(line) > max_message:
            return Meaning(messages, MessageTooLarge)
        try:
            messages.append(line.decode(encoding))
        except UnicodeDecodeError:
            return Meaning(messages, ProtocolError)
    return Meaning(messages, MessageTooLarge if len(begun) > max_message else None)


def lengths_of(stream: bytes, max_message: int) -> Meaning:
    messages: list[bytes] = []
    while len(stream) >= 4:
        size = int.from_bytes(stream[:4], "big")
        if size > max_message:
            return Meaning(messages, MessageTooLarge)
        if len(stream) < 4 + size:
            break
        messages.append(stream[4 : 4 + size])
        stream = stream[4 + size :]
    return Meaning(messages, None)


def meaning(decoder: Decoder, pieces: Iterable[bytes]) -> Meaning:
    """What a decoder says, fed these pieces. After a fault it must say nothing new."""
    messages: list[Any] = []
    faults: list[type[ProtocolError]] = []
    for piece in pieces:
        try:
            messages += decoder.feed(piece)
        except ProtocolError as error:
            faults.append(type(error))
            messages += error.messages
        else:
            assert not faults
    assert len(set(faults)) <= 1
    return Meaning(messages, faults[0] if faults else None)


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    """The stream in pieces; any numbers will do as places."""
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(edges)]


def one_by_one(stream: bytes) -> list[bytes]:
    return [stream[index : index + 1] for index in range(len(stream))]
