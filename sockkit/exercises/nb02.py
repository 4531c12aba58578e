"""Lesson 02: a stream of bytes, and the messages in it."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sockkit.exercises.feeding import (
    apart,
    cut,
    expect_messages,
    expect_two_apart,
    feed,
    feeder,
    lists,
    shown,
)
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.running import Failed
from sockkit.exercises.solutions import nb02 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import named
from sockkit.framing import LengthPrefixed, Lines

lesson = Lesson("02")
summary = lesson.summary

SIZES = (1, 5, 1024, 4096)  # bytes of one receive

_TEXT = "café,\nžluťoučký kůň, 🐍" + "🐍 " * 2000 + "\n"  # more than one receive of any usual size

# U+2028 separates lines in the eyes of str.splitlines, and of nobody else here.
_LINES = ["one", "two", "", "späte Gäste", "🐍", "x" * 5000, "a\u2028b", "a\rb", "\r", "last"]
_BLOBS = [b"one", b"", b"\n\n", b"\x00\x00\x00\x05", bytes(range(256)), b"x" * 5000, b"last", b""]
_LARGE = b"x" * 70_000  # its length needs three of the four bytes


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
    data = _TEXT.encode()
    snake = data.index("🐍".encode())
    cuts = [data.index(b"\xa9"), data.index(b"\n") + 1, snake + 2, snake + 4]
    partner, theirs = trial.pair()
    running = trial.start(answer, theirs)
    for start, end in itertools.pairwise([0, *cuts]):
        partner.send(data[start:end])
        trial.wait_until_read(theirs)
    if running.ended(trial.silence()):
        raise NotYet(
            f"I had not finished, but you returned {shown(running.result())}.",
            "you go on until I have finished.",
            "What tells you that nothing more comes?",
        )
    partner.send(data[cuts[-1] :])
    partner.finish()
    got = running.result(expected="it returns once I have finished.")
    if isinstance(got, bytes | bytearray):
        raise NotYet("You returned bytes.", "a str.", "When is it safe to decode?")
    if type(got) is not str:  # one of a type that is derived may call itself equal to anything
        raise NotYet(f"You returned {shown(got)}.", "a str.", "What should whoever calls it get?")
    if got != _TEXT:
        then = "I cut in the middle of a character. What did you have of it when you decoded?"
        if _TEXT.startswith(got[:4]):
            then = "What had come by then, and is every character of it in what you return?"
        sent, returned = apart(_TEXT, got)
        raise NotYet(f"I sent {sent}, and you returned {returned}.", "the same text.", then)
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
    for size in SIZES:
        pieces = _received(trial, _written(_LINES), size)
        expect_messages(Lines().decoder(), feed(trial, answer, pieces), pieces)
    expect_two_apart(trial, answer, b"hello\n", b"world\n", ("hello", "world"))
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
    for limit in (100, 20):
        for what, pieces in _allowed(limit):
            _expect_passed(trial, answer, limit, what, pieces)
    what, pieces = "lines of at most 5000 bytes", cut(_written(_LINES), 1024)
    _expect_passed(trial, answer, 6000, what, pieces)
    expect_two_apart(trial, answer, b"hello\n", b"world\n", ("hello", "world"), 100)
    for limit in (100, 20):
        for what, pieces in _too_long(limit):
            _expect_refused(trial, answer, limit, what, pieces)
    return "Lines of `limit` bytes pass; one byte more is refused before its newline comes."


@lesson.exercise(
    solution=solutions.Prefixed,
    hints=(
        "`len(message).to_bytes(4, 'big')` and `int.from_bytes(four, 'big')`.",
        "The four bytes of a length may come in four receives.",
        "Loop while a whole message is there: one receive may hold five.",
    ),
)
def prefixed(trial: Trial, answer: Any) -> str:
    """`encode(message)` puts 4 bytes of length before it, big end first; `feed` returns bytes."""
    kit = LengthPrefixed()
    for blob in [*_BLOBS, _LARGE]:
        written = trial.call(_encoder(answer, blob))
        if written != kit.encode(blob):
            then = "Which byte of the length comes first, and what does it count?"
            if not isinstance(written, bytes | bytearray):
                then = "Does `encode` return what it makes, and is that bytes?"
            want, have = apart(kit.encode(blob), written)
            raise NotYet(f"You encoded {shown(blob)} as {have}.", f"{want}.", then)
    hello, world = kit.encode(b"hello"), kit.encode(b"world")
    large = cut(kit.encode(_LARGE) + hello, 4096)
    stream = b"".join(kit.encode(blob) for blob in _BLOBS)
    in_receives = (_received(trial, stream, size) for size in SIZES)
    for pieces in ([hello], *in_receives, large):
        decoder = kit.decoder(max_message=len(_LARGE))
        expect_messages(decoder, feed(trial, answer, pieces), pieces)
    expect_two_apart(trial, answer, hello, world, (b"hello", b"world"))
    return "Any bytes travel now, newlines too, whatever a receive holds."


def _written(lines: Sequence[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


def _allowed(limit: int) -> Iterator[tuple[str, list[bytes]]]:
    """What a decoder with this limit must take, and in which pieces."""
    line = b"y" * limit
    yield f"a line of exactly {limit} bytes", [line + b"\n"]
    yield f"a line of exactly {limit} bytes, and then its newline", [line, b"\n"]
    stream = (line + b"\nshort\n" + "é".encode() * (limit // 2) + b"\n") * 3
    yield f"many lines of at most {limit} bytes, in one receive", [stream]
    yield f"many lines of at most {limit} bytes, in receives of 7", cut(stream, 7)


def _too_long(limit: int) -> Iterator[tuple[str, list[bytes]]]:
    """What it must refuse, at the last piece or before."""
    long, half, wide = b"z" * (limit + 1), b"z" * (limit // 2 + 1), "é".encode() * (limit // 2 + 1)
    characters = f"{limit // 2 + 1} characters"
    yield f"a whole line of {limit + 1} bytes", [long + b"\n"]
    yield f"{limit + 1} bytes without a newline", [half, long[len(half) :]]
    yield f"a line of {limit + 2} bytes in {characters}", [wide + b"\n"]
    yield f"{limit + 2} bytes without a newline, in {characters}", [wide]
    yield "a good line, then one that never ends", [b"good\n" + half, half]
    yield f"a short line and {limit + 1} bytes after it, in one feed", [b"good\n" + long]
    between = b"good\n" + long + b"\ngood\n"
    yield f"a line of {limit + 1} bytes between two good ones, in one feed", [between]


def _expect_passed(
    trial: Trial, answer: Any, limit: int, what: str, pieces: Sequence[bytes]
) -> None:
    running = trial.start(feeder(answer, pieces, limit))
    error = running.error()
    if isinstance(error, ValueError) and not isinstance(error, UnicodeError):
        raise NotYet(
            f"The limit was {limit} bytes. I fed {what}, and you raised {named(error)}.",
            "the lines, and no error.",
            "What do you count, and which number is the first that is too many?",
        )
    if error is not None:
        running.judged = False
        raise Failed
    expect_messages(Lines().decoder(), lists(running.result()), pieces)


def _expect_refused(
    trial: Trial, answer: Any, limit: int, what: str, pieces: Sequence[bytes]
) -> None:
    error = trial.start(feeder(answer, pieces, limit)).error()
    if error is None:
        then = "How much do you keep by now, and how much more would you keep?"
        if pieces[-1].endswith(b"\n"):
            then = "Which lines do you look at, and what do you count?"
        raise NotYet(
            f"The limit was {limit} bytes. I fed {what}, and nothing was raised.",
            "ValueError.",
            then,
        )
    if not isinstance(error, ValueError) or isinstance(error, UnicodeError):
        raise NotYet(f"I fed {what}, and you raised {named(error)}.", "ValueError.")


def _received(trial: Trial, stream: bytes, size: int) -> list[bytes]:
    """The stream, after a real connection, in receives of at most `size` bytes."""
    partner, theirs = trial.pair(f"receives of {size}:")
    partner.send(stream)
    partner.finish()
    theirs.settimeout(trial.left(2.0))
    return list(iter(lambda: theirs.recv(size), b""))


def _encoder(answer: Any, blob: bytes) -> Callable[[], Any]:
    def encode() -> Any:
        return answer().encode(blob)

    encode.__name__ = getattr(answer, "__name__", "answer")
    return encode
