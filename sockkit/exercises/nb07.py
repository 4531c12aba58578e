"""Lesson 07: which order loses, and who may touch what."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from sockkit.exercises import registries
from sockkit.exercises.asking import asked, expect_to_run, first_loss
from sockkit.exercises.interleaved import Turns
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.orders import LINES, arrive, letters_of
from sockkit.exercises.rooms import Counts, House, busy, sleeping_loop
from sockkit.exercises.schedules import Outcome, schedules
from sockkit.exercises.shared import Room, SharedDict, SharedLock
from sockkit.exercises.solutions import nb07 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import named
from sockkit.text import plain

lesson = Lesson("07")
summary = lesson.summary

_HANDED_OVER = 0.1  # seconds that a call gets while the loop is busy; one that waits needs more
_CROSSING = 1.0  # seconds for each of two houses
_THE_KITS, _BROKEN = 0.8, 2.4  # seconds to ask the registries; they take hundredths, if not busy


@lesson.exercise(
    solution=solutions.order,
    value=True,
    hints=(
        "Which line reads what another line has written?",
        "Both must have counted before either of them reads the count.",
        "So one A and one B come first. In what follows, any order will do.",
    ),
)
def order(trial: Trial, answer: Any) -> str:
    """Name an order of lines, such as "AAABBB", after which A and B are told the same number."""
    letters = letters_of(answer)
    room = Room(count=0, clients=[], told={})
    turns = Turns(trial, [lambda: arrive(room, "A"), lambda: arrive(room, "B")], "AB")
    try:
        for letter in letters:
            turns.go_on(turns.actors["AB".index(letter)], 1)
        for actor in turns.actors:
            turns.go_on(actor)
    finally:
        turns.end()
    told = room.told
    if told["A"] != told["B"]:
        rest = "" if len(letters) == 2 * LINES else ", and then the lines that you left out"
        raise NotYet(
            f"I let them run in the order `{letters}`{rest}. "
            f"A was told {told['A']}, and B {told['B']}.",
            "both are told the same number.",
            "Which line reads the count, and what must have happened before it?",
        )
    return f"Both were told {told['A']}, and each line alone was safe."


@lesson.exercise(
    solution=solutions.join,
    hints=(
        "What is read and what is written must belong together: put all of it under one lock.",
        "`with room.lock:` takes it, and gives it back on every way out, a `return` too.",
        "Is the number that you return read while you hold the lock?",
    ),
)
def join(trial: Trial, answer: Any) -> str:
    """Count up `room.count`, keep the name under the new number, return it; from any thread."""
    room, names = _room(), ("ann", "bob")
    got = _called(trial, answer, room, "ann")
    if got != 1 or dict(room.names.copy()) != {1: "ann"} or room.count != 1:
        raise NotYet(
            f"I called `join(room, 'ann')` once, in one thread. It returned `{_shown(got)}`, "
            f"`room.count` is {_shown(room.count)}, `room.names` is `{_shown(room.names)}`.",
            "1, 1, and `{1: 'ann'}`.",
        )
    told: dict[str, Any] = {}

    def threads(room: Any) -> list[Callable[[], Any]]:
        told.clear()
        return [
            lambda name=name: told.__setitem__(name, answer(room, name))  # type: ignore[misc]
            for name in names
        ]

    for outcome in schedules(trial, _room, threads, names):
        _raise_for_errors(outcome, "join")
        if outcome.waiting:
            raise NotYet(
                f"ann and bob joined from two threads. {outcome.waiting}",
                "each of them gets a number.",
                "Who took what they wait for, and on which line is it given back?",
            )
        kept = dict(outcome.state.names.copy())
        numbers = sorted(told.values(), key=repr)
        if numbers != [1, 2] or {name: number for number, name in kept.items()} != told:
            came = f". {outcome.switch}; then the other one came."
            then = "What had been read by then, and is it still true when it is used?"
            if not outcome.switch:
                came = ", one after the other."
                then = "What does the one who comes second find in the room?"
            raise NotYet(
                f"ann and bob joined from two threads{came} ann was told {_shown(told['ann'])}, "
                f"bob {_shown(told['bob'])}, and `room.names` is `{_shown(kept)}`.",
                "the numbers 1 and 2, each with its name.",
                then,
            )
        if getattr(outcome.state.lock, "owner", None):  # unless the answer has put another there
            raise NotYet(
                "ann and bob joined from two threads, and `room.lock` is still held.",
                "it is given back, on every way out: somebody may come third.",
            )
    return "Whichever line one of them had reached, the other got a number of its own."


def _room() -> Any:
    return Room(count=0, names=SharedDict(), lock=SharedLock("room.lock"))


@lesson.exercise(
    solution=solutions.count,
    hints=(
        "Who may touch `counts`? So what can another thread do, but ask?",
        "A loop has one method for that: its name says that it is safe from any thread.",
        "Hand over a function that does all of it, reading and writing, and takes what it needs.",
    ),
)
def count(trial: Trial, answer: Any) -> str:
    """Add 1 to `counts[room]`, which only the loop's thread may touch; called from any thread."""
    calls = {"lobby": 3, "garden": 2}
    counts, failed = Counts(), list[BaseException]()
    with sleeping_loop(counts, failed.append) as loop:
        returns = "it hands over the work, and returns."
        for room in ("lobby", "garden"):
            running = trial.start_beside(answer, loop, counts, room)
            running.result(expected=returns)
            running.expect_plain()
        late = []
        with busy(loop):  # so that it gets to the first of these when the others were made as well
            for room in ("lobby", "lobby", "garden"):
                late.append(trial.start_beside(answer, loop, counts, room))
                late[-1].ended(_HANDED_OVER)
        for running in late:
            running.result(expected=returns)
        if counts.strangers:
            raise NotYet(
                "I called `count` from threads of my own, and `counts` was touched there.",
                "only the loop's thread reads or changes it.",
                "Which of your lines run in the thread that calls you?",
            )
        trial.wait(lambda: bool(failed) or dict.__eq__(counts, calls), 0.3)
        if failed:
            raise NotYet(f"What you handed to the loop raised {named(failed[0])}.", "it adds 1.")
        _expect_counts(trial, counts, calls, "from other threads")
    counts = Counts()
    ready = threading.Event()

    async def on_the_loop() -> None:
        counts.owner = threading.current_thread()
        answer(asyncio.get_running_loop(), counts, "lobby")
        ready.set()
        await asyncio.Event().wait()

    running = trial.start_in_loop(on_the_loop)
    running.call.name = "count"
    trial.wait(lambda: ready.is_set() or running.ended())
    if running.ended():
        running.result()
    if not ready.is_set():
        raise NotYet(
            "I called `count` on the loop's own thread as well, and it did not return.",
            "it works from any thread, that one too.",
            "What do you wait for there, and who would have to do it?",
        )
    _expect_counts(trial, counts, {"lobby": 1}, "on the loop's own thread")
    return "Every call was counted, and no thread but the loop's touched the counts."


