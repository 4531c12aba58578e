"""Lesson 05: who left, how they left, and what is left behind."""

import select
import socket
from collections.abc import Callable
from typing import Any

from sockkit.exercises.host import Host
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.running import Running
from sockkit.exercises.solutions import nb05 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

lesson = Lesson("05")
summary = lesson.summary

_SILENCE = 0.3  # seconds after which the sockets of this check raise TimeoutError
_ENDS = ("closed", "reset", "silent")


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
    for expected in (*_ENDS, *_ENDS):
        partner, theirs = trial.pair()
        theirs.settimeout(_SILENCE)
        running = trial.start(answer, theirs)
        partner.send(b"hello")
        if expected == "closed":
            partner.finish()
        elif expected == "reset":
            _wait_until_read(trial, theirs)
            partner.reset()
        got = running.result(expected="it returns once there is an end.")
        what = {"closed": "finished (FIN)", "reset": "reset it", "silent": "said nothing more"}
        if got != expected:
            then = "What does `recv` do in this case: return, and what, or raise, and which?"
            if got is None:
                then = "On which way out of your function is there no `return`?"
            elif got not in _ENDS:
                then = "The 5 bytes came first, and they are no end. What do you do after them?"
            raise NotYet(
                f"I sent 5 bytes and then {what[expected]}. You returned `{plain(repr(got), 40)}`.",
                f'"{expected}".',
                then,
            )
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
    for parts in ((b"hello", b" ", b"world!"), (), (b"x" * 100_000,)):
        total = sum(map(len, parts))
        partner, theirs = trial.pair()
        running = trial.start(answer, theirs)
        for part in parts:
            partner.send(part)
        early = partner.receive(1, within=0.1)
        if early:
            raise NotYet(
                "I had not finished, and you answered already.",
                "the answer comes after my FIN.",
                "How do you know that I have sent all?",
            )
        partner.finish()
        got = partner.receive_all()
        if got.decode(errors="replace") != f"{total} bytes\n":
            sent = f"I sent {total:,} bytes" if total else "I sent nothing"
            raise NotYet(
                f"{sent} and finished, and I got {_shown(got)}.",
                f"`{total} bytes` and a newline.",
                _why(got.decode(errors="replace"), total),
            )
        running.result(expected="it returns when it has answered.")
        if partner.ended != "finished":
            raise NotYet(
                "You answered, and your half is still open.",
                "you close it.",
                "How do I learn that no more will come from you?",
            )
    return "Three clients that had finished sending still got their answer."


def _shown(got: bytes) -> str:
    if not got:
        return "nothing"
    return f"`{plain(got.rstrip(), 60)}`" + ("" if got.endswith(b"\n") else ", without a newline")


def _why(got: str, total: int) -> str:
    """The question that this wrong answer asks for."""
    if not got and total:
        return "I closed one half of the connection. Which one?"
    if not got:
        return "No byte came before my FIN. How many do you count then, and do you say so?"
    if got.strip() == f"{total} bytes":
        return "How does a program at the other end know that your line is whole?"
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
    """Echo to the end, close, and call `left("closed")` or `left("reset")`: once, as the last."""
    for way in ("closed", "reset", "closed before anything", "reset before anything"):
        calls: list[Any] = []
        partner, theirs = trial.pair()
        running = trial.start(answer, theirs, _left(calls, theirs))
        if "before" not in way:
            partner.send(b"hello")
            if partner.receive(5) != b"hello":
                raise NotYet("I sent `hello` and did not get it back.", "an echo.")
        if way.startswith("closed"):
            partner.finish()
        else:
            partner.reset()
        _expect_told(running, calls, theirs, way, (way.split()[0],))
    calls = []
    partner, theirs = trial.pair()
    partner.send(b"x" * 5000)
    partner.finish()
    partner.reset()  # behind a FIN: on Linux `recv` still has the bytes, and `sendall` raises EPIPE
    running = trial.start(answer, theirs, _left(calls, theirs))
    _expect_told(running, calls, theirs, "gone before your echo", ("closed", "reset"))
    return "Five clients left, and each was told of once, with its reason."


