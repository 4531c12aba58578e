"""Checks of servers that answer in upper case: where they listen, what they say, how they refuse.

The answer is a function that calls `ready(address)` once it listens, and serves for ever.
"""

import contextlib
import select
import threading
import time
from typing import Any

from sockkit.exercises.partner import Partner
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

_RETURNS = 0.1  # seconds in which a function returns that has nothing more to do
_CONNECTS = 1.5  # seconds: where a backlog is full, TCP tries again after one


def started(trial: Trial, answer: Any, *args: Any) -> tuple[str, int]:
    """Where the answer's server listens."""
    told: list[Any] = []
    is_told = threading.Event()

    def ready(address: Any) -> None:
        told.append(address)
        is_told.set()

    running = trial.start(answer, ready, *args)
    if not trial.wait(is_told.is_set, 1.5):
        raise NotYet(
            "I called your function with `ready`, and you did not call `ready(address)`.",
            "you call it with the address of your listener, as soon as that listens.",
            "Does `ready` come before the loop that never ends?",
        )
    address = told[0]
    if not (isinstance(address, tuple) and len(address) >= 2 and isinstance(address[1], int)):
        raise NotYet(
            f"You called `ready({plain(repr(address), 60)})`.",
            "the address of your listener, as `getsockname()` returns it.",
        )
    if running.ended(_RETURNS):
        running.result()
        raise NotYet(
            "You called `ready`, and then your function returned.",
            "it serves for ever.",
            "Who accepts the clients that come now?",
        )
    return str(address[0]), address[1]


def ask(partner: Partner, line: bytes, said: str, then: str = "") -> None:
    """Say a line, and expect it back in upper case."""
    partner.send(line)
    expect_reply(partner, line.upper(), said, then)


def expect_reply(partner: Partner, reply: bytes, said: str, then: str = "") -> None:
    """Expect exactly this; `said` is what was said before it."""
    got = partner.receive(len(reply))
    if got == reply:
        return
    what = f"got `{_text(got)}`" if got else "got nothing"
    newline = ""
    if got == reply.removesuffix(b"\n"):
        what, newline = f"{what} and no newline after it", " with its newline"
    if partner.ended:
        what += ", and was disconnected"
    raise NotYet(f"{said}, and {what}.", f"`{_text(reply)}`{newline}.", then)


def expect_end(partner: Partner, name: str) -> None:
    """Finish, and expect that the answer closes its end."""
    partner.finish()
    partner.receive_all()
    if not partner.ended:
        raise NotYet(
            f"{name} has finished, and your end of its connection is still open.",
            "you close it.",
            'What do you do when `recv` returns `b""`?',
        )


def expect_refusal(partner: Partner, number: int, most: int) -> None:
    """Expect a line and the end, for the client that is one too many."""
    got = partner.receive_all(0.7)
    who = f"{most} clients were here. Client {number} came too,"
    expected = "one line that says so, and then the end (FIN)."
    if not got and not partner.ended:
        then = "Has anybody accepted this client? A client who waits does not know why."
        partner.send(b"hello\n")
        answered = partner.receive_line(within=0.3)
        if answered == b"HELLO\n":
            saw = f"{who} said `hello`, and was served: it got `HELLO`."
            raise NotYet(saw, expected, "How many are here when your code decides, and who counts?")
        if answered:
            saw = f"{who} heard nothing, said `hello`, and only then got `{_text(answered)}`."
            then = "What does a client hear that comes and waits for your word?"
            raise NotYet(saw, expected, then)
        raise NotYet(f"{who} and heard nothing: no word, no end.", expected, then)
    if not got:
        then = "How does a program at the other end learn why?"
        raise NotYet(f"{who} and got no word before the end.", expected, then)
    if (lines := got.count(b"\n")) != 1 or not got.endswith(b"\n"):
        what = f"{lines} lines" if lines > 1 else f"`{_text(got)}`, and no newline after it"
        then = "What ends a line, for whoever reads it at the other end?"
        raise NotYet(f"{who} and got {what}.", expected, then)
    if not got.strip():
        raise NotYet(f"{who} and got an empty line.", expected, "What does it say?")
    if partner.ended != "finished":
        end = "you reset its connection" if partner.ended else "its connection stayed open"
        raise NotYet(f"{who} got `{_text(got)}`, and {end}.", expected)


def expect_room(trial: Trial, address: tuple[str, int], why: str) -> Partner:
    """A newcomer who is served; the server may need a moment to notice that one has left."""
    deadline = time.monotonic() + trial.left(0.8)
    while True:
        partner = trial.connect(address, "newcomer")
        got = b""
        try:
            partner.send(b"hello\n")
            got = partner.receive(6, within=0.5)
        except NotYet:
            pass  # it was refused while it spoke
        if got == b"HELLO\n":
            return partner
        if time.monotonic() > deadline or trial.hopeless():
            what = f"got `{_text(got)}`" if got else "got nothing"
            raise NotYet(
                f"{why}. A newcomer said `hello`, and {what}.",
                "there is room again.",
                "On how many ways can a client leave, and which of them lower your count?",
            )
        partner.close()
        time.sleep(0.01)


def expect_bound_at_once(trial: Trial, address: tuple[str, int], most: int) -> None:
    """All have left. Of many that come in one moment so many are served, and no more."""
    came = most + 2  # not more than a short backlog holds
    deadline = time.monotonic() + trial.left(0.8)
    while True:
        partners = [trial.connect(address, f"client {n}", _CONNECTS) for n in range(1, came + 1)]
        served = _count_served(trial, partners, came - most)
        said = f"All left. Then {came} came in one moment, and {served} of them were served."
        if served > most:
            then = "What may happen between your look at the count and its change?"
            raise NotYet(said, f"never more than {most}.", then)
        if served == most:
            return
        if time.monotonic() > deadline or trial.hopeless():
            raise NotYet(said, f"{most} of them.", "Who gives back the place of one that left?")
        for partner in partners:  # the server may need a moment to notice that all have left
            partner.close()
        time.sleep(0.01)


def _count_served(trial: Trial, partners: list[Partner], refusals: int) -> int:
    def told() -> list[Partner]:
        return [partner for partner in partners if select.select([partner.socket], [], [], 0)[0]]

    trial.wait(lambda: len(told()) >= refusals, 0.5)
    refused, served = told(), 0
    for partner in partners:
        with contextlib.suppress(NotYet):  # it was refused while it spoke
            if partner not in refused:
                partner.send(b"hello\n")
                served += partner.receive_line(within=0.3) == b"HELLO\n"
    return served


def _text(line: bytes) -> str:
    return plain(line.decode(errors="replace").rstrip("\n"), 60)