def _expect_counts(trial: Trial, counts: Counts, expected: dict[str, int], where: str) -> None:
    trial.wait(lambda: dict.__eq__(counts, expected) or counts.strangers)
    if counts.strangers:
        raise NotYet(
            "`counts` was touched, some time later, by a thread that is not the loop's.",
            "only the loop's thread reads or changes it.",
        )
    if not dict.__eq__(counts, expected):
        if place := counts.owners_place():
            raise NotYet(
                f"What you handed to the loop has not returned: it is at {place}.",
                "a moment's work: the loop serves everybody.",
                "Whom does it keep waiting, and for what?",
            )
        raise NotYet(
            f"I called `count` {where}, {sum(expected.values())} in all, and waited. `counts` is "
            f"`{_shown(counts)}`.",
            f"`{expected}`.",
            "What does one call add, and to which room, when the loop gets to it?"
            if counts.owners
            else "Does the loop know that there is something to do, or does it sleep?",
        )


@lesson.exercise(
    solution=solutions.move,
    hints=(
        "ann goes out while bob comes in. Which lock does each of them take first?",
        "If everybody takes the two locks in the same order, nobody holds what the other needs "
        "first.",
        "Any order will do, if it does not depend on the way: rooms have names, and `sorted` has "
        "a `key`. And who is there already need not move.",
    ),
)
def move(trial: Trial, answer: Any) -> str:
    """Move a name from one room to another, under both locks, and never wait for ever."""
    house = House()
    lobby, garden = house.rooms
    _called(trial, answer, "ann", lobby, garden)
    house.judge("I moved ann from the lobby to the garden.", [], ["ann", "bob"])
    house = House()
    lobby, _ = house.rooms
    running = trial.start(answer, "ann", lobby, lobby)
    there = "I moved ann from the lobby to the lobby."
    error = running.error(1.0, f"{there[:-1]}, and she stays.", "How many locks are there to take?")
    if error is not None:
        raise NotYet(
            f"{there} You raised {named(error)}.", "she stays.", "Which two locks are these?"
        )
    house.judge(there, ["ann"], ["bob"])
    _expect_to_cross(trial, answer, House)
    # Names as alike as can be, and the other way: an order that fits the first house is no order.
    _expect_to_cross(trial, answer, lambda: House(("gallery", "gardens"), ("cleo", "carl")))
    return "They crossed at every line, and both arrived."


