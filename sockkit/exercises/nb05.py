"""Lesson 05: who left, how they left, and what is left behind."""

import random
import re
import secrets
import time
from typing import Any

from sockkit.exercises.host import Host
from sockkit.exercises.leavers import LETTERS, Leaver
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.partner import Partner
from sockkit.exercises.solutions import nb05 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import described
from sockkit.text import plain

lesson = Lesson("05")
summary = lesson.summary

_SILENCE = 0.8  # seconds after which the sockets of `how_it_ended` raise TimeoutError
_ENDS = ("closed", "reset", "silent")
_SHORT_PAUSE = 0.1  # seconds, in which no timeout strikes
_MOMENT = 0.02  # seconds for a call to return that is wrongly content
_OWN = "Which timeout struck: the one that the socket came with, or one of yours?"
_TURNS = 10  # of the event loop, within which a callback has done its work


@lesson.exercise(
    solution=solutions.how_it_ended,
    hints=(
        "Read on until there is an end: what comes before it is no end.",
        'One end is no error at all: `recv` returns `b""`.',
        "The other two are exceptions: ConnectionResetError, and TimeoutError.",
    ),
)
def how_it_ended(trial: Trial, answer: Any) -> str:
    """Read `connection` to its end; return "closed", "reset" or "silent" (its timeout struck)."""
    ends = random.sample(_ENDS, 3)
    slowly = ((b"hello", _SHORT_PAUSE), (secrets.token_bytes(3), _MOMENT), (b"\r\n", _MOMENT))
    at_once = ((b"hello", _MOMENT),)
    for expected, pieces in (
        *((end, slowly) for end in ends),
        *((end, at_once) for end in reversed(ends)),  # one end is the same again: no rule tells it
    ):
        partner, theirs = trial.pair()
        theirs.settimeout(_SILENCE)
        running = trial.start(answer, theirs)
        for piece, pause in pieces:
            said = time.monotonic()
            partner.send(piece)
            trial.wait_until_read(theirs)
            if running.ended(pause):
                got = running.result()
                raise NotYet(
                    "I sent a few bytes and had not ended yet, and the socket's timeout had not "
                    f"struck. You returned {_repr(got)}.",
                    "it reads on, until there is an end.",
                    _OWN if got == "silent" else "Bytes are no end. What do you do after them?",
                )
        if expected == "closed":
            partner.send(b"bye")
            partner.finish()
        elif expected == "reset":
            partner.reset()
        got = running.result(expected="it returns once there is an end.")
        what = {"closed": "finished (FIN)", "reset": "reset it", "silent": "said nothing more"}
        took = (running.call.ended_at or said) - said
        if got == expected == "silent" and took < _SILENCE:
            raise NotYet(
                f"I said nothing more, and {took:.1f} s later you returned `'silent'`. The timeout "
                f"of the socket that I gave you is {_SILENCE:g} s.",
                "you leave it at that.",
                _OWN,
            )
        if got != expected:
            then = "What does `recv` do in this case: return, and what, or raise, and which?"
            if got is None:
                then = "On which way out of your function is there no `return`?"
            elif got not in _ENDS:
                then = LETTERS
            saw = f"I sent a few bytes and then {what[expected]}. You returned {_repr(got)}."
            raise NotYet(saw, f'"{expected}".', then)
        theirs.close()
    return "You told a polite end, a reset and silence apart, twice each."


@lesson.exercise(
    solution=solutions.answer_at_the_end,
    hints=(
        "FIN means: I send no more. It does not mean: I read no more.",
        'After `b""` your own half is still open. Send, then close.',
    ),
)
def answer_at_the_end(trial: Trial, answer: Any) -> str:
    """Count bytes until the other side has finished; then send `12 bytes` and a newline; close."""
    for parts, pause in (
        ((b"hello", b" ", b"world!"), None),  # as long as it takes to see who is impatient
        ((), _SHORT_PAUSE),
        ((b"caf\xc3", b"\xa9\r\n", b"\nau lait"), _SHORT_PAUSE),  # a character in two pieces
        ((b"x" * 100_000,), 0),
    ):
        total = sum(map(len, parts))
        partner, theirs = trial.pair()
        running = trial.start(answer, theirs)
        for part in parts:
            partner.send(part)
            trial.wait_until_read(theirs)
        early = partner.receive(1, within=trial.silence() if pause is None else pause)
        closed = bool(partner.ended)
        if early or closed:
            raise NotYet(
                f"I had not finished, and you {'answered' if early else 'closed'} already.",
                "the answer comes after my FIN.",
                "How do you know that I have sent all?",
            )
        partner.finish()
        got = partner.receive_all()
        reset = ", and then a reset" if partner.ended == "reset" else ""
        if got != f"{total} bytes\n".encode() or reset:
            sent = f"I sent {total:,} bytes" if total else "I sent nothing"
            raise NotYet(
                f"{sent} and finished, and I got {_shown(got)}{reset}.",
                f"`{total} bytes` and a newline, and then your FIN.",
                _why(got.decode(errors="replace"), total),
            )
        running.result(expected="it returns when it has answered.")
        if partner.ended != "finished":
            raise NotYet(
                "You answered, and your half is still open.",
                "you close it.",
                "How do I learn that no more will come from you?",
            )
        if theirs.fileno() >= 0:
            raise NotYet(
                "You answered and finished, and the socket itself is still open.",
                "you close it.",
                "`shutdown` ends what is sent. Who gives the socket back?",
            )
    return "Four clients that had finished sending still got their answer."