def _left(calls: list[Any], theirs: socket.socket) -> Callable[[Any], None]:
    """A `left` that keeps each reason, and whether the connection was open then."""

    def left(reason: Any) -> None:
        calls.append((reason, theirs.fileno() >= 0))

    return left


def _expect_told(
    running: Running, calls: list[Any], theirs: socket.socket, way: str, reasons: tuple[str, ...]
) -> None:
    if running.ended(2.0) and calls and isinstance(running.call.error, ConnectionError):
        running.judged = True  # out of a `finally` that told, say: that is no matter here
    else:
        running.result(expected="it returns once the client has left.")
    if len(calls) != 1 or calls[0][0] not in reasons:
        told = ", ".join(f"`left({reason!r})`" for reason, _ in calls) or "nothing"
        raise NotYet(
            f"One client left ({way}), and you called {plain(told, 100)}.",
            " or ".join(f'`left("{reason}")`' for reason in reasons) + ", once.",
            "How many ways lead out of your loop, and which of them pass that call?",
        )
    if calls[0][1] and theirs.fileno() < 0:
        raise NotYet(
            f"A client left ({way}). You called `left` while the connection was still open.",
            "closed first: `left` is the last thing.",
            "What does your program still do after that call?",
        )
    if theirs.fileno() >= 0:
        raise NotYet(f"A client left ({way}); its connection is still open here.", "closed.")


@lesson.exercise(
    solution=solutions.Counts,
    hints=(
        "`on_disconnect` comes once for every client, whatever the reason.",
        "What you keep for a client goes when the client goes: `del`, by its number.",
    ),
)
def counts(trial: Trial, answer: Any) -> str:
    """A class for a server's callbacks: `messages[number]` counts messages of who is *here*."""
    keeper, other = trial.call(answer), trial.call(answer)
    for name in ("on_connect", "on_message", "on_disconnect", "messages"):
        if not hasattr(keeper, name):
            raise NotYet(f"Your object has no `{name}`.", "three callbacks, and `messages`.")
    host = trial.serve(
        on_connect=keeper.on_connect,
        on_message=keeper.on_message,
        on_disconnect=keeper.on_disconnect,
    )
    partners = []
    for number in (1, 2, 3, 4):
        partners.append(trial.connect(host.address, f"client {number}"))
        _wait_for_clients(trial, host, number)
    for _ in range(2):
        partners[1].send(b"hello\n")
    _expect(trial, keeper, {1: 0, 2: 2, 3: 0, 4: 0}, "Four came, and client 2 sent two messages.")
    if got := _snapshot(other):
        raise NotYet(
            "I made two objects of your class, and clients came to one of them. "
            f"The `messages` of the other is `{plain(repr(got), 80)}`.",
            "`{}`.",
            "Where do you make `messages`: once for the class, or once for each object?",
        )
    partners[0].close()
    _expect(trial, keeper, {2: 2, 3: 0, 4: 0}, "Client 1 closed politely.")
    partners[1].reset()
    _expect(trial, keeper, {3: 0, 4: 0}, "Client 2 reset its connection.")
    host.server.disconnect(3)
    _expect(trial, keeper, {4: 0}, "The server disconnected client 3.")
    partners[3].send(b"\xff\n")
    _expect(trial, keeper, {}, "Client 4 sent what is no text, and was dropped.")
    return "Whoever left was forgotten, four ways, and nobody else."


def _expect(trial: Trial, keeper: Any, expected: dict[int, int], what: str) -> None:
    trial.wait(lambda: _snapshot(keeper) == expected)
    got = _snapshot(keeper)
    if got != expected:
        raise NotYet(
            f"{what} Your `messages` is `{plain(repr(got), 80)}`.",
            f"`{expected}`.",
            "Which callback is told of that, and what does it change?",
        )


def _snapshot(keeper: Any) -> Any:
    messages = keeper.messages
    return dict(messages) if hasattr(messages, "keys") else messages


def _wait_until_read(trial: Trial, sock: socket.socket) -> None:
    trial.wait(lambda: not select.select([sock], [], [], 0)[0])


def _wait_for_clients(trial: Trial, host: Host, count: int) -> None:
    trial.wait(lambda: len(host.server.clients) >= count)
