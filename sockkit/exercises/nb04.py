"""Lesson 04: who sent a message, and how to answer only them."""

import functools
from typing import Any

from sockkit.exercises.host import Host
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.partner import Partner
from sockkit.exercises.solutions import nb04 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

lesson = Lesson("04")
summary = lesson.summary

_QUIET = 0.15  # seconds in which a client that should get nothing gets nothing


@lesson.exercise(
    solution=solutions.stamp,
    hints=(
        "The server gave each client a number when it came. Who carries it?",
        "`connection.number` stays with the connection for as long as it lives.",
    ),
)
def stamp(trial: Trial, answer: Any) -> str:
    """Answer each message with `client N: ` before it, N being the number of who sent it."""
    room = _Room(trial, trial.serve(on_message=answer))
    first, second = room.join(), room.join()
    for partner, number in ((first, 1), (second, 2), (first, 1)):
        partner.send(b"hello\n")
        _expect_line(partner, f"client {number}: hello", f"Client {number} said `hello`, and")
    room.leave(first)
    third = room.join()
    third.send(b"hello\n")
    _expect_line(
        third,
        "client 3: hello",
        "Client 1 left, a third one came, and said `hello`. It",
        "Whose is a number after its client has gone?",
    )
    return "Each answer named its sender, and nobody got a number that another had."


@lesson.exercise(
    solution=solutions.to_one,
    hints=(
        "`text.split(' ', 1)` cuts at the first blank only.",
        "`server.send(number, message)` finds the client. The number is an int, not a text.",
    ),
)
def to_one(trial: Trial, answer: Any) -> str:
    """When client 1 says `2 psst`, send `from 1: psst` to client 2, and to nobody else."""
    room = _room(trial, answer)
    one, two, three = room.join(), room.join(), room.join()
    one.send(b"2 psst\n")
    _expect_line(two, "from 1: psst", "Client 1 said `2 psst`. Client 2")
    _expect_nothing({1: one, 3: three}, "Client 1 said `2 psst`")
    room.leave(one)
    three.send(b"2 a message of some words\n")
    _expect_line(
        two,
        "from 3: a message of some words",
        "Client 1 left, and client 3 said `2 a message of some words`. Client 2",
        "What does the 2 count: clients that were ever here, or places in a list?",
    )
    _expect_nothing({3: three}, "Client 3 wrote to client 2")
    for _ in range(8):
        room.leave(room.join())
    twelve = room.join()
    two.send(b"12 psst\n")
    _expect_line(
        twelve,
        "from 2: psst",
        "Eight came and left, a twelfth one came, and client 2 said `12 psst`. Client 12",
        "Where does the number end, and where does the message begin?",
    )
    return "Client 2 got what was for client 2, before and after somebody left; client 12 too."


@lesson.exercise(
    solution=solutions.to_known,
    hints=(
        "`server.send` raises `UnknownClient` where there is none with this number.",
        "`int('x')` raises ValueError. Both errors mean the same to the sender.",
        "`text.partition(' ')` gives three parts always, also of a message that is one word.",
        "`try` the send; in `except (UnknownClient, ValueError):` answer the sender.",
    ),
)
def to_known(trial: Trial, answer: Any) -> str:
    """As before, but where the first word is nobody's number, answer the sender: `no client 7`."""
    room = _room(trial, answer)
    one, two, three = room.join(), room.join(), room.join()
    room.leave(three)
    tries = {
        "7 hello": "7 never came",
        "3 hello": "3 has left",
        "x hello": "x is no number",
        "-1 hello": "-1 can be nobody's number",
        "0 hello": "0 is nobody's number",
        "psst": "that is one word, and no number",
    }
    for message, why in tries.items():
        one.send(f"{message}\n".encode())
        said = f"Client 1 said `{message}`, and {why}. Client 1"
        then = "Which error is raised, by which call, and where could you answer it?"
        _expect_line(one, f"no client {message.split()[0]}", said, then)
    _expect_nothing({2: two}, "Client 1 wrote to clients that are not there")
    one.send(b"2 still there?\n")
    _expect_line(two, "from 1: still there?", "After six wrong numbers client 1 wrote to 2, which")
    return "Six wrong numbers were answered, and the right one still works."


@lesson.exercise(
    solution=solutions.to_others,
    hints=(
        "`server.broadcast` reaches everybody. Who is it that should not hear it again?",
        "`exclude=` takes numbers, any iterable of them: a list of one will do.",
    ),
)
def to_others(trial: Trial, answer: Any) -> str:
    """Send each message to all clients but its sender, with the sender's number: `1: hello`."""
    room = _room(trial, answer)
    one, two, three = room.join(), room.join(), room.join()
    one.send(b"hello\n")
    for number, partner in ((2, two), (3, three)):
        _expect_line(partner, "1: hello", f"Client 1 said `hello`. Client {number}")
    _expect_nothing({1: one}, "Client 1 said `hello`")
    room.leave(two)
    three.send(b"bye\n")
    _expect_line(one, "3: bye", "Client 2 left, and client 3 said `bye`. Client 1")
    _expect_nothing({3: three}, "Client 3 said `bye`")
    return "Everybody heard it once, but for the one who said it."


class _Room:
    """The clients of a host, who come and go one after the other."""

    def __init__(self, trial: Trial, host: Host) -> None:
        self._trial = trial
        self._host = host
        self._count = 0

    def join(self) -> Partner:
        """One more client, once the server has given it its number."""
        self._count += 1
        partner = self._trial.connect(self._host.address, f"client {self._count}")
        self._trial.wait(lambda: self._count in self._host.server.clients)
        return partner

    def leave(self, partner: Partner) -> None:
        """This client closes; returns once the server has noticed."""
        before = len(self._host.server.clients)
        partner.close()
        self._trial.wait(lambda: len(self._host.server.clients) < before)


def _room(trial: Trial, answer: Any) -> _Room:
    """A room whose server calls the answer with itself as the first argument."""

    @functools.wraps(answer)
    def on_message(connection: Any, text: str) -> Any:
        return answer(host.server, connection, text)

    host = trial.serve(on_message=on_message)
    return _Room(trial, host)


def _expect_line(partner: Partner, line: str, said: str, then: str = "") -> None:
    got = partner.receive_line()
    text = got.decode(errors="replace")
    if text == line + "\n":
        return
    verb = "got nothing" if not got else f"got `{plain(text.rstrip(), 80)}`"
    if partner.ended:
        verb += ", and was disconnected"
    raise NotYet(f"{said} {verb}.", f"`{line}`.", then)


def _expect_nothing(partners: dict[int, Partner], said: str) -> None:
    for number, partner in partners.items():
        got = partner.receive(1000, within=_QUIET)
        if got:
            text = plain(got.decode(errors="replace").rstrip(), 80)
            raise NotYet(
                f"{said}, and client {number} got `{text}`.",
                "nothing for that one.",
                "Who is it for?",
            )
