"""Who comes to the door of lesson 09: the token, what strangers say instead, and how each fares."""

import contextlib
import socket
from typing import Any

from sockkit.exercises.partner import Partner
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

TOKEN = "open sesame"

WRONG = {
    "another line": b"close sesame\n",
    "the token without its last letter": TOKEN[:-1].encode() + b"\n",
    "the token and one letter more": TOKEN.encode() + b"s\n",
    "an empty line": b"\n",
    "letters that are not ASCII": "öpen sesame\n".encode(),
    "bytes that are no text": b"\xff\xfe\n",
}
"""Whole lines, and what each of them is."""

SILENT = {
    "the token and one more letter": TOKEN.encode() + b"s",
    "the token": TOKEN.encode(),
}
"""Whoever sends this says nothing more, and stays."""

LEAVING = {
    "half a line": TOKEN[:4].encode(),
    "the token without a newline": TOKEN.encode(),
}
"""Whoever sends this says nothing more, and has finished (FIN)."""


def guest(trial: Trial) -> tuple[Partner, socket.socket]:
    """Both ends of a guest's connection; the answer's waits 0.3 s for each receive."""
    trial.wire.clear()  # those before got what they should
    partner, theirs = trial.pair()
    theirs.settimeout(0.3)
    return partner, theirs


def pieces(parts: tuple[bytes, ...]) -> str:
    """How the token was sent, in words."""
    return "in one piece" if len(parts) == 1 else f"in {len(parts)} pieces"


def told(partner: Partner, got: bytes, result: Any, end: str = "") -> str:
    """What came of it. Where a reset has swallowed the answer, nobody can say what it was."""
    returned = f"returned `{plain(repr(result), 40)}`"
    if result is False and not got and partner.ended == "reset":
        return (
            f"You {returned}. No answer of yours reached me: you closed while bytes of mine were "
            "unread, and that sends a reset."
        )
    return f"You answered `{plain(got, 40)}`{end} and {returned}."


def expect_refusal(what: str, partner: Partner, result: Any) -> None:
    """The guest read `refused` and then the end, and the answer said False."""
    got = partner.receive_all(within=0.5)
    if TOKEN.encode() in got:
        raise NotYet(f"{what} Your answer holds the token itself.", "an answer that tells nothing.")
    if result is not False or got != b"refused\n" or not partner.ended:
        end = ", closed," if partner.ended else ", kept the connection open,"
        let_in = "You let me in. " if result is True else ""
        raise NotYet(
            f"{what} {let_in}{told(partner, got, result, end)}",
            "`refused`, the connection closed, and False.",
        )


def expect_bound(trial: Trial, answer: Any) -> None:
    """Somebody who sends and sends: the time-out of the socket never strikes."""
    partner, theirs = guest(trial)
    running = trial.start(answer, theirs, TOKEN)
    sent = 0
    while not running.ended(0.005) and sent < 20_000:
        with contextlib.suppress(NotYet):  # it has hung up, as it should
            partner.send(b"x" * 500)
        sent += 500
    result = running.result(
        0.1,
        "who sends more than 1,024 bytes without a newline is refused.",
        f"I have sent {sent:,}. What do you keep of them, and until when?",
    )
    if result is not False:
        raise NotYet(
            f"I sent {sent:,} bytes without a newline. You returned `{plain(repr(result), 40)}`.",
            "False.",
        )
