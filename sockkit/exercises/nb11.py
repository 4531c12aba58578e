"""Lesson 11: one room on several servers, and one figure of several machines."""

import statistics
from typing import Any

from sockkit.exercises.exchange import Company
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.solutions import nb11 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

lesson = Lesson("11")
summary = lesson.summary


@lesson.exercise(
    solution=solutions.one_room,
    hints=(
        "Two functions inside yours: one is called when something is heard, the other you return.",
        "You hear your own words as well. The sender's name tells them from those of others; "
        "their text does not: people say the same thing twice.",
        "`publish` raises ConnectionError while the exchange is gone. The clients at home come "
        "first, and what can't be published is lost.",
    ),
)
def one_room(trial: Trial, answer: Any) -> str:
    """Join a server to the exchange: what `say(text)` says reaches each client everywhere once."""
    company = Company(trial, answer)
    company.say("a", "hello")
    once = "Who hears what you publish, and what do they do with it?"
    company.expect(
        "Three servers joined, and `a` said `hello`.", once, a=["hello"], b=["hello"], c=["hello"]
    )
    for _ in range(2):
        company.say("b", "ok")
    twice = ["ok", "ok"]
    clue = "How do you know your own words from those of another?"
    company.expect("`b` said `ok`, and then `ok` again.", clue, b=twice, a=twice, c=twice)
    company.exchange.gone = True
    company.say("a", "still here")
    company.expect(
        "The exchange was gone, and `a` said `still here`.",
        "What do the clients at home need the exchange for?",
        a=["still here"],
        b=[],
        c=[],
    )
    company.exchange.gone = False
    company.say("c", "back")
    company.expect(
        "The exchange was gone and is back, and `c` said `back`.",
        "What was said meanwhile is lost, and what is said now is not.",
        c=["back"],
        a=["back"],
        b=["back"],
    )
    return "Everybody heard it once, and at home they heard it always."


@lesson.exercise(
    solution=solutions.Presence,
    hints=(
        "For each server, keep its last list and the time until which that is good.",
        "A list replaces the one before: who is not on it has left.",
        "Nobody tells you that a server has died. When can you know?",
    ),
)
def presence(trial: Trial, answer: Any) -> str:
    """A class with `heard(server, numbers, now)` and `here(now)`: each list is good for 3 s."""
    told = trial.call(answer)
    numbers = [1, 2]

    def here(now: float, did: str, clue: str, *expected: str) -> None:
        got = trial.call(told.here, now)
        try:
            names = sorted(got)
        except TypeError:
            raise NotYet(f"`here` returned `{plain(repr(got), 60)}`.", "a list of names.") from None
        if names != sorted(expected):
            shown = ", ".join(f"`{plain(name, 30)}`" for name in names[:8]) or "nobody"
            wanted = ", ".join(f"`{name}`" for name in expected) or "nobody"
            raise NotYet(f"{did} At {now:g} s you say: {shown}.", f"{wanted}.", clue)

    here(99, "Nobody has said anything.", "")
    trial.call(told.heard, "a", numbers, 100)
    trial.call(told.heard, "b", [1], 101)
    did = "At 100 s `a` told of clients 1 and 2, at 101 s `b` of its client 1."
    clue = "How is a client called whose number another server has given as well?"
    here(102, did, clue, "1@a", "2@a", "1@b")
    numbers.append(7)
    here(
        102,
        f"{did} Then I used my list for something else.",
        "Whose list is it?",
        "1@a",
        "2@a",
        "1@b",
    )
    trial.call(told.heard, "a", [2, 3], 102.5)
    clue = "Client 1 has left `a`. Does a list add to the one before, or replace it?"
    did += " At 102.5 s `a` told of 2 and 3."
    here(102.8, did, clue, "2@a", "3@a", "1@b")
    here(103.9, did, "For how long is a list good?", "2@a", "3@a", "1@b")
    here(104.1, did, "How long ago did `b` say anything?", "2@a", "3@a")
    here(105.6, did, "How long ago did anybody say anything?")
    trial.call(told.heard, "b", [8], 200)
    here(201, f"{did} At 200 s `b` was back, with client 8.", "", "8@b")
    trial.call(told.heard, "b", [], 201)
    here(202, "`b` told that nobody is with it.", "Is an empty list the same as no list?")
    return "Who left was gone at once, and who died was gone after three seconds."