def _shown(got: bytes) -> str:
    if not got:
        return "nothing"
    line = plain(got.removesuffix(b"\n"), 60)
    return f"`{line}`" + (" and a newline" if got.endswith(b"\n") else ", without a newline")


def _why(got: str, total: int) -> str:
    """The question that this wrong answer asks for."""
    line = f"{total} bytes"
    if not got and total:
        return "I closed one half of the connection. Which one?"
    if not got:
        return "No byte came before my FIN. How many do you count then, and do you say so?"
    if got == line:
        return "How does a program at the other end know that your line is whole?"
    if got == f"{line}\n":
        return "What makes a close a reset, and what may be lost with it?"
    if re.findall(r"\d+", re.sub(r"(?<=\d)[,_.'](?=\d)", "", got)) == [str(total)]:
        return "The number is right. What else is in what you send, character by character?"
    return "What do you count: receives, characters, or bytes, and all of them?"


@lesson.exercise(
    solution=solutions.echo_and_tell,
    hints=(
        "Two ways out of the loop, one call at the place where both have come together.",
        "A reset may be raised by `sendall` as well as by `recv`. What are both, by class?",
        "Remember the reason in a variable; call `left` once, after the `try`.",
    ),
)
def echo_and_tell(trial: Trial, answer: Any) -> str:
    """Echo to the end, close, and call `left("closed")` or `left("reset")`: once, after that."""
    one, other = random.sample(("closed", "reset"), 2)  # in an order that no rule tells
    for reason, talks in ((one, True), (other, True), (other, False), (one, False)):
        client = Leaver(trial, answer)
        client.start()
        if talks:
            client.expect_echoes()
        client.leave(reason)
        client.expect_told(reason if talks else f"{reason} before anything", reason)
    client = Leaver.with_little_room(trial, answer)
    client.leave("closed")
    client.expect_told("closed", "closed")
    client = Leaver(trial, answer)
    client.partner.send(b"x" * 5000)
    client.leave("closed")
    client.leave("reset")  # behind a FIN: on Linux `recv` has the bytes, and `sendall` raises EPIPE
    client.start()
    client.expect_told("gone before your echo", "closed", "reset")
    return "Six clients left, and each was told of once, with its reason."


@lesson.exercise(
    solution=solutions.Counts,
    hints=(
        "`on_disconnect` comes once for every client, whatever the reason.",
        "What you keep for a client goes when the client goes: `del`, by its number.",
    ),
)
def counts(trial: Trial, answer: Any) -> str:
    """A class for a server's callbacks: `messages[number]` counts messages of who is here."""
    keeper, other = trial.call(answer), trial.call(answer)
    for name in ("on_connect", "on_message", "on_disconnect", "messages"):
        if not hasattr(keeper, name):
            raise NotYet(f"Your object has no `{name}`.", "three callbacks, and `messages`.")
    host = trial.serve(
        on_connect=keeper.on_connect,
        on_message=keeper.on_message,
        on_disconnect=keeper.on_disconnect,
    )
    partners = [_join(trial, host, number) for number in (1, 2, 3, 4)]
    for number in (2, 4, 2):
        partners[number - 1].send(b"hello\n")
    what = "Four came, client 2 sent two messages, and client 4 one."
    _expect(trial, host, keeper, {1: 0, 2: 2, 3: 0, 4: 1}, what)
    if got := _snapshot(other):
        raise NotYet(
            "I made two objects of your class, and clients came to one of them. "
            f"The `messages` of the other is `{plain(repr(got), 80)}`.",
            "`{}`.",
            "Where do you make `messages`: once for the class, or once for each object?",
        )
    partners[2].close()
    _expect(trial, host, keeper, {1: 0, 2: 2, 4: 1}, "Client 3 closed politely.")
    _join(trial, host, 5)
    _expect(trial, host, keeper, {1: 0, 2: 2, 4: 1, 5: 0}, "A fifth came.")
    partners[0].reset()
    _expect(trial, host, keeper, {2: 2, 4: 1, 5: 0}, "Client 1 reset its connection.")
    host.server.disconnect(5)
    _expect(trial, host, keeper, {2: 2, 4: 1}, "The server disconnected client 5.")
    partners[1].send(b"\xff\n")
    _expect(trial, host, keeper, {4: 1}, "Client 2 sent what is no text, and was dropped.")
    return "Whoever left was forgotten, four ways, and nobody else."


def _join(trial: Trial, host: Host, number: int) -> Partner:
    partner = trial.connect(host.address, f"client {number}")
    trial.wait(lambda: number in host.server.clients)
    return partner


def _expect(trial: Trial, host: Host, keeper: Any, expected: dict[int, int], what: str) -> None:
    trial.wait(lambda: host.server.clients.keys() == expected.keys())
    call = host.running.call
    late = call.turns + _TURNS  # counted, and not timed: where the loop is slow, there is more time
    trial.wait(lambda: _snapshot(keeper) == expected or call.turns > late)
    got = _snapshot(keeper)
    if got != expected:
        raise NotYet(
            f"{what} Your `messages` is {_counts(got)}.",
            f"`{expected}`.",
            _about_counts(got),
        )


def _about_counts(got: Any) -> str:
    if isinstance(got, dict) and not all(isinstance(key, int) for key in got):
        return "By what does your dict find a client? Each has a number."
    return "Which callback is told of that, and what does it change?"


def _counts(messages: Any) -> str:
    return described(messages) if messages is ... else f"`{plain(repr(messages), 80)}`"


def _snapshot(keeper: Any) -> Any:
    messages = keeper.messages
    return dict(messages) if hasattr(messages, "keys") else messages


def _repr(value: Any) -> str:
    return f"`{plain(repr(value), 40)}`"