def _expect_to_cross(trial: Trial, answer: Any, setup: Callable[[], House]) -> None:
    out, comes = setup().people

    def threads(house: House) -> list[Callable[[], Any]]:
        here, there = house.rooms
        return [lambda: answer(out, here, there), lambda: answer(comes, there, here)]

    did = f"{out} went out while {comes} came in."
    for outcome in schedules(trial, setup, threads, (out, comes), within=_CROSSING):
        _raise_for_errors(outcome, "move")
        if outcome.waiting:
            raise NotYet(
                f"{did} {outcome.waiting}",
                "both arrive, whoever is first at which lock.",
                "In which order does each of them take the two locks?",
            )
        outcome.state.judge(did, [comes], [out])


@lesson.exercise(
    solution=solutions.question,
    hints=(
        "One thread does what the loop does: `add`, `remove`. The other one does what any thread "
        "may do: `find`, `snapshot`.",
        "Use what you get: go through the snapshot, as a broadcast would.",
        "To `find` a client that has left, `UnknownClient` is a right answer: catch it. At the end "
        "look who is left.",
    ),
)
def question(trial: Trial, answer: Any) -> str:
    """Return `setup, threads, invariant` for `Registry`: they hold, and notice broken ones."""
    put = asked(trial, answer, registries.Kit)
    expect_to_run(trial, put)
    lost = first_loss(trial, put, _THE_KITS)
    if lost:
        raise NotYet(
            f"I put your question to the kit's own registry, and it lost: {lost}",
            "it holds: `find` of a client that has left raises `UnknownClient`, and may.",
            "Is what your threads demand true under every order?",
        )
    deadline = time.monotonic() + _BROKEN
    for broken in registries.BROKEN:
        put = asked(trial, answer, broken)
        # Twice: on a busy machine a thread may be too slow for its turn, and spoil one schedule.
        if not any(first_loss(trial, put, deadline - time.monotonic()) for _ in range(2)):
            raise NotYet(
                f"The kit's registry holds. So does, for your question, one {broken.fault}",
                "a question that a broken registry fails.",
                f"{broken.ask} A proof that nothing can fail proves nothing.",
            )
    return f"The kit's registry holds, and {len(registries.BROKEN)} broken ones don't."


def _called(trial: Trial, answer: Any, *args: Any) -> Any:
    """What the answer returns when one thread alone calls it."""
    running = trial.start(answer, *args)
    result = running.result()
    running.expect_plain()
    return result


def _raise_for_errors(outcome: Outcome, name: str) -> None:
    for actor in outcome.actors:
        if actor.error is not None:
            where = f" {outcome.switch}; then the other one came." if outcome.switch else ""
            raise NotYet(f"`{name}` raised {named(actor.error)} for {actor.name}.{where}")


def _shown(value: Any) -> str:
    return plain(repr(value), 80)
