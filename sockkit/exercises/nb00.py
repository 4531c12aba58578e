"""Lesson 00: where the event loop is, and which thread a callback runs on."""

import platform
import secrets
import threading
from typing import Any

import sockkit
from sockkit.connection import Connection
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.partner import Partner
from sockkit.exercises.running import Running
from sockkit.exercises.solutions import nb00 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.sync import Server
from sockkit.text import plain

lesson = Lesson("00")
summary = lesson.summary


@lesson.exercise(
    solution=solutions.environment,
    hints=(
        "`platform.python_version()` is a text such as `3.11.4`.",
        "`sockkit.__version__` is one too.",
    ),
    value=True,
)
def environment(trial: Trial, answer: Any) -> str:
    """Say which Python and which sockkit this kernel runs, as a dict."""
    real = {"python": platform.python_version(), "sockkit": sockkit.__version__}
    if not isinstance(answer, dict) or answer.keys() != real.keys():
        raise NotYet(
            f"You gave me {plain(repr(answer), 80)}.",
            "a dict with the keys `python` and `sockkit`.",
        )
    for name, version in real.items():
        if callable(answer[name]):
            saw = f"What you gave me for {name} is a function, and not what it returns."
            raise NotYet(saw, "the version as a text.", "How is a function called?")
        if not isinstance(answer[name], str):
            saw = f"For {name} you gave me {plain(repr(answer[name]), 40)}, which is no text."
            raise NotYet(saw, "the version as a text, such as '3.11.4'.")
        if answer[name] != version:
            raise NotYet(
                f"For {name} you gave me {plain(repr(answer[name]), 40)}.",
                "the whole version that this kernel runs, and nothing else, such as '3.11.4'.",
                "Ask the kernel itself: another Python may be on this machine as well.",
            )
    mine, theirs = trial.pair()
    theirs.sendall(b"anybody there?")
    if mine.receive(14) != b"anybody there?":
        raise NotYet(
            "Your answer is right, but a message over this machine's loopback network got lost.",
            "that a connection to 127.0.0.1 works.",
            "Run `python -m sockkit doctor` in a terminal.",
        )
    return "This kernel, the kit and the loopback network are ready."


@lesson.exercise(
    solution=solutions.first_reply,
    hints=(
        "`asyncio.open_connection(host, port)` gives you a reader and a writer, once awaited.",
        "Write the line with its newline; then `await reader.readline()`, which gives you bytes.",
        "Close the writer, and `await writer.wait_closed()`.",
    ),
)
def first_reply(trial: Trial, answer: Any) -> str:
    """Connect to `address`, send the line `hello`, return the server's first line as a str."""
    listener = trial.listen()
    running = trial.start_in_loop(answer, listener.address)
    partner = listener.accept()
    hello = partner.receive_line()
    if not hello:
        _expect_no_error(partner, running)
        raise NotYet("You connected, and then I read nothing.", "the line `hello`.")
    if hello.rstrip(b"\r\n") != b"hello":
        then = "Bytes, or text?" if hello.startswith((b"b'", b'b"')) else ""
        raise NotYet(f"I read {_shown(hello)}.", "the line `hello`.", then)
    if not hello.endswith(b"\n"):
        raise NotYet(
            "I read `hello`, and waited for the end of the line.",
            r"`hello\n`.",
            "How is a reader to know that you have said all?",
        )
    if not running.goes_on():
        _expect_to_wait(running)
        raise NotYet(
            "I kept you waiting for my reply, and nothing else could run on your event loop.",
            "the loop goes on with other tasks meanwhile: every wait is an `await`.",
        )
    line = f"welcome, späte Gäste {secrets.token_hex(2)}"
    partner.send(b"welcome, ")
    running.goes_on()  # so that the rest is another receive
    partner.send(line.removeprefix("welcome, ").encode() + b"\n")
    more = partner.receive_all()
    if partner.ended:
        partner.close()
    reply = running.result(expected="it returns once it has a whole line.")
    if not running.awaited:
        raise NotYet("Your function was no coroutine.", "`async def`, so that I can await it.")
    _expect_the_line(reply, line)
    if more:
        raise NotYet(f"After `hello` you also sent {_shown(more)}.", "the line `hello`, once.")
    if not partner.ended:
        raise NotYet("You returned, and your connection is still open.", "you close it.")
    return "The reply is right, and the loop was free for others while you waited."


