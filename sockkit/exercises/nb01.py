"""Lesson 01: bind, listen, accept, recv and close, with bare sockets."""

import secrets
import socket
from typing import Any

from sockkit.exercises.lesson import Lesson
from sockkit.exercises.partner import Partner
from sockkit.exercises.running import Running
from sockkit.exercises.solutions import nb01 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import named
from sockkit.text import plain

lesson = Lesson("01")
summary = lesson.summary

_NOT_TEXT = b"caf\xe9 \x00\xff"
_WHITE = b" \r\n"
_LONG = bytes(range(256)) * 20  # more than one receive of any usual size
_UNTIL_FIN = "it goes on until I have finished, and then returns."
_AFTER_RESET = "you return, or let the ConnectionResetError out as it is, once I have reset it."
_ONLY_CLIENT = "I am the only client. Whom does that line wait for?"
_EMPTY = 'What does `recv` return once the other side has finished? Look for `b""`.'


@lesson.exercise(
    solution=solutions.which_socket,
    hints=(
        "A listener has no other side: it hands out connections, and carries no bytes.",
        "Only one of the four hands out connections.",
    ),
    value=True,
)
def which_socket(trial: Trial, answer: Any) -> str:
    """Say for each call which socket it is for: "listener" or "connection"."""
    calls = {
        "accept": lambda sock: sock.accept(),
        "recv": lambda sock: sock.recv(1),
        "sendall": lambda sock: sock.sendall(b"?"),
        "getpeername": lambda sock: sock.getpeername(),
    }
    if not isinstance(answer, dict) or answer.keys() != calls.keys():
        names = ", ".join(f"`{name}`" for name in calls)
        raise NotYet(f"You gave me {plain(repr(answer), 80)}.", f"a dict with the keys {names}.")
    for name, call in calls.items():
        said = answer[name].strip().lower() if isinstance(answer[name], str) else answer[name]
        if said not in ("listener", "connection"):
            raise NotYet(f"For `{name}` you said {said!r}.", '"listener" or "connection".')
        trouble = _tried(trial, said, call)
        if trouble:
            then = "Which of the two has somebody on its other end, and which waits for somebody?"
            saw = f"I called `{name}` on a {said}, and Python raised {trouble}."
            raise NotYet(saw, "the other socket.", then)
    return "I tried all four, each on the socket that you named, and none failed."


@lesson.exercise(
    solution=solutions.echo,
    hints=(
        "One `recv` gives you what is there now. More may come: where does the loop go?",
        'When the other side has finished, `recv` returns `b""`, at once and for ever.',
        "`while data := connection.recv(1024):` does both.",
    ),
)
def echo(trial: Trial, answer: Any) -> str:
    """Send back every byte that comes, until the other side has finished; then return."""
    partner, theirs = trial.pair()
    running = trial.start(answer, theirs)
    _expect_echoes(partner)
    running.expect_patience("finished", _UNTIL_FIN)
    _finish(partner, running, _EMPTY)
    return "Every byte came back, and you returned when I had finished."


@lesson.exercise(
    solution=solutions.serve_one,
    hints=(
        "There are two sockets here: the one that you got, and the one that `accept` gave you.",
        "An exception leaves your function by another door. What closes a socket on every way out?",
        "Sockets are context managers: `with listener:`, and inside it `with connection:`.",
    ),
)
def serve_one(trial: Trial, answer: Any) -> str:
    """Accept one client, echo until it has finished, and leave no socket open, on any way out."""
    listener = trial.own(socket.create_server(("127.0.0.1", 0)))
    running = trial.start(answer, listener)
    address = listener.getsockname()
    partner = trial.connect(address)
    _expect_echoes(partner)
    running.expect_patience("finished", _UNTIL_FIN)
    _finish(partner, running, _ONLY_CLIENT)
    _expect_closed(trial, partner, listener, address, "I finished, and you returned.")

    listener = trial.own(socket.create_server(("127.0.0.1", 0)))
    running = trial.start(answer, listener)
    address = listener.getsockname()
    partner = trial.connect(address, "rude client")
    _expect_echoes(partner)
    partner.reset()
    error = running.error(expected=_AFTER_RESET, then=_ONLY_CLIENT)
    if error is not None and not isinstance(error, ConnectionError):
        saw = f"I reset the connection, and you raised {named(error)}."
        raise NotYet(saw, _AFTER_RESET)
    _expect_closed(trial, partner, listener, address, "I reset the connection, not finishing.")
    return "You served a client that finished, and one that reset the connection."


def _tried(trial: Trial, kind: str, call: Any) -> str:
    """Make the call on such a socket, with somebody there to talk to; the error, or nothing."""
    if kind == "listener":
        sock = trial.own(socket.create_server(("127.0.0.1", 0)))
        trial.connect(sock.getsockname())
    else:
        partner, sock = trial.pair()
        partner.send(b"!")
    try:
        result = call(sock)
    except OSError as error:
        return f"{type(error).__name__}: {plain(error, 80)}"
    if isinstance(result, tuple) and isinstance(result[0], socket.socket):
        result[0].close()
    return ""


def _expect_echoes(partner: Partner) -> None:
    surprise = secrets.token_hex(4).encode()
    for message in (b"hello", b"again", surprise, _WHITE, _NOT_TEXT, _LONG):
        _expect_echo(partner, message)


def _expect_echo(partner: Partner, message: bytes) -> None:
    partner.send(message)
    got = partner.receive(len(message))
    if got == message:
        return
    count = len(message)
    if len(got) < count:
        saw = f"I sent {count:,} bytes and got {len(got):,} of them back"
        end = ", and then you closed." if partner.ended else "."
        raise NotYet(
            saw + end,
            "each message comes back at once, before I send the next.",
            "How many receives does it take, and who decides that?",
        )
    raise NotYet(
        f"I sent `{plain(message, 30)}` and got `{plain(got, 30)}`.",
        "the same bytes. They need not be text.",
    )


def _finish(partner: Partner, running: Running, then: str) -> None:
    partner.finish()
    running.result(1.0, _UNTIL_FIN, then)
    extra = partner.receive(100, within=0.1)
    if extra:
        raise NotYet(f"After my last byte you sent `{plain(extra, 30)}`.", "nothing more.")


def _expect_closed(
    trial: Trial, partner: Partner, listener: socket.socket, address: tuple[str, int], when: str
) -> None:
    if partner.socket.fileno() >= 0:
        partner.receive_all(0.3)
        if not partner.ended:
            raise NotYet(
                f"{when} Your end of the connection is still open: no FIN came.",
                "you close the connection.",
                "Which name holds the socket that `accept` gave you?",
            )
    if listener.fileno() >= 0 or _listens(address):
        raise NotYet(
            f"{when} Your listener is still open: the next client would wait for ever.",
            "you close the listener too.",
            "What closes a socket on every way out of a function, an exception included?",
        )


def _listens(address: tuple[str, int]) -> bool:
    """Whether a socket listens there, whoever holds it."""
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True
