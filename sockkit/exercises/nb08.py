"""Lesson 08: one client that does not read, or sends too fast, and all the others."""

from typing import Any

from sockkit import Reason, Server
from sockkit.connection import Connection
from sockkit.exercises.buffers import end_of, narrow
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.partner import Partner
from sockkit.exercises.passing import MAY_WAIT, Forum
from sockkit.exercises.sleepers import MOST, SMALL, Room, judge_patience
from sockkit.exercises.solutions import nb08 as solutions
from sockkit.exercises.stepping import Work, judge_alone, judge_in_order, judge_two_that_stand_still
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

lesson = Lesson("08")
summary = lesson.summary

_UNTIL_ASLEEP = 20  # messages of each teller: on every system, more than what buffers take


@lesson.exercise(
    solution=solutions.to_all,
    hints=(
        "A socket that does not block raises BlockingIOError where it would have to wait.",
        "`send` returns how many bytes were taken. Fewer than all is a message cut in two.",
        "Go through a copy of the list, `list(connections)`, while you remove from the real one.",
    ),
)
def to_all(trial: Trial, answer: Any) -> str:
    """Send `data` to all, never wait; who can't take all of it at once is closed and removed."""
    room = Room(trial)
    room.tell(answer)
    room.hear()
    if len(room.connections) != 4 or not room.has_the_sleeper():
        raise NotYet(
            f"I gave you message 1, of {SMALL:,} bytes, for which everybody has room. Afterwards "
            f"{len(room.connections)} of four connections are in your list.",
            "all four: only who can't take a whole message goes.",
        )
    while room.has_the_sleeper() and room.said < MOST:
        room.tell(answer)
        room.hear()
    room.judge_the_sleeper()
    room.tell(answer)
    room.hear()
    room.judge_the_list()
    judge_patience(trial, answer)
    return "Three clients got every message at once, and who slept is gone."


