"""Lesson 06: who is here, what happened, and a window that shows it."""

import time
from collections.abc import Callable
from typing import Any

from sockkit.exercises.comings import FOR_EACH_OBJECT, Overlap, Room, must_have
from sockkit.exercises.controls import Field
from sockkit.exercises.kept import times_kept
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.snapshots import CHANGES, expect_a_moment, expect_keys, look
from sockkit.exercises.solutions import nb06 as solutions
from sockkit.exercises.talker import Talker
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.window import PARTS, Visitor
from sockkit.sync import Server
from sockkit.text import plain

lesson = Lesson("06")
summary = lesson.summary

_MOST = 12  # places of one call at which something happens meanwhile
_MANY = 1_000  # lines, for a log that should not grow
_PROMPT = 0.05  # seconds in which an answer that waits for nothing has returned
_TRIES = 3

_BETWEEN = "What may happen between two of your lines?"
_MUCH = "How much may happen before I ask again?"

# How a call and a callback can overlap: who stands still, and what happens meanwhile.
_OVERLAPS: tuple[Callable[[Room, int, list[int]], Overlap | None], ...] = (
    lambda room, point, here: room.during(point),
    lambda room, point, here: room.during(point, here[-1], join=False),
    lambda room, point, here: room.during(point, here[-1]),
    lambda room, point, here: room.ask_during(point),
    lambda room, point, here: room.ask_during(point, here[0]),
)


@lesson.exercise(
    solution=solutions.Roster,
    hints=(
        "Keep a dictionary from number to connection. Hand out a copy of it, not the dictionary.",
        "`dict.copy` copies in one step; a loop of yours takes many, and clients come meanwhile.",
        "`types.MappingProxyType(mapping)` lets others look, and not change. But it is a view of "
        "what you give it: give it a copy.",
    ),
)
def snapshot(trial: Trial, answer: Any) -> str:
    """A class for callbacks: `snapshot()` maps number to connection, and never changes after."""
    room = Room(trial, answer, "snapshot")
    for _ in range(3):
        room.join()
    room.expect_own()
    first = room.ask()
    expect_keys(trial, first, [1, 2, 3], "Three clients came.")
    numbers = look(trial, lambda: [getattr(first[key], "number", None) for key in (1, 2, 3)])
    if numbers != [1, 2, 3]:
        raise NotYet("`snapshot()[1]` is not client 1's connection.", "the connection, by number.")
    room.leave(2)
    now = room.ask()
    expect_keys(trial, now, [1, 3], "Client 2 left.")
    expect_keys(
        trial,
        first,
        [1, 2, 3],
        "I took a snapshot of three clients, and then client 2 left.",
        "Is what you hand out a copy, or a view of what you keep?",
    )
    for what, change in CHANGES.items():
        room.must_refuse(what, change)
    for overlap in _OVERLAPS:
        for point in range(1, _MOST):
            room.stir()
            here, new = sorted(room.here), room.count + 1
            met = overlap(room, point, here)
            if not met:
                break
            between = [here, [*here, new]] if room.count == new else [here]
            expect_a_moment(trial, met, *between, sorted(room.here))
            once_more = f"{met.said} I asked once more."
            expect_keys(trial, room.ask(), sorted(room.here), once_more, _BETWEEN)
    for number in sorted(room.here):
        room.leave(number)
    expect_keys(trial, room.ask(), [], "Everybody left.")
    return "Each snapshot was right when it was taken, stayed as it was, and could not be changed."


@lesson.exercise(
    solution=solutions.News,
    hints=(
        "Two snapshots can't tell who came and left between them. The callbacks can.",
        "`queue.SimpleQueue` is made for two threads: `put` in the callbacks, `get` in `news`.",
        "`get()` waits when there is nothing. How many are there? `qsize()`. Or `get_nowait()`, "
        "and `queue.Empty`.",
    ),
)
def news(trial: Trial, answer: Any) -> str:
    """A class for callbacks: `news()` lists `1 joined`, `1 left`, …, in order, each told once."""
    room = Room(trial, answer, "news")
    for _ in range(3):
        room.join()
    room.expect_own()
    _expect_news(room, ["1 joined", "2 joined", "3 joined"], "Three clients came, one by one.")
    _expect_news(room, [], "Nothing has happened since I asked last.")
    _expect_no_wait(room)
    room.join()
    room.leave(4)
    room.leave(2)
    room.join()
    then = "What do you know of somebody who is not here at either look?"
    said = "Client 4 came and left, client 2 left, and client 5 came. After that I asked."
    _expect_news(room, ["4 joined", "4 left", "2 left", "5 joined"], said, then)
    ten = range(6, 16)
    for _ in ten:
        room.join()
    for number in ten:
        room.leave(number)
    happened = [f"{number} {what}" for what in ("joined", "left") for number in ten]
    _expect_news(room, happened, "Ten clients came, and then they left. After that I asked.", _MUCH)
    for overlap in _OVERLAPS:
        for point in range(1, _MOST):
            before = room.stir()  # or there would be nothing to tell
            met = overlap(room, point, sorted(room.here))
            if not met:
                room.ask()
                break
            _expect_once(room, met, [before, *met.happened])
    return "Everybody who came or left was told of once, in order, however bad the moment."


