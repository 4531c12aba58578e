"""Lesson 10: a chat server with rooms, and tests that tell a sound one from broken ones."""

from typing import Any

from sockkit.exercises.broken import Sound
from sockkit.exercises.jury import Jury
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.members import Chatroom, Member
from sockkit.exercises.solutions import nb10 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.lab import Link
from sockkit.lab.guest import Guest
from sockkit.sync import Client, Server
from sockkit.text import plain

lesson = Lesson("10")
summary = lesson.summary

_MANY = 20  # clients who come at once
_TALKERS, _LINES = 5, 20  # who talk at the same time, and how much each says


@lesson.exercise(
    solution=solutions.Lobby,
    hints=(
        "Keep a dictionary from number to connection: in at `on_connect`, out at `on_disconnect`.",
        "Two helpers pay off: one makes `1 Ada` of a connection, one tells all others. The number "
        "without a name has no blank after it.",
        "`connection.name` is there for the label. Tell over `list(self.here.values())`: it may "
        "change meanwhile; and one who goes just now raises `ConnectionLost`, which is no reason "
        "to stop.",
    ),
)
def lobby(trial: Trial, answer: Any) -> str:
    """A class with a server's callbacks: a chat with one room, names, `/who`, and leaves."""
    with Chatroom(trial, answer) as room:
        ada, ben, cleo = _three(room)
        ben.leave()
        _told(
            ada, "* 2 Ben left", "Client 2 closed politely.", "Which callback is told of every end?"
        )
        _listed(ada, "1 Ada, 3", "Client 2 closed politely, and")
        cleo.crash()
        _told(ada, "* 3 left", "Client 3 reset its connection.")
        dora = room.join("Dora")
        _listed(dora, "1 Ada, 4 Dora", "Clients 2 and 3 left, client 4 came as Dora, and")
    return "Who came had a number, who spoke was known, and who left was told of, once."


def _three(room: Chatroom) -> tuple[Member, Member, Member]:
    """Ada and Ben, who talk, and one without a name."""
    ada, ben, cleo = room.join("Ada"), room.join("Ben"), room.join()
    _listed(ada, "1 Ada, 2 Ben, 3", "Three came, two of them said `/name`, and")
    ada.say("hello", "Who has heard it already, because they said it?")
    for other in (ben, cleo):
        _told(other, "1 Ada: hello", "Client 1, Ada, said `hello`.")
    return ada, ben, cleo


@lesson.exercise(
    solution=solutions.Chat,
    hints=(
        "`connection.state` is yours: `connection.state.room` can say where somebody is. Set it "
        "before anything else.",
        "Your `Lobby` has one place where all others are told. In a chat with rooms, which of "
        "them? Override that method.",
        "`/to`: `rest.partition(' ')` gives the number as text. `int` raises ValueError, the "
        "dictionary KeyError, `send` ConnectionLost: the sender hears `no client 7` each time.",
    ),
)
def chat(trial: Trial, answer: Any) -> str:
    """The whole table, with `/room` and `/to`: all six questions of the article are asked."""
    with Chatroom(trial, answer) as room:
        ada, ben, cleo = _three(room)
        _question_3(ada, ben, cleo)
        _rooms(ada, ben, cleo)
        _question_4(room, ada, ben, cleo)
        others = [room.join("Ada") for _ in range(_MANY)]  # question 1
        labels = ["1 Ada", "3", *(member.label for member in others)]
        _listed(others[-1], ", ".join(labels), f"{_MANY} more came, all called Ada, and")  # 2 and 5
        _question_6(others[:_TALKERS])
    return (
        "1: they all came in. 2: each was known. 3: one alone was answered. 4: who left was told. "
        "5: the list was right. 6: five talked at once, and nothing was lost or mixed."
    )


def _question_3(ada: Member, ben: Member, cleo: Member) -> None:
    ada.say("/to 2 a few words", "A word to one: does the sender get an answer?")
    _told(ben, "1 Ada to you: a few words", "Client 1, Ada, said `/to 2 a few words`.")
    cleo.expect_nothing("Client 1 said `/to 2 a few words`, and client")
    for number, why in {"9": "never came", "x": "is no number"}.items():
        ada.partner.send(f"/to {number} hello\n".encode())
        said = f"Client 1 said `/to {number} hello`, and {number} {why}. Client 1"
        ada.expect(f"no client {number}", said, "Which error says so, and who should hear of it?")


def _rooms(ada: Member, ben: Member, cleo: Member) -> None:
    ben.say("/room tea")
    _told(ada, "* 2 Ben left", "Client 2, Ben, said `/room tea`.", "Who was with him until now?")
    _told(cleo, "* 2 Ben left", "Client 2, Ben, said `/room tea`.")
    ada.say("hello")
    _told(cleo, "1 Ada: hello", "Client 1 said `hello` in the lobby.")
    ben.expect_nothing(
        "Client 1 said `hello` in the lobby, client 2 is in the room tea, and client",
        "Where is he now, and where else do you still keep him?",
    )
    cleo.say("/room tea")
    _told(ada, "* 3 left", "Client 3 said `/room tea`.")
    _told(ben, "* 3 came", "Client 3 said `/room tea`, where client 2 was already.")
    ben.say("hello")
    _told(cleo, "2 Ben: hello", "Client 2 said `hello` in the room tea.")
    ada.expect_nothing("Client 2 said `hello` in the room tea, and client")
    _listed(ada, "1 Ada, 2 Ben, 3", "Two of three went to another room, and")


