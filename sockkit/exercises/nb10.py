"""Lesson 10: a chat server with rooms, and tests that tell a sound one from broken ones."""

from typing import Any

from sockkit.exercises.goings import leaves, one_is_dropped, two_at_once, while_one_goes
from sockkit.exercises.jury import Jury
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.listening import Listening
from sockkit.exercises.members import Chatroom
from sockkit.exercises.questions import (
    TALKERS,
    all_at_once,
    answered_alone,
    listed,
    nobody_is_thrown_out,
    rooms,
    three,
    to_one_of_many,
    told,
)
from sockkit.exercises.solutions import nb10 as solutions
from sockkit.exercises.trial import Trial

lesson = Lesson("10")
summary = lesson.summary

_MANY = 20  # clients of one name
_CROWD = 100  # clients more, who are there at the same time


@lesson.exercise(
    solution=solutions.Lobby,
    hints=(
        "Keep a dictionary from number to connection: in at `on_connect`, out at `on_disconnect`.",
        "Two helpers pay off: one makes `1 Ada` of a connection, one tells all others. The number "
        "without a name has no blank after it.",
        "`connection.name` is there for the label. One who goes just now raises `ConnectionLost`: "
        "no reason to stop before all others have been told, and none to throw out the sender.",
    ),
)
def lobby(trial: Trial, answer: Any) -> str:
    """A class with a server's callbacks: a chat with one room, names, `/who`, and leaves."""
    with Chatroom(trial, answer) as room:
        ada, ben, cleo = three(room)
        ben.say("/name Big Ben")
        for other in (ada, cleo):
            other.expect_nothing("Client 2 said `/name Big Ben`. Then")
        listed(ada, "1 Ada, 2 Big Ben, 3", "Client 2 said `/name Big Ben`, and")
        ben.leave()
        for other in (ada, cleo):
            then = "Which callback is told of every end?"
            told(other, "* 2 Big Ben left", "Client 2 closed politely.", then)
        listed(ada, "1 Ada, 3", "Client 2 closed politely, and")
        cleo.crash()
        told(ada, "* 3 left", "Client 3 reset its connection.")
        second = room.join("Ada")
        second.say("hello")
        told(ada, "4 Ada: hello", "Client 4 said `/name Ada`, as client 1 did, and then `hello`.")
        listed(second, "1 Ada, 4 Ada", "Clients 2 and 3 left, client 4 said `/name Ada`, and")
        zoe = one_is_dropped(room, second, ada)
        later = two_at_once(room, ada, second, zoe)
        more = [room.join().label for _ in range(_MANY)]
        labels = ["1 Ada", "4 Ada", zoe.label, later.label, *more]
        listed(second, ", ".join(labels), f"{_MANY} more came, and")
        nobody_is_thrown_out(second)
        room.expect_own()
    return "Who came had a number, who spoke was known, and who left was told of, once."


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
        ada, ben, cleo = three(room)
        answered_alone(ada, ben, cleo)
        rooms(ada, ben, cleo)
        leaves(room, ada, ben, cleo)
        zoe = one_is_dropped(room, ada)
        later = two_at_once(room, ada, zoe)
        while_one_goes(room, zoe, ada)
        others = [room.join("Ada") for _ in range(_MANY)]
        labels = ["1 Ada", "3", zoe.label, later.label, *(member.label for member in others)]
        listed(others[-1], ", ".join(labels), f"{_MANY} more came, all called Ada, and")  # 5
        to_one_of_many(others)
        all_at_once(others[:TALKERS])
        nobody_is_thrown_out(ada)
        for _ in range(_CROWD):  # question 1
            room.join()
        room.expect_own()
        there = len(labels) + _CROWD
    return (
        f"1: all came in, {there} at once. 2: each was known. 3: one alone was answered. 4: who "
        "left was told. 5: the list was right. 6: five talked at once, and nothing was lost or "
        "mixed."
    )


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
    return Listening(trial, answer).verdict()


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
