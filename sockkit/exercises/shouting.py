"""Checks of servers that answer in upper case: where they listen, what they say, how they refuse.

The answer is a function that calls `ready(address)` once it listens, and serves for ever.
"""

import threading
import time
from typing import Any

from sockkit.exercises.partner import Partner
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain


def started(trial: Trial, answer: Any, *args: Any) -> tuple[str, int]:
    """Where the answer's server listens."""
    told: list[Any] = []
    is_told = threading.Event()

    def ready(address: Any) -> None:
        told.append(address)
        is_told.set()

    trial.start(answer, ready, *args)
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
    if partner.ended:
        what += ", and was disconnected"
    raise NotYet(f"{said}, and {what}.", f"`{_text(reply)}`.", then)


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
        if answered := partner.receive(6, within=0.3):
            saw = f"{who} said `hello`, and was served: it got `{_text(answered)}`."
            raise NotYet(saw, expected, "How many are here when your code decides, and who counts?")
        raise NotYet(f"{who} and heard nothing: no word, no end.", expected, then)
    if not got:
        then = "How does a program at the other end learn why?"
        raise NotYet(f"{who} and got no word before the end.", expected, then)
    if (lines := got.count(b"\n")) != 1 or not got.endswith(b"\n"):
        what = f"{lines} lines" if lines > 1 else f"`{_text(got)}`, and no newline after it"
        then = "What ends a line, for whoever reads it at the other end?"
        raise NotYet(f"{who} and got {what}.", expected, then)
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


def _text(line: bytes) -> str:
    return plain(line.decode(errors="replace").rstrip("\n"), 60)
