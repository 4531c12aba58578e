"""Lesson 11: one room on several servers, and one figure of several machines."""

import math
import statistics
from decimal import Decimal
from numbers import Real
from typing import Any

from sockkit.exercises.exchange import Company
from sockkit.exercises.latencies import PARTS, around
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.running import Failed
from sockkit.exercises.solutions import nb11 as solutions
from sockkit.exercises.told import Told
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

lesson = Lesson("11")
summary = lesson.summary

_RISING = (9, 10, 11, 99, 100, 101, 256, 1_000, 1_001, 70_000)  # numbers, and not texts
_TINY = 1e-7  # seconds: a number of half the precision is as right
_LONG = "For how long is a list good?"


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
    did = "Four servers joined, and `a` said `hello`."
    company.say("a", "hello")
    clue = "Who hears what you publish, and what do they do with it?"
    company.expect_everywhere(did, clue, "hello")
    company.expect_published(did, "a", "hello")
    company.hear("c", "from afar")
    did = "A server that is none of yours published `from afar`, as `c`."
    company.expect_everywhere(did, clue, "from afar")
    _know_their_own(company)
    _lose_what_is_said_while_it_is_gone(company)
    company = Company(trial, answer)
    company.say("a", "hello")
    did = "I made new servers and a new exchange, and `a` said `hello`."
    company.expect_everywhere(did, "What have you kept of those before?", "hello")
    return "Everybody heard it once, and at home they heard it always."


def _know_their_own(company: Company) -> None:
    """Words that are like others: in their text, in the names of their servers, in their time."""
    whose = "How do you know your own words from those of another?"
    for _ in range(2):
        company.say("b", "ok")
    company.expect_everywhere("`b` said `ok`, and then `ok` again.", whose, "ok", "ok")
    for name in ("a", "ab"):
        company.say(name, "ok")
        did = f"`b` had said `ok` twice, and then `{name}` said `ok`."
        company.expect_everywhere(did, whose, "ok")
    company.say("bb", "ok")
    did = "`bb`, which has no client, said `ok`."
    company.expect_everywhere(did, "Who else is to hear it?", "ok")
    company.say_slowly(("a", "one"), ("b", "two"))
    did = "`a` said `one`, `b` said `two`, and only then all heard what was published."
    whose = "How do you know your own words, whenever you hear them?"
    company.expect_everywhere(did, whose, "one", "two", in_order=False)


def _lose_what_is_said_while_it_is_gone(company: Company) -> None:
    """At home it is heard, elsewhere it is not: not even when the exchange is back."""
    company.exchange.gone = True
    company.say(
        "a",
        "still here",
        "`say` returns. While the exchange is gone, `publish` raises `ConnectionError`, and the "
        "clients at home still get the word.",
    )
    company.expect(
        "The exchange was gone, and `a` said `still here`.",
        "The clients at home get the word itself, once. What do they need the exchange for?",
        a=["still here"],
        ab=[],
        b=[],
    )
    company.wait_for_threads()  # which publish, and are late
    company.exchange.gone = False
    did = "The exchange was gone, and has been back for half a second."
    lost = "what can't be published is lost, and your threads end by themselves."
    company.expect_no_threads(did, lost)
    company.say("a", "back")
    did = "The exchange was gone and is back, and `a` said `back`."
    clue = "What was said meanwhile is lost, and what is said now is not."
    company.expect_everywhere(did, clue, "back")
    company.say("b", "still here")
    did = "`a` said `still here` while the exchange was gone. Now `b` said `still here` too."
    clue = "How do you know your own words from those of another?"
    company.expect_everywhere(did, clue, "still here")


