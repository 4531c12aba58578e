"""Decoders of an answer, fed piece by piece, and compared with those of the kit."""

from collections.abc import Callable, Sequence
from typing import Any

from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.framing import Decoder
from sockkit.text import plain


def cut(stream: bytes, size: int) -> list[bytes]:
    """As receives of this size bring it."""
    return [stream[i : i + size] for i in range(0, len(stream), size)]


def feeder(answer: Any, pieces: Sequence[bytes], *made_with: Any) -> Callable[[], list[Any]]:
    """A call that makes a decoder of the answer and feeds it; what it returned, piece by piece."""

    def feed() -> list[Any]:
        decoder = answer(*made_with)
        return [_kept(decoder.feed(piece)) for piece in pieces]

    feed.__name__ = getattr(answer, "__name__", "answer")
    return feed


def _kept(found: Any) -> Any:
    """A list as it is now: the decoder may use it again."""
    return list(found) if isinstance(found, list | tuple) else found


def feed(trial: Trial, answer: Any, pieces: Sequence[bytes]) -> list[list[Any]]:
    """The messages that the answer finds, piece by piece."""
    return lists(trial.call(feeder(answer, pieces)))


def lists(fed: Sequence[Any]) -> list[list[Any]]:
    """What was returned, piece by piece, if each is a list."""
    for found in fed:
        if not isinstance(found, list):
            raise NotYet(
                f"`feed` returned {shown(found)}.",
                "a list of messages, with nothing in it while none is whole.",
                "Does `feed` return one on every way through it?"
                if found is None
                else f"You returned a `{type(found).__name__}`. What makes a list of it?",
            )
    return list(fed)


def expect_two_apart(
    trial: Trial, answer: Any, one: bytes, two: bytes, expected: tuple[Any, Any], *made_with: Any
) -> None:
    """Two decoders, each fed with the beginning of a message, and then with the rest."""

    def feed() -> list[Any]:
        first, second = answer(*made_with), answer(*made_with)
        turns = ((first, one[:2]), (second, two[:2]), (first, one[2:]), (second, two[2:]))
        return [_kept(decoder.feed(piece)) for decoder, piece in turns]

    feed.__name__ = getattr(answer, "__name__", "answer")
    found = lists(trial.call(feed))
    if (found[0] + found[2], found[1] + found[3]) != ([expected[0]], [expected[1]]):
        raise NotYet(
            "I made two decoders, for two clients, and fed them in turn. The first one returned "
            f"{shown(found[0] + found[2])}, the second {shown(found[1] + found[3])}.",
            f"`[{expected[0]!r}]` and `[{expected[1]!r}]`.",
            "Where does yours keep what has begun: in the object, or in something that both share?",
        )


def expect_messages(kit: Decoder, fed: Sequence[list[Any]], pieces: Sequence[bytes]) -> None:
    """The answer has found what a decoder of the kit finds in these pieces, and as early."""
    due = [kit.feed(piece) for piece in pieces]
    expected = [message for messages in due for message in messages]
    got = [message for messages in fed for message in messages]
    sized = f"With receives of {_counted(max(map(len, pieces)), 'byte')}"
    for index, (want, have) in enumerate(zip(expected, got, strict=False)):
        if want == have:
            continue
        if isinstance(want, str) and isinstance(have, bytes | bytearray):
            raise NotYet(f"Message {index + 1} is bytes: {shown(have)}.", "a str.")
        if isinstance(want, bytes) and isinstance(have, str):
            raise NotYet(f"Message {index + 1} is a str: {shown(have)}.", "bytes.")
        at = f"{sized}, message {index + 1}"
        if [have] == list(expected[index + 1 : index + 2]):
            raise NotYet(
                f"{at} is missing: in its place came {shown(have)}, the next one.",
                f"{shown(want)}." + ("" if want else " An empty message is a message, too."),
                "In which receive did it become whole, and what did `feed` return for that one?",
            )
        wanted, came = apart(want, have)
        raise NotYet(f"{at} came out as {came}.", f"{wanted}.", _why(want, have))
    if len(got) != len(expected):
        more = "more" if len(got) > len(expected) else "fewer"
        raise NotYet(
            f"{sized} I sent {_counted(len(expected), 'message')} in "
            f"{_counted(len(pieces), 'piece')}, and you found {len(got)}: {more}.",
            "as many as I sent. An empty message is a message, half a one is none.",
            "What is in your hands when the data ends, and what do you do with it?",
        )
    for piece, now, found in zip(pieces, due, fed, strict=True):
        if found != now:
            raise NotYet(
                f"{sized} I fed {shown(piece)}, and you returned {shown(found)}.",
                f"{shown(now)}.",
                "What was whole by then, and what did you wait for?",
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
        if not want.isascii():
            return "Which bytes did you decode, and as what? A character may have several."
    return "Which receive did it begin in, and what had you kept by then?"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def shown(value: Any) -> str:
    """As code, and not much of it."""
    return f"`{plain(repr(value), 60)}`"


def apart(*values: Any) -> list[str]:
    """Each as it is shown; where that looks the same, with its length."""
    texts = [shown(value) for value in values]
    if len(set(texts)) == len(texts):
        return texts
    unit = "characters" if isinstance(values[0], str) else "bytes"
    return [f"{text} ({len(value):,} {unit})" for text, value in zip(texts, values, strict=True)]