@lesson.exercise(
    solution=solutions.Log,
    hints=(
        "`add` only keeps the text. `flush` alone sets `field.value`, once.",
        "`collections.deque(maxlen=5)` forgets the oldest by itself; `copy()` is one step.",
        "Do you note that there is something new? A text may come while you show the others.",
    ),
)
def log(trial: Trial, answer: Any) -> str:
    """`add(text)` on any thread; `flush()` shows the newest five lines, and older ones are gone."""
    field = Field()
    keeper = trial.call(answer, field)
    must_have(keeper, "add", "flush")
    other_field = Field()
    other = trial.call(answer, other_field)
    talker = Talker(trial, keeper, field)
    for texts in (("one", "two"), ("three",), tuple(f"line {n}" for n in range(_MANY))):
        talker.say(*texts)
        talker.flush(f"{len(talker.said)} messages came, and I called `flush`.")
    _expect_to_forget(keeper, field, len(talker.said))
    _expect_own(trial, other, other_field)
    for overlap in (talker.say_during, talker.flush_during):
        for point in range(1, _MOST):
            if not overlap(point):
                break
    return "Nothing was lost, nothing was shown by the wrong thread, and each flush was one change."


@lesson.exercise(
    solution=solutions.my_panel,
    hints=(
        "Each button gets a function of its own: `window.send.on_click(send)`. It is called with "
        "the button.",
        "The fields are read when the click comes, not when the panel is made.",
        "`try` what a click does, and in `except Exception as error:` set `window.error.value`.",
        "What does `window.error.value` tell after a click that has worked?",
    ),
)
def panel(trial: Trial, answer: Any) -> str:
    """A `Window` whose buttons send to one or to all. `error.value` tells whether it failed."""
    with Server() as server:
        window = trial.call(answer, server)
        must_have(window, *PARTS)
        partners = []
        for number in (1, 2, 3):
            partners.append(trial.connect(server.address, f"client {number}"))
            trial.wait(lambda number=number: number in server.clients)  # type: ignore[misc]
        for round_, press in enumerate((trial.start, trial.start_beside)):
            Visitor(trial, window, partners, press, round_).click_all()
    return "Both buttons worked, on two threads. What failed was told, until the next success."


def _expect_own(trial: Trial, other: Any, field: Field) -> None:
    trial.start_beside(other.flush).result(1.0, "it returns at once.")
    if field.value:
        raise NotYet(
            "I made two of your logs, each with a field of its own. Messages came to one of them, "
            f"and the field of the other shows `{_shown(field.value)}`.",
            "nothing: no message came to that one.",
            FOR_EACH_OBJECT,
        )


def _expect_to_forget(keeper: Any, field: Field, came: int) -> None:
    kept = times_kept(keeper, "line ", field)
    if kept > _MANY // 2:
        raise NotYet(
            f"{came:,} messages came, and I called `flush`. Your log still holds {kept:,} lines.",
            "what it will not show again is forgotten: a server runs for weeks.",
            "Which of your lines takes something away?",
        )


def _expect_news(room: Room, expected: list[str], said: str, then: str = "") -> None:
    got = room.ask()
    if _as_list(got) != expected:
        if sorted(map(str, _as_list(got))) == sorted(expected):
            then = "How do you know which of them happened first?"
        if not isinstance(got, list | tuple):
            then = f"You returned a `{type(got).__name__}`. What makes a list of it?"
        raise NotYet(f"{said} `news()` returned `{_shown(got)}`.", f"`{_shown(expected)}`.", then)


def _expect_once(room: Room, met: Overlap, expected: list[str]) -> None:
    told = [*_as_list(met.running.result()), *_as_list(room.ask())]
    if told != expected:
        raise NotYet(
            f"{met.said} In that call and the next, I was told `{_shown(told)}`.",
            f"`{_shown(expected)}`, each in one of the two.",
            _BETWEEN,
        )


def _expect_no_wait(room: Room) -> None:
    """With nothing to tell, `news` is quick, be it only once: the machine may have other work."""
    begun = time.monotonic()
    took: list[float] = []
    while len(took) < _TRIES or time.monotonic() - begun < 1.0:
        asked = time.monotonic()
        room.ask()
        took.append(time.monotonic() - asked)
        if took[-1] < _PROMPT:
            return
    raise NotYet(
        f"Nothing had happened, and `news()` took {min(took):.2f} s or more, each time I asked.",
        "it never waits: when there is nothing to tell, it says so at once.",
        "How can you learn that a queue is empty, without waiting for what comes?",
    )


def _as_list(value: Any) -> list[Any]:
    """A list, or a tuple as one; all else is one thing."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _shown(value: Any) -> str:
    return plain(repr(value), 120)
