"""Lesson 02: a stream of bytes, and the messages in it."""

import select
import socket
from collections.abc import Callable, Sequence
from typing import Any

from sockkit.exercises.lesson import Lesson
from sockkit.exercises.solutions import nb02 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.framing import LengthPrefixed
from sockkit.text import plain

lesson = Lesson("02")
summary = lesson.summary

SIZES = (1, 5, 1024, 4096)  # bytes of one receive

# U+2028 separates lines in the eyes of str.splitlines, and of nobody else here.
_LINES = ["one", "two", "", "späte Gäste", "🐍", "x" * 5000, "a\u2028b", "a\rb", "\r", "last"]
_BLOBS = [b"one", b"", b"\n\n", b"\x00\x00\x00\x05", bytes(range(256)), b"x" * 5000, b"last", b""]


@lesson.exercise(
    solution=solutions.receive_text,
    hints=(
        "A character may need up to four bytes. Whoever cut the stream did not look.",
        "Bytes can be collected as they come; only a whole text can be decoded.",
        'Collect until `recv` returns `b""`, then `decode` once.',
    ),
)
def receive_text(trial: Trial, answer: Any) -> str:
    """Return the whole text that comes on `connection`, as a str, once the other side finishes."""
    text = "café, žluťoučký kůň, 🐍"
    data = text.encode()
    cuts = [data.index(b"\xa9"), data.index(b"\x9f") + 1, len(data)]
    partner, theirs = trial.pair()
    running = trial.start(answer, theirs)
    start = 0
    for cut in cuts:
        partner.send(data[start:cut])
        _wait_until_read(trial, theirs)
        start = cut
    partner.finish()
    got = running.result(expected="it returns once I have finished.")
    if isinstance(got, bytes | bytearray):
        raise NotYet("You returned bytes.", "a str.", "When is it safe to decode?")
    if not isinstance(got, str):
        raise NotYet(f"You returned {_shown(got)}.", "a str.", "What should whoever calls it get?")
    if got != text:
        then = "I cut in the middle of a character. What did you have of it when you decoded?"
        if text.startswith(got):
            then = "What had come by then, and is every character of it in what you return?"
        raise NotYet(
            f"I sent `{text}` in three pieces, and you returned {_shown(got)}.",
            "the same text.",
            then,
        )
    return "Two characters were cut in two, and you put them together again."


@lesson.exercise(
    solution=solutions.LineDecoder,
    hints=(
        "What comes after the last newline belongs to a message that is not whole yet. Keep it.",
        r"`(kept + data).split(b'\n')`: the last item is what to keep, be it empty or not.",
        "Decode a line when it is whole: bytes first, str at the end.",
    ),
)
def decoder(trial: Trial, answer: Any) -> str:
    """A class whose `feed(data)` returns the list of lines that are whole now, as str."""
    stream = "".join(line + "\n" for line in _LINES).encode()
    for size in SIZES:
        pieces = _received(trial, stream, size)
        _expect_messages(_LINES, _feed(trial, answer, pieces), size, pieces)
    first, second = _feed_two(trial, answer, [b"he", b"wor"], [b"llo\n", b"ld\n"])
    if (first, second) != (["hello"], ["world"]):
        raise NotYet(
            "I made two decoders, for two clients, and fed them in turn. "
            f"The first one returned {_shown(first)}, the second {_shown(second)}.",
            "['hello'] and ['world'].",
            "Where does yours keep a begun line: in the object, or in something that both share?",
        )
    return "The same messages for receives of 1, 5, 1024 and 4096 bytes."


