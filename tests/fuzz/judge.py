"""What must be true of every story, whatever the script was."""

from typing import Any

from sockkit import LengthPrefixed, Lines
from sockkit.events import Reason

from ..core.meaning import Meaning, lengths_of, lines_of
from .script import LIMITS, LONGEST, READ, TOKEN, Script

HEADER = 4  # bytes of a length


def judge(script: Script, story: Any) -> None:
    """Hold a story against what it must be."""
    admitted, payload = admission(script.setting.token, story.said)
    if story.connects == 0:
        assert script.setting.token is not None
        assert (story.messages, story.ends, story.raised) == ([], [], 0)
        assert b"refused\n".startswith(story.end.told)
        late = story.seconds >= LIMITS.message_timeout
        assert not admitted or late or story.finish == "reset"
        return
    assert admitted
    assert (story.connects, len(story.ends)) == (1, 1)
    expected = meaning_of(script.setting.framing, payload)
    judge_messages(script, story, expected, payload)
    judge_end(story, expected)
    judge_answers(script, story)
    judge_memory(story)


def admission(token: str | None, said: bytes) -> tuple[bool, bytes]:
    """Whether these bytes open the door, and what is left of them after it."""
    if token is None:
        return True, said
    line, newline, rest = said.partition(b"\n")
    return bool(newline) and line == token.encode(), rest


def meaning_of(framing: Any, payload: bytes) -> Meaning:
    """The reference: what these bytes mean, taken all at once."""
    if isinstance(framing, Lines):
        return lines_of(payload, framing.encoding, LONGEST)
    if isinstance(framing, LengthPrefixed):
        return lengths_of(payload, LONGEST)
    return Meaning([payload] if payload else [], None)


def judge_messages(script: Script, story: Any, expected: Meaning, payload: bytes) -> None:
    """What came are the messages of the reference, in order; all of them, if nobody cut it off."""
    [reason] = story.ends
    complete = reason in (Reason.CLOSED, Reason.PROTOCOL_ERROR)
    if type(script.setting.framing).__name__ == "Raw":
        came, meant = b"".join(story.messages), payload
        assert all(0 < len(piece) <= READ for piece in story.messages)
    else:
        came, meant = story.messages, expected.messages
    assert came == (meant if complete else meant[: len(came)])


def judge_end(story: Any, expected: Meaning) -> None:
    """The reason is one that something in the script brought about."""
    [reason] = story.ends
    possible = {
        Reason.CLOSED: story.finish in ("fin", "vanish"),
        Reason.RESET: story.finish == "reset",
        Reason.PROTOCOL_ERROR: expected.fault is not None,
        Reason.KICKED: story.kicked,
        Reason.HANDLER_ERROR: story.raised == 1,
        Reason.TIMED_OUT: story.seconds >= LIMITS.message_timeout,
        Reason.TOO_SLOW: story.narrow,
    }
    assert possible.get(reason, False), reason
    assert story.raised <= 1
    assert reason is not Reason.CLOSED or expected.fault is None or story.finish == "vanish"


def judge_answers(script: Script, story: Any) -> None:
    """The peer got what was accepted for it, in order; all of it, if it took what came."""
    [reason] = story.ends
    accepted = b"".join(story.accepted)
    if script.setting.token == TOKEN:
        accepted = b"welcome\n" + accepted
    told = bytes(story.end.told)
    if story.finish == "fin" and not story.narrow:
        assert told == accepted
        assert reason is Reason.TIMED_OUT or story.end.ended == "fin"
    else:
        assert accepted.startswith(told)


def judge_memory(story: Any) -> None:
    """No more is held of a peer than one message and one receive, and for it than its bound."""
    largest = max(map(len, story.accepted), default=0)
    assert story.held <= HEADER + LONGEST + 2 * READ
    assert story.pending <= LIMITS.max_pending + largest + len(b"welcome\n")
