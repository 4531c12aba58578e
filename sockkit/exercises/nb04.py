"""Lesson 04: who sent a message, and how to answer only them."""

import functools
import select
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

_QUIET = 0.1  # seconds in which nothing more comes, to anybody


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
    room.join(2)
    for number, text in ((2, "good morning"), (1, "hello  to everybody "), (2, "2 + 2?")):
        room.say(number, text, {number: f"client {number}: {text}"})
    room.leave(1)
    room.join()
    room.say(
        3,
        "hello",
        {3: "client 3: hello"},
        before="Client 1 left, and a third one came. ",
        otherwise="Whose is a number after its client has gone?",
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
    room.join(4)
    room.say(1, "2 psst", {2: "from 1: psst"})
    room.leave(2)
    room.say(
        4,
        "3 a message  of some words ",
        {3: "from 4: a message  of some words "},
        before="Client 2 left. ",
        silent="What does the 3 count: clients that were ever here, or places in a list?",
    )
    room.come_and_go(7)
    room.join()
    room.say(
        3,
        "12 psst",
        {12: "from 3: psst"},
        before="Seven came and left, and a twelfth one came. ",
        silent="Where does the number end, and where does the message begin?",
    )
    room.say(12, "1 good morning", {1: "from 12: good morning"})
    return "Each message came to the one it was for, before and after somebody left; to 12 as well."


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
    room.join(3)
    room.say(2, "3 good morning", {3: "from 2: good morning"})
    room.leave(1)
    tries = {
        "7 hello": "7 never came",
        "1 hello": "1 has left",
        "33 hello": "33 never came",
        "x hello": "x is no number",
        "² hello": "² is a digit, and no number",
        "-1 hello": "-1 can be nobody's number",
        "0 hello": "0 is nobody's number",
        "psst": "that is one word, and no number",
    }
    for text, why in tries.items():
        room.say(
            2,
            text,
            {2: f"no client {text.split()[0]}"},
            why=why,
            silent="Which error is raised, by which call, and where could you answer it?",
        )
    before = "There were eight wrong numbers. "
    room.say(2, "3 still  there? ", {3: "from 2: still  there? "}, before=before)
    return "Eight wrong numbers were answered, and the right one still works."


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
    room.join(3)
    room.say(1, "hello", dict.fromkeys((2, 3), "1: hello"))
    room.leave(2)
    room.say(1, "who is  there? ", {3: "1: who is  there? "}, before="Client 2 left. ")
    room.come_and_go(8)
    room.join()
    before = "Eight came and left, and a twelfth one came. "
    room.say(12, "here I am", dict.fromkeys((1, 3), "12: here I am"), before=before)
    room.say(3, "welcome", dict.fromkeys((1, 12), "3: welcome"))
    return "Everybody heard it once, but for the one who said it."


class _Room:
    """The clients of a host, who come and go one after the other."""

    def __init__(self, trial: Trial, host: Host) -> None:
        self._trial = trial
        self._host = host
        self._count = 0
        self._here: dict[int, Partner] = {}

    def join(self, count: int = 1) -> None:
        """So many more clients, once the server has given each its number."""
        for _ in range(count):
            self._count += 1
            partner = self._trial.connect(self._host.address, f"client {self._count}")
            self._here[self._count] = partner
            self._trial.wait(lambda: self._count in self._host.server.clients)

    def leave(self, number: int) -> None:
        """This client closes; returns once the server has noticed."""
        self._here.pop(number).close()
        self._trial.wait(lambda: number not in self._host.server.clients)

    def come_and_go(self, count: int) -> None:
        """So many clients, each of whom leaves before the next comes."""
        for _ in range(count):
            self.join()
            self.leave(self._count)

    def say(
        self,
        number: int,
        text: str,
        expected: dict[int, str],
        *,
        before: str = "",
        why: str = "",
        silent: str = "",
        otherwise: str = "",
    ) -> None:
        """One client says this; each of those expected gets its line, and nobody anything more.

        Args:
            number: who says it.
            text: what is said.
            expected: the line that each client is to get.
            before: what has happened.
            why: nobody has that number, say.
            silent: the question to ask where no line came.
            otherwise: the question to ask where it was another line.

        Raises:
            NotYet: it is not so.
        """
        said = f"{before}Client {number} said `{text}`{f' ({why})' if why else ''}, and"
        self._here[number].send(f"{text}\n".encode())
        for to, line in expected.items():
            partner = self._here[to]
            got = partner.receive_line()
            if got != f"{line}\n".encode():
                saw = [f"{said} {f'client {to} ' if to != number else ''}got {_shown(got)}"]
                if partner.ended:
                    saw.append("was disconnected")
                elif not got:
                    saw += self._got_instead()
                then = _of_blanks(got, line) or otherwise if got else silent
                raise NotYet(f"{', and '.join(saw)}.", f"`{line}`.", then)
        self._expect_no_more(said, expected)

    def _got_instead(self) -> list[str]:
        lines = {number: self._here[number].receive_line(0) for number in self._readable(0)}
        return [f"client {number} got {_shown(line)}" for number, line in lines.items() if line]

    def _readable(self, seconds: float) -> list[int]:
        sockets = {partner.socket: number for number, partner in self._here.items()}
        found = select.select(list(sockets), [], [], self._trial.left(seconds))[0]
        return [sockets[sock] for sock in found]

    def _expect_no_more(self, said: str, expected: dict[int, str]) -> None:
        for number in self._readable(_QUIET):
            got = self._here[number].receive(1000, within=0)
            if not got:
                raise NotYet(f"{said} client {number} was disconnected.", "everybody stays.")
            if number in expected:
                saw = f"{said} after its line client {number} got {_shown(got)} as well."
                raise NotYet(saw, f"`{expected[number]}`, once, and nothing more.")
            saw = f"{said} client {number} got {_shown(got)}."
            raise NotYet(saw, "nothing for that one.", "Who is it for?")


def _room(trial: Trial, answer: Any) -> _Room:
    """A room whose server calls the answer with itself as the first argument."""

    @functools.wraps(answer)
    def on_message(connection: Any, text: str) -> Any:
        return answer(host.server, connection, text)

    host = trial.serve(on_message=on_message)
    return _Room(trial, host)


def _shown(got: bytes) -> str:
    text = plain(got.decode(errors="replace").removesuffix("\n"), 80)
    return f"`{text}`" if got else "nothing"


def _of_blanks(got: bytes, line: str) -> str:
    """What to say where the blanks alone differ: a page shows two of them as one."""
    same = got.decode(errors="replace").split() == line.split()
    return (
        "The words are right, the blanks are not: a page shows two of them as one." if same else ""
    )