@lesson.exercise(
    solution=solutions.fresh,
    hints=(
        "`last` is yours: what do you have to remember of each server?",
        "Its last serial. What is not above it has come before, or was overtaken.",
        "A gap is no reason to wait: what is missing may be lost, and nobody will tell you.",
    ),
)
def fresh(trial: Trial, answer: Any) -> str:
    """Whether this frame is to be delivered: no frame twice, each server's in ascending order."""
    notes: list[dict[Any, Any]] = [{}, {}, {}]

    def frame(
        server: str,
        serial: int,
        expected: bool,
        did: str,
        clue: str,
        last: dict[Any, Any] = notes[0],
    ) -> None:
        got = trial.call(answer, server, serial, last)
        if (got if isinstance(got, bool) else trial.call(bool, got)) is not expected:
            what = f"{did} The next frame was `{server}` {serial}."
            raise NotYet(f"{what} You returned `{plain(repr(got), 40)}`.", f"`{expected}`.", clue)

    clue = "There is no `a` in `last`. What do you return then?"
    frame("a", 1, True, "`last` was empty.", clue)
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
    before = {"a": 5, "b": 2}
    for server in before:
        for serial in _RISING:
            did = f"`{server}` had come to {before[server]}."
            frame(server, serial, True, did, f"Which comes later: {before[server]} or {serial}?")
            before[server] = serial
        for serial in (1, 999, *_RISING):
            did = f"`{server}` had come to {_RISING[-1]}."
            frame(server, serial, False, did, "Has it come before?")
    frame("a1", 1, True, "Of `a1` nothing had come.", "Whose serial is it?")
    where = "Where are your notes?"
    frame("a", 5, True, "I began again, and `last` was empty.", where, notes[1])
    frame("a", 1, True, "I began once more, with another dict.", where, notes[2])
    frame("a", 3, False, "I went back to the dict before, where `a` 5 had come.", where, notes[1])
    return "Every frame once, none too late, and nobody waited for what is lost."


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
    told = Told(trial, answer)
    told.expect(99, "Nobody has said anything.", "Where do these come from?")
    told.hear("a", [1, 2], 100)
    did = "At 100 s `a` told of clients 1 and 2."
    clue = "Each is called `number@server`, and a list is good for 3 seconds."
    told.expect(100, did, clue, "1@a", "2@a")
    clue = "Does asking change who is here?"
    told.expect(100, f"{did} I asked the same again.", clue, "1@a", "2@a")
    _second_object(Told(trial, answer))
    told.hear("b", [1], 100)
    did = "At 100 s `a` told of clients 1 and 2, and `b` of its client 1."
    clue = "How is a client called whose number another server has given as well?"
    told.expect(100, did, clue, "1@a", "2@a", "1@b")
    told.hear("b", [1], 101)
    did += " At 101 s `b` told the same again."
    told.expect(102.4, did, _LONG, "1@a", "2@a", "1@b")
    told.hear("a", [2, 3], 102.5)
    clue = "Client 1 has left `a`. Does a list add to the one before, or replace it?"
    did += " At 102.5 s `a` told of 2 and 3."
    told.expect(102.8, did, clue, "2@a", "3@a", "1@b")
    told.expect(103.9, did, _LONG, "2@a", "3@a", "1@b")
    told.expect(104.1, did, "How long ago did `b` say anything?", "2@a", "3@a")
    told.expect(105.6, did, "How long ago did anybody say anything?")
    told.hear("b", [8], 200)
    told.expect(201, f"{did} At 200 s `b` was back, with client 8.", _LONG, "8@b")
    told.hear("b", [], 201)
    told.expect(202, "`b` told that nobody is with it.", "Is an empty list the same as no list?")
    _three_servers(told)
    return "Who left was gone at once, and who died was gone after three seconds."


def _second_object(told: Told) -> None:
    """It shares nothing with the first, and its time begins at 0."""
    did = "I made a second object of your class, which has heard nothing."
    told.expect(100, did, "Do the two share their notes?")
    told.hear("a", [1], 0)
    told.expect(1, "At 0 s `a` told a new object of client 1.", _LONG, "1@a")


def _three_servers(told: Told) -> None:
    """One server's name ends as another's does, and all die between two questions."""
    whose = "Whose clients does a list replace?"
    told.hear("ba", [5], 300)
    told.hear("a", [12], 300)
    did = "At 300 s `ba` told of 5, and `a` of 12."
    told.expect(300.1, did, whose, "5@ba", "12@a")
    told.hear("a", [3], 300.2)
    did += " At 300.2 s `a` told of 3."
    told.expect(300.3, did, whose, "5@ba", "3@a")
    told.hear("b", [], 300.4)
    told.expect(300.5, f"{did} Then `b` told that nobody is with it.", whose, "5@ba", "3@a")
    told.hear("b", [8], 300.6)
    did += " At 300.6 s `b` told of 8."
    first = told.expect(300.7, did, _LONG, "5@ba", "3@a", "8@b")
    told.expect(304, did, "How long ago did each of them say anything?")
    if isinstance(first, list | set) and len(first) != 3:
        raise NotYet(
            "I asked at 300.7 s and at 304 s. Meanwhile the list that you had returned first "
            "changed.",
            "a new list each time.",
        )


@lesson.exercise(
    solution=solutions.merged,
    hints=(
        "If one engine has ten times the replies of the other, whose percentile weighs more?",
        "No percentile of the whole follows from those of its parts. What does?",
        "All replies in one list, sorted: p50 is the value in its middle, p100 its last.",
    ),
)
def merged(trial: Trial, answer: Any) -> str:
    """The latency that this many percent of the replies of all parts together did not exceed."""
    for parts, percent in PARTS:
        given = [list(part) for part in parts]
        sizes = " and ".join(f"{len(part):,}" for part in parts)
        low, expected, high = around(parts, percent)
        try:
            got = trial.call(answer, given, percent)
        except Failed:  # told with the exception
            asked = f"`{expected}`. I asked for p{percent} of {sizes} replies."
            raise NotYet("", asked) from None
        if given != parts:
            raise NotYet("After your call my lists are not as they were.", "they stay as they are.")
        number = float(got) if isinstance(got, Real | Decimal) else math.nan
        if not low - _TINY <= number <= high + _TINY:
            did = f"{sizes} replies came through the engines. I asked for p{percent}."
            clue = "How many of all these replies are below what you returned?"
            each = [around([part], percent)[1] for part in parts if part]
            if number == statistics.mean(each):
                clue = "That is the mean of the percentiles. Did any reply take so long?"
            if math.isnan(number):
                clue = "What you return, is it a number?"
            raise NotYet(f"{did} You returned `{plain(repr(got), 40)}`.", f"`{expected}`.", clue)
    return "One distribution, however many machines it came from."
