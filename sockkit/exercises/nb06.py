"""Lesson 06: who is here, what happened, and a window that shows it."""

import itertools
import time
from typing import Any

from sockkit.exercises.comings import Room, must_have
from sockkit.exercises.controls import Field
from sockkit.exercises.kept import times_kept
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.meanwhile import Meanwhile, Patience
from sockkit.exercises.snapshots import CHANGES, expect_a_moment, expect_keys, look
from sockkit.exercises.solutions import nb06 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.window import PARTS, Visitor
from sockkit.sync import Server
from sockkit.text import plain

lesson = Lesson("06")
summary = lesson.summary

_MOST = 12  # places of one call at which something happens meanwhile
_LINES = 5
_MANY = 1_000  # lines, for a log that should not grow
_PROMPT = 0.05  # seconds in which an answer that waits for nothing has returned
_TRIES = 3


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
    first = room.ask()
    expect_keys(trial, first, [1, 2, 3], "Three clients came.")
    if look(trial, lambda: [first[number].number for number in (1, 2, 3)]) != [1, 2, 3]:
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
    for point in range(1, _MOST):
        here = sorted(room.here)
        meanwhile = room.join_during(point)
        if not meanwhile:
            break
        came = f"Client {room.count} came"
        expect_a_moment(trial, meanwhile, came, here, sorted(room.here))
    for point in range(1, _MOST):
        room.join()
        here = sorted(room.here)
        meanwhile = room.leave_during(point, here[-1])
        if not meanwhile:
            break
        expect_a_moment(trial, meanwhile, f"Client {here[-1]} left", here, here[:-1])
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
    _expect_news(room, ["1 joined", "2 joined", "3 joined"], "Three clients came, one by one.")
    _expect_news(room, [], "Nothing has happened since I asked last.")
    _expect_no_wait(room)
    room.join()
    room.leave(4)
    room.leave(2)
    then = "What do you know of somebody who is not here at either look?"
    said = "Client 4 came and left, then client 2 left. After that I asked."
    _expect_news(room, ["4 joined", "4 left", "2 left"], said, then)
    for point in range(1, _MOST):
        meanwhile = room.join_during(point)
        if not meanwhile:
            break
        told = [*_as_list(meanwhile.running.result()), *_as_list(room.ask())]
        expected = [f"{room.count} joined"]
        if told != expected:
            raise NotYet(
                f"Client {room.count} came while `news` was at work, just before "
                f"{meanwhile.place}. In that call and the next, I was told `{_shown(told)}`.",
                f"`{_shown(expected)}`, in one of the two.",
                "What may happen between two of your lines?",
            )
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
    added = itertools.count(1)
    seen = [0]

    def on_message(connection: Any, text: str) -> None:
        keeper.add(text)
        seen[0] = next(added)

    host = trial.serve(on_message=on_message)
    partner = trial.connect(host.address)
    said: list[str] = []

    def say(*texts: str) -> None:
        partner.send("".join(f"{text}\n" for text in texts).encode())
        said.extend(texts)

    def flush() -> None:
        trial.start_beside(keeper.flush).result(1.0, "it returns at once.")

    def shows(when: str, changes: int) -> None:
        made, expected = len(field.changes) - changes, "\n".join(said[-_LINES:])
        if field.value != expected:
            got = plain(repr(field.value), 120)
            raise NotYet(f"{when} `field.value` is `{got}`.", f"`{plain(repr(expected), 120)}`.")
        if made > 1:
            raise NotYet(
                f"{when} One `flush` changed `field.value` {made} times.",
                "once: each change is a message to the page.",
                "Can you make the whole text first?",
            )

    def keep_off(begun: int) -> None:
        if len(field.changes) > begun:
            raise NotYet(
                "A client said something, and `field.value` changed on the server's thread.",
                "nobody but `flush` touches the field.",
                "What must `add` do, so that `flush` can show it later?",
            )

    for texts in (("one", "two"), ("three",), tuple(f"line {n}" for n in range(_MANY))):
        changes = len(field.changes)
        say(*texts)
        trial.wait(lambda: seen[0] == len(said), 2.0)
        keep_off(changes)
        flush()
        shows(f"{len(said)} messages came, and I called `flush`.", changes)
    _expect_to_forget(keeper, field, len(said))
    patience = Patience(trial, host.running)
    for point in range(1, _MOST):
        if patience.at_end:
            break
        changes = len(field.changes)
        say(f"before point {point}")
        trial.wait(lambda: seen[0] == len(said))
        keep_off(changes)
        meanwhile = Meanwhile(trial, keeper.flush, point)
        if not meanwhile.stopped():
            break
        before = len(field.changes)
        say(f"at point {point}")
        patience.wait(lambda: seen[0] == len(said))
        others = {thread for thread, _ in field.changes[before:]}
        meanwhile.go_on()
        if others:
            keep_off(before)
        meanwhile.running.result(1.0)
        patience.wait_after(lambda: seen[0] == len(said))
        changes = max(changes, len(field.changes))
        flush()
        shows(
            f"A message came while `flush` was at work, just before {meanwhile.place}. "
            "I called `flush` once more.",
            changes,
        )
    return "Nothing was lost, nothing was shown by the wrong thread, and each flush was one change."


@lesson.exercise(
    solution=solutions.my_panel,
    hints=(
        "Each button gets a function of its own: `window.send.on_click(send)`. It is called with "
        "the button.",
        "The fields are read when the click comes, not when the panel is made.",
        "`try` the send, and in `except Exception as error:` set `window.error.value`.",
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
            Visitor(window, partners, press, round_).click_all()
    return "Both buttons worked, on two threads. What failed was told, until the next success."


def _expect_to_forget(keeper: Any, field: Field, came: int) -> None:
    kept = times_kept(keeper, "line ", field)
    if kept >= _MANY:
        raise NotYet(
            f"{came:,} messages came, and I called `flush`. Your log still holds {kept:,} lines.",
            "what it will not show again is forgotten: a server runs for weeks.",
            "Which of your lines takes something away?",
        )


def _expect_news(room: Room, expected: list[str], said: str, then: str = "") -> None:
    got = room.ask()
    if _as_list(got) != expected:
        raise NotYet(f"{said} `news()` returned `{_shown(got)}`.", f"`{_shown(expected)}`.", then)


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
    return list(value) if isinstance(value, list | tuple) else [value]


def _shown(value: Any) -> str:
    return plain(repr(value), 120)