@lesson.exercise(
    solution=solutions.BoundedDecoder,
    hints=(
        "Waiting for the newline is what the sender of an endless line hopes for.",
        "What is bounded is one line, not all that was ever fed.",
        "After each feed, look at every line that is whole, and at what you keep.",
    ),
)
def bounded(trial: Trial, answer: Any) -> str:
    """As before, made with a `limit`: a line of more bytes raises ValueError, as soon as seen."""
    limit = 100
    good = ["y" * limit, "short", "é" * (limit // 2)]
    stream = "".join(line + "\n" for line in good * 3).encode()
    for size in (len(stream), 7):
        pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
        _expect_messages(good * 3, _feed(trial, answer, pieces, limit), size, pieces)
    tries: list[tuple[str, list[bytes]]] = [
        (f"a whole line of {limit + 1} bytes", [b"z" * (limit + 1) + b"\n"]),
        (f"{limit + 1} bytes without a newline", [b"z" * 50, b"z" * (limit - 49)]),
        (
            f"a line of {limit + 2} bytes in {limit // 2 + 1} characters",
            ["é".encode() * 51 + b"\n"],
        ),
        ("a good line, then one that never ends", [b"good\n" + b"z" * 60, b"z" * 60]),
        (
            f"a short line and {limit + 1} bytes after it, in one feed",
            [b"good\n" + b"z" * (limit + 1)],
        ),
    ]
    for what, pieces in tries:
        error = trial.start(_feeder(answer, pieces, limit)).error()
        if error is None:
            raise NotYet(
                f"The limit was {limit} bytes. I fed {what}, and nothing was raised.",
                "ValueError.",
                "How much do you keep by now, and how much more would you keep?",
            )
        if not isinstance(error, ValueError) or isinstance(error, UnicodeError):
            raise NotYet(f"I fed {what}, and you raised {type(error).__name__}.", "ValueError.")
    return f"Lines of {limit} bytes pass; one byte more is refused before its newline comes."


@lesson.exercise(
    solution=solutions.Prefixed,
    hints=(
        "`len(message).to_bytes(4, 'big')` and `int.from_bytes(four, 'big')`.",
        "The four bytes of a length may come in four receives.",
        "Loop while a whole message is there: one receive may hold five.",
    ),
)
def prefixed(trial: Trial, answer: Any) -> str:
    """`encode(message)` puts the length before it, in 4 bytes, big end first; `feed` as before."""
    kit = LengthPrefixed()
    for blob in _BLOBS:
        written = trial.call(_encoder(answer, blob))
        if written != kit.encode(blob):
            then = "Which byte of the length comes first, and what does it count?"
            if not isinstance(written, bytes | bytearray):
                then = "Does `encode` return what it makes, and is that bytes?"
            saw = f"You encoded {_shown(blob)} as {_shown(written)}."
            raise NotYet(saw, f"{_shown(kit.encode(blob))}.", then)
    stream = b"".join(kit.encode(blob) for blob in _BLOBS)
    for size in SIZES:
        pieces = _received(trial, stream, size)
        _expect_messages(_BLOBS, _feed(trial, answer, pieces), size, pieces)
    return "Any bytes travel now, newlines too, whatever a receive holds."


def _received(trial: Trial, stream: bytes, size: int) -> list[bytes]:
    """The stream, after a real connection, in receives of at most `size` bytes."""
    partner, theirs = trial.pair(f"receives of {size}:")
    partner.send(stream)
    partner.finish()
    theirs.settimeout(trial.left(2.0))
    return list(iter(lambda: theirs.recv(size), b""))


def _wait_until_read(trial: Trial, sock: socket.socket) -> None:
    trial.wait(lambda: not select.select([sock], [], [], 0)[0])


def _feeder(answer: Any, pieces: Sequence[bytes], *made_with: Any) -> Callable[[], list[Any]]:
    """A call that makes a decoder of the answer and feeds it; lists of messages, piece by piece."""

    def feed() -> list[Any]:
        decoder = answer(*made_with)
        return [decoder.feed(piece) for piece in pieces]

    feed.__name__ = getattr(answer, "__name__", "answer")
    return feed


def _encoder(answer: Any, blob: bytes) -> Callable[[], Any]:
    def encode() -> Any:
        return answer().encode(blob)

    encode.__name__ = getattr(answer, "__name__", "answer")
    return encode


def _feed(trial: Trial, answer: Any, pieces: Sequence[bytes], *made_with: Any) -> list[Any]:
    """All messages that the answer finds in the pieces."""
    messages: list[Any] = []
    for found in trial.call(_feeder(answer, pieces, *made_with)):
        if not isinstance(found, list | tuple):
            raise NotYet(
                f"`feed` returned {_shown(found)}.",
                "a list of messages, with nothing in it while none is whole.",
                "Does `feed` return one on every way through it?",
            )
        messages += found
    return messages


def _feed_two(
    trial: Trial, answer: Any, begin: Sequence[bytes], end: Sequence[bytes]
) -> tuple[list[Any], list[Any]]:
    def feed() -> tuple[list[Any], list[Any]]:
        first, second = answer(), answer()
        one, two = list(first.feed(begin[0])), list(second.feed(begin[1]))
        return one + list(first.feed(end[0])), two + list(second.feed(end[1]))

    feed.__name__ = getattr(answer, "__name__", "answer")
    result: tuple[list[Any], list[Any]] = trial.call(feed)
    return result


def _expect_messages(
    expected: Sequence[Any], got: Sequence[Any], size: int, pieces: Sequence[bytes]
) -> None:
    for index, (want, have) in enumerate(zip(expected, got, strict=False)):
        if want == have:
            continue
        if isinstance(want, str) and isinstance(have, bytes | bytearray):
            raise NotYet(f"Message {index + 1} is bytes: {_shown(have)}.", "a str.")
        at = f"With receives of {_bytes(size)}, message {index + 1}"
        if [have] == list(expected[index + 1 : index + 2]):
            raise NotYet(
                f"{at} is missing: in its place came {_shown(have)}, the next one.",
                f"{_shown(want)}." + ("" if want else " An empty message is a message, too."),
                "In which receive did it become whole, and what did `feed` return for that one?",
            )
        raise NotYet(f"{at} came out as {_shown(have)}.", f"{_shown(want)}.", _why(want, have))
    if len(got) != len(expected):
        more = "more" if len(got) > len(expected) else "fewer"
        raise NotYet(
            f"With receives of {_bytes(size)} I sent {len(expected)} messages in {len(pieces)} "
            f"pieces, and you found {len(got)}: {more}.",
            "as many as I sent. An empty message is a message, half a one is none.",
            "What is in your hands when the data ends, and what do you do with it?",
        )


def _why(want: Any, have: Any) -> str:
    """The question that this wrong message asks for."""
    if not isinstance(have, type(want)):
        return "What do you put in your list?"
    if isinstance(want, str):
        if have == want + "\n":
            return "A newline ends a message. Is it a part of it?"
        if have == want.strip():
            return "What takes characters off? All but the newline belong to the message."
        if [have] in (want.splitlines()[:1], want.splitlines(keepends=True)[:1]):
            return "Which characters end a message? You have found one more than the newline."
    return "Which receive did it begin in, and what had you kept by then?"


def _bytes(count: int) -> str:
    return f"{count} byte{'' if count == 1 else 's'}"


def _shown(value: Any) -> str:
    return f"`{plain(repr(value), 60)}`"