def _expect_no_error(partner: Partner, running: Running) -> None:
    if running.ended():
        running.result()
    # A client that fails inside `async with` closes first, and waits for our end before it raises.
    partner.close()
    if running.ended(2.0) and not _may_come_of_our_end(running.call.error):
        running.result()
    running.judged = True  # that we have closed is no fault of the answer's


def _may_come_of_our_end(error: BaseException | None) -> bool:
    # Not any OSError: that there is no such file has nothing to do with us.
    return type(error) is OSError or isinstance(error, ConnectionError | TimeoutError | EOFError)


def _expect_to_wait(running: Running) -> None:
    if running.ended():
        running.result()
        raise NotYet(
            "You returned, and I had not replied yet.",
            "it waits for my reply, and returns that.",
            "Is there something that is never awaited?",
        )


def _expect_the_line(reply: Any, line: str) -> None:
    sent = f"I sent `{line}` and a newline, and you returned {_shown(reply)}"
    if reply is None:
        raise NotYet("You returned nothing.", "the line that I sent.")
    if isinstance(reply, bytes):
        raise NotYet(f"{sent}, as bytes.", "a str.", "What decodes bytes?")
    if not isinstance(reply, str):
        raise NotYet(f"{sent}, a {type(reply).__name__}.", "the line, as a str.")
    if reply.rstrip("\r\n") == line:
        return
    if line.startswith(reply):
        then = "It came in two pieces. Who says when a line is whole?"
        raise NotYet(f"{sent}.", "the whole line.", then)
    raise NotYet(f"{sent}.", "that line, as I wrote it: UTF-8.")


@lesson.exercise(
    solution=solutions.where_am_i,
    hints=(
        "`connection.send(text)` answers the client whose message it is.",
        "`threading.current_thread()` is the thread that runs this very line.",
    ),
)
def where_am_i(trial: Trial, answer: Any) -> str:
    """A message handler that answers each message with the name of the thread it runs on."""
    host = trial.serve(on_message=answer)
    _ask(trial, host.address, host.thread, "in an event loop on the cell's own thread")
    name = f"sockkit-server {secrets.token_hex(2)}"

    def rename(connection: Connection) -> None:
        threading.current_thread().name = name

    with Server(host.guarded(answer), on_connect=rename) as server:
        _ask(trial, server.address, name, "on a thread that the server has started for itself")
    return "It named two threads: the cell's own, and one that a server had started for itself."


def _ask(trial: Trial, address: tuple[str, int], name: str, where: str) -> None:
    partner = trial.connect(address)
    mute = "What a handler returns or prints does not go to the client. What does?"
    for what, then in (("a message", mute), ("a second message", "")):
        partner.send(b"where are you?\n")
        line = partner.receive_line()
        if not line:
            expected = "one line with the thread's name, for each message."
            if partner.ended:
                raise NotYet(f"I sent {what}, and you closed the connection.", expected)
            raise NotYet(f"I sent {what} and got no answer.", expected, then)
        if line.decode(errors="replace").strip() != name:
            raise NotYet(
                f"I ran your handler {where}, and it answered {_shown(line)}.",
                f"`{plain(name, 60)}`.",
                "Ask Python while the handler runs: the answer depends on who calls it.",
            )
    more = partner.receive(1000, within=0.1)
    if more or partner.ended:
        saw = f"After two answers to two messages you sent {_shown(more)}."
        raise NotYet(saw if more else "You closed the connection.", "one line for each message.")
    partner.close()


def _shown(value: Any) -> str:
    return f"`{plain(repr(value), 60)}`"