@lesson.exercise(
    solution=solutions.fresh,
    hints=(
        "`last` is yours: what do you have to remember of each server?",
        "Its last serial. What is not above it has come before, or was overtaken.",
        "A gap is no reason to wait: what is missing may be lost, and nobody will tell you.",
    ),
)
def fresh(trial: Trial, answer: Any) -> str:
    """True if this frame is to be delivered: no frame twice, each server's in ascending order."""
    last: dict[Any, Any] = {}

    def frame(server: str, serial: int, expected: bool, did: str, clue: str) -> None:
        got = trial.call(answer, server, serial, last)
        if got is not expected:
            what = f"{did} The next frame was `{server}` {serial}."
            raise NotYet(f"{what} You returned `{plain(repr(got), 40)}`.", f"`{expected}`.", clue)

    frame("a", 1, True, "`last` was empty.", "Has anything come before?")
    frame("b", 1, True, "`a` 1 had come.", "Whose serial is it?")
    frame("a", 1, False, "`a` 1 and `b` 1 had come.", "Has it come before?")
    frame("a", 2, True, "`a` 1 had come.", "What is the next one after 1?")
    did = "`a` 1 and 2 had come."
    frame("a", 4, True, did, "And if 3 is lost, for how long would you wait?")
    frame("a", 3, False, "`a` 1, 2 and 4 had come.", "What has the client read already?")
    frame("a", 5, True, "`a` 1, 2, 4 had come, and 3 too late.", "Which one was the last?")
    frame("b", 2, True, "`a` had come to 5, `b` to 1.", "Whose serial is it?")
    frame("c", 40, True, "Of `c` nothing had come.", "Must the first one that you hear be 1?")
    frame("c", 39, False, "`c` 40 had come.", "What has the client read already?")
    for server in "ab":
        for serial in range(6, 200):
            frame(server, serial, True, f"`{server}` had come to {serial - 1}.", "")
        for serial in range(1, 200):
            frame(server, serial, False, f"`{server}` had come to 199.", "Has it come before?")
    return "Every frame once, none too late, and nobody waited for what is lost."


@lesson.exercise(
    solution=solutions.merged,
    hints=(
        "If one engine has ten times the replies of the other, whose percentile weighs more?",
        "No percentile of the whole follows from those of its parts. What does?",
        "All replies in one list, sorted: p50 is the value in its middle.",
    ),
)
def merged(trial: Trial, answer: Any) -> str:
    """The latency that this many percent of the replies of all parts together did not exceed."""
    for parts, percent, expected in PARTS:
        given = [list(part) for part in parts]
        got = trial.call(answer, given, percent)
        if given != parts:
            raise NotYet("After your call my lists are not as they were.", "they stay as they are.")
        if not isinstance(got, int | float) or abs(got - expected) > 1e-9:
            sizes = " and ".join(f"{len(part):,}" for part in parts)
            did = f"{sizes} replies came through the engines. I asked for p{percent}."
            clue = "How many of all these replies are below what you returned?"
            each = [_percentile(part, percent) for part in parts if part]
            if got == statistics.mean(each):
                clue = "That is the mean of the percentiles. Did any reply take so long?"
            raise NotYet(f"{did} You returned `{plain(repr(got), 40)}`.", f"{expected}.", clue)
    return "One distribution, however many machines it came from."


# Far from the percentile, so that every way of counting ranks agrees.
PARTS: list[tuple[list[list[float]], float, float]] = [
    ([[1.0] * 900, [50.0] * 100], 50, 1.0),
    ([[1.0] * 900, [50.0] * 100], 95, 50.0),
    ([[50.0] * 10, [1.0] * 990], 50, 1.0),
    ([[9.0] * 30 + [2.0] * 300, [2.0] * 300 + [9.0] * 30], 50, 2.0),
    ([[9.0] * 60, [1.0] * 40], 20, 1.0),
    ([[], [3.0] * 5], 50, 3.0),
    ([[1.0] * 10, [2.0] * 10, [7.0] * 80], 50, 7.0),
    ([[4.0, 1.0], [3.0, 2.0]], 100, 4.0),
]


def _percentile(part: list[float], percent: float) -> float:
    value: float = solutions.merged([part], percent)  # type: ignore[no-untyped-call]
    return value
