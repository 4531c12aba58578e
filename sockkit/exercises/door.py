"""Who comes to the door of lesson 09: those with a token, and strangers; and how each fares."""

import contextlib
import select
from collections.abc import Callable
from typing import Any, NamedTuple

from sockkit.exercises.running import Failed, Running
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

TOKEN = "open sesame"
_SHORT = 0.3  # seconds that the answer's socket waits for those who fall silent, or leave
_LONG = 3.0  # for all others: longer than the check waits, so that nobody is refused by time alone
_PATIENCE = 1.0  # seconds that the check waits for an answer
_BOUND = 1024  # bytes of a line
_BEYOND = (1, 1, 14)  # bytes more: first few, so that none is unread when it closes


class Guest(NamedTuple):
    """Whoever has the token."""

    token: str
    sent: str  # how, in words
    then: str  # what to ask yourself if it goes wrong
    pieces: int = 1

    @property
    def parts(self) -> list[bytes]:
        """The line in pieces."""
        line = f"{self.token}\n".encode()
        size = -(-len(line) // self.pieces)
        return [line[start : start + size] for start in range(0, len(line), size)]


GUESTS = (
    Guest(TOKEN, "in one piece", "Which bytes do you compare with which?"),
    Guest(TOKEN, "in 3 pieces", "What is in your hands when only half of the line has come?", 3),
    Guest("swordfish", "this time `swordfish`", "Each call has a token of its own."),
    Guest("k" * 900, "this time of 900 letters", "How long may a line be?"),
)


class Stranger(NamedTuple):
    """Whoever has no token: what comes, in words and in bytes, and what the stranger does then."""

    what: str
    sends: bytes
    end: str = ""  # "", "silent", "closed" or "reset"

    @property
    def did(self) -> str:
        """What comes, and what follows: goes after "I"."""
        ends = {"silent": ", no newline, then nothing", "closed": " and closed"}
        return f"sent {self.what}{ends.get(self.end, '')}"


STRANGERS = (
    Stranger("another line", b"close sesame\n"),
    Stranger("the token without its last letter", TOKEN[:-1].encode() + b"\n"),
    Stranger("the token and one letter more", TOKEN.encode() + b"s\n"),
    Stranger("the token with blanks around it", b" " + TOKEN.encode() + b" \n"),
    Stranger("the token and a carriage return", TOKEN.encode() + b"\r\n"),
    Stranger("the token without its blank", TOKEN.replace(" ", "").encode() + b"\n"),
    Stranger("the token in capitals", TOKEN.upper().encode() + b"\n"),
    Stranger("an empty line", b"\n"),
    Stranger("letters that are not ASCII", "öpen sesame\n".encode()),
    Stranger("bytes that are no text", b"\xff\xfe\n"),
    Stranger("the token and a byte that is no text", TOKEN.encode() + b"\xff\n"),
    Stranger("two lines, and the second is the token", b"close\n" + TOKEN.encode() + b"\n"),
    Stranger("the token and one more letter", TOKEN.encode() + b"s", "silent"),
    Stranger("the token", TOKEN.encode(), "silent"),
    Stranger("half a line", TOKEN[:4].encode(), "closed"),
    Stranger("the token without a newline", TOKEN.encode(), "closed"),
    Stranger("nothing", b"", "closed"),
    Stranger("half a line and a reset", TOKEN[:4].encode(), "reset"),
)


class _Visit:
    """One call of the answer, and whoever is at the other end of its connection."""

    def __init__(self, trial: Trial, answer: Any, token: str, timeout: float) -> None:
        self._trial = trial
        trial.wire.clear()  # those before got what they should
        self.partner, self.theirs = trial.pair()
        self.theirs.settimeout(timeout)
        self.gone = False  # whether the visitor has reset the connection, and reads nothing
        self._begin: Callable[[], Running] = lambda: trial.start(answer, self.theirs, token)

    def begin(self) -> None:
        """Begin the call."""
        self.running = self._begin()

    def reset(self) -> None:
        """The visitor leaves the hard way."""
        self.gone = True
        self.partner.reset()

    @property
    def closed(self) -> bool:
        """Whether the answer has closed its socket."""
        return self.theirs.fileno() < 0

    def result(self, within: float, expected: str, then: str = "") -> Any:
        """What the answer returned; both sentences go with the verdict if it has not."""
        self._trial.waited_in_vain = False  # that it still runs is told here, and once
        try:
            return self.running.result(within, expected, then)
        except Failed:
            raise NotYet("", expected) from None

    def told(self, got: bytes, result: Any) -> str:
        """What came of it. Where a reset has swallowed the answer, nobody can say what it was."""
        returned = f"returned `{plain(repr(result), 40)}`"
        end = "closed the connection" if self.closed else "kept the connection open"
        if self.gone:
            return f"You {end} and {returned}."
        if result is False and not got and self.partner.ended == "reset":
            return (
                f"You {returned}. No answer of yours reached me: you closed while bytes of mine "
                "were unread, and that sends a reset."
            )
        answered = f"answered `{plain(got, 40)}`" if got else "answered nothing"
        if self.partner.ended and not self.closed:
            return f"You {answered} and {returned}. I read the end, but your socket is still open."
        return f"You {answered}, {end} and {returned}."

    def expect_refusal(
        self, sent: str, expected: str, then: str = "", surplus: bool = False
    ) -> None:
        """It reads `refused` and the end, and the answer says False and has closed.

        Args:
            sent: what it did, as a sentence.
            expected: goes with the verdict if the answer has no end.
            then: the same.
            surplus: it sent more than one need read, so that a reset may swallow the answer.
        """
        partner = self.partner
        got = b"" if self.gone else partner.receive_all(_PATIENCE)
        over = self.gone or bool(partner.ended)
        if partner.ended and not self.running.ended():
            partner.finish()  # who reads on until I close has said all that it should
        result = self.result(_PATIENCE if over else 0.1, expected, then)
        if TOKEN.encode() in got:
            saw = f"{sent} Your answer holds the token itself."
            raise NotYet(saw, "an answer that tells nothing.")
        swallowed = self.gone or (surplus and not got and partner.ended == "reset")
        if result is not False or not self.closed or not (got == b"refused\n" or swallowed):
            let_in = "You let me in. " if result is True else ""
            raise NotYet(
                f"{sent} {let_in}{self.told(got, result)}",
                "`refused\\n`, with its newline, the connection closed, and False.",
            )


def expect_welcome(trial: Trial, answer: Any, guest: Guest) -> None:
    """The guest reads `welcome`, and the answer says True and keeps the connection."""
    visit = _Visit(trial, answer, guest.token, _LONG)
    visit.begin()
    for part in guest.parts:
        with contextlib.suppress(NotYet):  # it has answered too early: told below
            visit.partner.send(part)
        if len(guest.parts) > 1:
            visit.running.ended(0.02)
    got = visit.partner.receive_line(_PATIENCE)
    sent = f"I sent the token, {guest.sent}."
    result = visit.result(_PATIENCE, f"{sent} I wait for your answer, and get it at once.")
    if got != b"welcome\n" or result is not True or visit.closed:
        raise NotYet(
            f"{sent} {visit.told(got, result)}",
            "`welcome\\n`, with its newline, True, and the connection stays open.",
            guest.then if not got.startswith(b"welcome") else _small(got, visit.closed),
        )


def _small(got: bytes, closed: bool) -> str:
    """What to ask where the guest is welcome, and something small is wrong."""
    if not got.endswith(b"\n"):
        return "What ends a line?"
    return "Whom you let in wants to go on talking." if closed else "What does your caller learn?"


def expect_refusal(trial: Trial, answer: Any, stranger: Stranger) -> None:
    """The stranger reads `refused` and the end, and the answer says False and has closed."""
    visit = _Visit(trial, answer, TOKEN, _SHORT if stranger.end else _LONG)
    if stranger.sends:
        visit.partner.send(stranger.sends)
    if stranger.end == "closed":
        visit.partner.finish()
    if stranger.end == "reset":
        visit.reset()
    visit.begin()
    when = "once the socket's time is over" if stranger.end == "silent" else "at once"
    then = "What does `recv` return when nothing more will come?"
    visit.expect_refusal(
        f"I {stranger.did}.",
        f"I {stranger.did}, and am refused {when}.",
        then if stranger.end == "closed" else "",
        surplus=stranger.sends.count(b"\n") > 1,
    )


def expect_bound(trial: Trial, answer: Any) -> None:
    """Somebody who sends and sends: the time-out of the socket never strikes."""
    visit = _Visit(trial, answer, TOKEN, _LONG)
    visit.begin()
    sent = 0
    for count in (_BOUND, *_BEYOND):
        if sent and select.select([visit.partner.socket], [], [], 0.01)[0]:
            break  # it has answered
        with contextlib.suppress(NotYet):  # it has hung up, as it should
            visit.partner.send(b"x" * count)
        sent += count
    visit.expect_refusal(
        f"I sent {sent:,} bytes without a newline.",
        f"who sends more than {_BOUND:,} bytes without a newline is refused.",
        f"I have sent {sent:,}. What do you keep of them, and until when?",
        surplus=True,
    )