@lesson.exercise(
    solution=solutions.to_who_keeps_up,
    hints=(
        "`server.clients` is a mapping from number to connection.",
        "`pending` is a client's own: look at that of the one you are about to send to.",
    ),
)
def to_who_keeps_up(trial: Trial, answer: Any) -> str:
    """Pass messages on to all but the sender; who has over 20,000 bytes waiting misses this one."""
    forum = Forum(trial, answer)
    for slow in (False, True, False, True):
        forum.join(slow)
    for _ in range(_UNTIL_ASLEEP):
        forum.tell(1)
        forum.tell(3)
        if forum.all_asleep():
            break
    forum.join()
    forum.tell(2)
    forum.judge_patience([forum.tell(number) for _ in range(4) for number in (1, 3, 5)])
    for most in (MAY_WAIT, MAY_WAIT // 2, 0):
        for number in (2, 4):
            forum.read(number, most)
        forum.tell(3)
    for number in (2, 4):
        forum.read(number, 0)
    for _ in range(2):
        forum.tell(1, "  Good morning ")
    forum.judge_what_they_heard()
    return "At most 20,000 bytes and a message waited; who was slow missed some, and is still here."


@lesson.exercise(
    solution=solutions.strict_server,
    hints=(
        "`Limits` has a bound for what waits for one client; `Server(limits=…)` takes it.",
        "`on_disconnect` is called with the connection and the reason. Pass on its number.",
    ),
)
def strict_server(trial: Trial, answer: Any) -> str:
    """Return a `Server` with `max_pending` of 50,000 bytes; it calls `gone(number, reason)`."""
    calls: list[tuple[Any, ...]] = []
    making = trial.start(answer, lambda *args: calls.append(args))
    server = making.result()
    making.expect_plain()
    if not isinstance(server, Server):
        raise NotYet(f"You returned `{plain(repr(server), 60)}`.", "a `Server`.")
    trial.own(_Stopped(server))
    server.start()
    reader, first = _join(trial, server)
    _, sleeper = _join(trial, server)
    _judge_the_bound(server, reader, sleeper)
    ends: list[tuple[int, Reason]] = []

    def expect_end(of: Connection, reason: Reason, what: str) -> None:
        ends.append((of.number, reason))
        _expect_calls(trial, calls, ends, what)

    expect_end(sleeper, Reason.TOO_SLOW, "was too slow.")
    reader.finish()
    expect_end(first, Reason.CLOSED, "closed politely.")
    partner, third = _join(trial, server)
    partner.reset()
    expect_end(third, Reason.RESET, "reset its connection.")
    _, fourth = _join(trial, server)
    server.disconnect(fourth.number)
    expect_end(fourth, Reason.KICKED, "was disconnected by `server.disconnect`.")
    _, fifth = _join(trial, server)
    server.stop()
    expect_end(fifth, Reason.SERVER_STOPPED, "was there when I stopped the server.")
    return "50,000 bytes could wait, and a message; five ends were told, each with its reason."


def _join(trial: Trial, server: Server) -> tuple[Partner, Connection]:
    before = set(server.clients)  # a server that is used again goes on counting
    partner = trial.connect(server.address)
    trial.wait(lambda: set(server.clients) > before)
    new = set(server.clients) - before
    if not new:
        raise NotYet("I connected, and am not in `server.clients`.", "everybody is let in.")
    return partner, server.clients[new.pop()]


def _judge_the_bound(server: Server, reader: Partner, sleeper: Connection) -> None:
    narrow(end_of(sleeper))
    pending = 0
    for number in range(1, 401):
        text = f"message {number} ".ljust(999, ".")
        server.broadcast(text)
        if sleeper.reason is not None:
            break
        pending = sleeper.pending
        if reader.receive(1000) != text.encode() + b"\n":
            raise NotYet(f"Client 1 reads, and did not get message {number}.", "all of them.")
    if sleeper.reason is None or pending > 60_000:
        raise NotYet(
            f"I told all clients 400 messages of 1,000 bytes. One reads nothing: {pending:,} bytes "
            "waited for it.",
            "it goes when more than 50,000 wait.",
            "Which bound of `Limits` counts what waits for one client?",
        )
    if pending < 40_000:
        saw = f"The sleeper went ({sleeper.reason}) when {pending:,} bytes waited for it."
        raise NotYet(saw, "50,000 may wait.")
    if server.limits.max_pending != 50_000:
        raise NotYet(f"Your server's `max_pending` is {server.limits.max_pending:,}.", "50,000.")


def _expect_calls(trial: Trial, calls: list[Any], ends: list[Any], what: str) -> None:
    def as_text(of: list[Any]) -> str:
        return ", ".join(f"`gone({', '.join(map(_shown, call))})`" for call in of) or "nothing"

    trial.wait(lambda: len(calls) >= len(ends))
    if calls != ends:
        raise NotYet(
            f"Client {ends[-1][0]} {what} You called {as_text(calls)}.",
            f"{as_text(ends)}.",
            "Which callback is told of the end, and with what?",
        )


def _shown(value: Any) -> str:
    return plain(repr(value) if type(value) is str else str(value), 60)


class _Stopped:
    """A server whose `close` stops it at once."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def close(self) -> None:
        self._server.stop(grace=0)


@lesson.exercise(
    solution=solutions.in_step,
    hints=(
        "`work` is a coroutine function. Which word waits for what it returns?",
        "The kit reads on when your handler has returned. A task that you start does not hold it.",
    ),
)
def in_step(trial: Trial, answer: Any) -> str:
    """Answer each message with `await work(text)`, in order, without taking in more meanwhile."""
    work = Work()
    host = trial.serve(on_message=work.handler(answer))
    partners = [trial.connect(host.address, "client 1")]
    judge_alone(trial, work, partners[0])
    partners += [trial.connect(host.address, f"client {number}") for number in (2, 3)]
    judge_two_that_stand_still(trial, work, partners)
    work.go_on()
    judge_in_order(work, partners[0], 1, ("slow 1", "quick 2", "quick 3"))
    judge_in_order(work, partners[1], 2, ("slow 4", "quick 5"))
    return "The senders had to wait, the other client did not, and every answer came in order."