def _question_4(room: Chatroom, ada: Member, ben: Member, cleo: Member) -> None:
    ben.leave()
    _told(cleo, "* 2 Ben left", "Client 2 closed politely, in the room tea.")
    ada.expect_nothing("Client 2 left the chat, from the room tea, and client")
    ada.partner.send(b"/to 2 hello\n")
    said = "Client 2 left, and client 1 said `/to 2 hello`. Client 1"
    ada.expect("no client 2", said, "What do you keep of somebody who has gone?")
    _listed(ada, "1 Ada, 3", "Client 2 left, and")


def _question_6(talkers: list[Member]) -> None:
    for member in talkers:
        lines = [f"line {count}" for count in range(_LINES)]
        member.partner.send("".join(f"{line}\n" for line in lines).encode())
    for member in talkers:
        got = [member.partner.receive_line().decode() for _ in range(_LINES * (_TALKERS - 1))]
        for other in talkers:
            expected = [f"{other.label}: line {count}\n" for count in range(_LINES)]
            heard = [line for line in got if line.startswith(f"{other.label}:")]
            if other is not member and heard != expected:
                raise NotYet(
                    f"{_TALKERS} clients talked at once, {_LINES} lines each. Client "
                    f"{member.number} got {len(heard)} lines of client {other.number}"
                    + (", not in their order." if len(heard) == _LINES else "."),
                    "every line once, in the order in which its sender said them.",
                    "What is shared between two calls of your callbacks?",
                )


def _told(member: Member, line: str, what: str, then: str = "") -> None:
    member.expect(line, f"{what} Client {member.number}", then)
    member.expect_nothing(f"{what} Beside `{line}`,")


def _listed(member: Member, labels: str, said: str) -> None:
    got = member.who()
    if got != f"here: {labels}":
        seen = f"got `{plain(got, 160)}`" if got else "got nothing"
        then = "Who is here now, and under which name?"
        raise NotYet(f"{said} {member.label} said `/who`, and {seen}.", f"`here: {labels}`.", then)


@lesson.exercise(
    solution=solutions.heard,
    hints=(
        "The connection keeps the order. What comes after all that was sent before?",
        "Ask something that is always answered. Everything before that answer has come by then.",
        "Send `/who`, and collect `client.recv()` until a line starts with `here: `.",
    ),
)
def heard(trial: Trial, answer: Any) -> str:
    """Return all lines that the chat server has sent this `client` until now. Without sleeping."""
    sound = Sound()
    server = Server(
        sound.on_message, on_connect=sound.on_connect, on_disconnect=sound.on_disconnect
    )
    with server, Link(server.address) as link, Client(link.address, timeout=1.5) as client:
        trial.left(1.0)
        client.recv()  # its number
        with Guest(server, "Ben") as ben:
            cases: tuple[tuple[tuple[str, ...], float], ...] = (
                (("hello",), 0.0),
                ((), 0.0),
                (("who is here: you?", "/to 1 psst", "a third line"), 0.0),
                (("I come late", "and I"), 0.3),
            )
            for said, delay in cases:
                link.set(delay=delay, way="down")
                for text in said:
                    ben.say(text)
                got = trial.call(answer, client)
                _compare(got, said, ben.number, late=delay > 0)
    return "All that had been sent, and nothing else; also when it was late."


def _compare(got: Any, said: tuple[str, ...], number: int, late: bool) -> None:
    prefix = f"{number} Ben"
    expected = [
        f"{prefix} to you: {text[6:]}" if text.startswith("/to") else f"{prefix}: {text}"
        for text in said
    ]
    if not isinstance(got, list | tuple) or list(got) != expected:
        how = ", on a slow line" if late else ""
        what = f"{len(said)} lines" if len(said) != 1 else "one line"
        raise NotYet(
            f"Ben said {what}{how}, and you returned `{plain(repr(got), 100)}`.",
            f"`{plain(repr(expected), 120)}`.",
            "How do you know that nothing more is on its way?",
        )


@lesson.exercise(
    solution=solutions.Tests,
    hints=(
        "One test a subject: numbers and names; leaving; rooms. Three guests see more than two: "
        "the one who acts, the one it is for, and the one it is not for.",
        "`heard() == [...]` sees what should come, and also what should not. Who leaves first, "
        "who later, and who comes after that?",
        "Two guests named Alice and a word to each; a number whose owner has left, and a newcomer; "
        "the first of three leaves, and both others hear it; somebody changes rooms.",
    ),
)
def tests(trial: Trial, answer: Any) -> str:
    """Three tests or more that pass on a sound chat server; each of five broken ones fails one."""
    return Jury(trial, answer).verdict()
