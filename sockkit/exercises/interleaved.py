"""Threads of which one goes on at a time, as a check decides: every race comes out the same.

`sockkit.lab.races` explores more, in a process of its own, and not on every platform. A check has
less time and runs everywhere, so here are real threads that meet at what the check hands to them:
`Shared` objects, whose every access is a stop. One thread goes on to a certain stop, the others run
as far as they get, then all go on. With one such switch, at each stop in turn, most races show.
Some need a second one: the other thread, too, is left at a stop, while the first one goes on.
Nothing is patched or traced.

A thread that waits for a lock of the learner's own can't be seen to wait. It is taken for waiting
once it has come to no stop for a moment. If it was only slow, the schedule is another one, and just
as possible: a right answer is right in that one, too.
"""

import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sockkit.exercises.held import free_all
from sockkit.exercises.trial import Trial
from sockkit.exercises.where import learners_place

_PATIENCE = 0.05  # seconds without a stop, from which a thread is taken for waiting
_FOR_EVER = 2.0  # seconds in which no thread gets on, from which they wait for ever
_LAST_STEPS = 0.5  # seconds in which threads that are woken come to their ends
_STEPS = 300  # in one turn: a thread that tries again and again lets others go on
_FEW = 30  # stops of one thread that are combined with those of another
_ENOUGH = 1.6  # seconds for all schedules; on a very busy machine, for those that were tried


class Waited(Protocol):
    """What an actor can wait for, and say so."""

    name: str
    owner: threading.Thread | None
    """Who has it."""


class Abandoned(SystemExit):
    """Raised in a thread that nobody needs any more."""


class Actor(threading.Thread):
    """One of the threads of `Turns`, which says when it may go on."""

    def __init__(self, turns: "Turns", name: str, function: Callable[[], Any]) -> None:
        super().__init__(name=name, daemon=True)
        self.steps = 0
        self.done = False
        self.stopped = False
        self.error: BaseException | None = None
        self.place = ""  # of its last stop, in the learner's code
        self.waits: Waited | None = None  # for what, if it can tell
        self._turns = turns
        self._function = function

    def run(self) -> None:
        """The function, once it gets its first turn."""
        try:
            self._turns.stop(self)
            self._function()
        except Abandoned:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self._turns.leave(self)

    def pause(self) -> None:
        """Another thread may go on here."""
        if not self._turns.may_step(self):
            self.place = learners_place(sys._getframe(1))
            self._turns.stop(self)
            self._turns.may_step(self)
        self.steps += 1

    def wait_for(self, what: Waited) -> None:
        """Let others go on until nobody has it."""
        while what.owner is not None:
            self.waits = what
            self._turns.stop(self)
        self.waits = None

    def waits_for_somebody(self) -> bool:
        """Whether what it waits for is still taken, so that it need not even look again."""
        what = self.waits
        return what is not None and what.owner is not None

    def waiting(self) -> str:
        """What it does now, if it will never end."""
        if self.waits is None:
            where = f", after {self.place}" if self.place else ""
            return f"{self.name} waits for ever{where}."
        owner = self.waits.owner
        gone = isinstance(owner, Actor) and owner.done
        which = (
            f"which {owner.name} {'took and never gave back' if gone else 'has'}" if owner else ""
        )
        return f"{self.name} waits for `{self.waits.name}`, {which}."


def pause() -> None:
    """A stop, if an `Actor` runs this; nothing in any other thread."""
    thread = threading.current_thread()
    if isinstance(thread, Actor):
        thread.pause()


class Turns:
    """Makes threads, one for each function, and gives them turns. One thread uses it.

    Args:
        trial: is asked for the time.
        functions: without arguments.
        names: of the threads.
    """

    def __init__(
        self, trial: Trial, functions: Sequence[Callable[[], Any]], names: Sequence[str]
    ) -> None:
        self._trial = trial
        self._changed = threading.Condition()
        self._turn: Actor | None = None
        self._budget = 0
        self._abandoned = False
        self.actors = [Actor(self, *each) for each in zip(names, functions, strict=False)]
        for actor in self.actors:
            actor.start()
        self._wait_for(lambda: all(actor.stopped for actor in self.actors))

    def go_on(self, actor: Actor, steps: int = _STEPS) -> bool:
        """Let it come to its next stop but so many, or as far as it can; whether it got on."""
        if actor.done:
            return False
        # Who was taken for waiting before is only looked at again.
        patience = _PATIENCE if actor.stopped else _PATIENCE / 5
        before = seen = actor.steps
        if actor.stopped:
            with self._changed:
                self._turn, self._budget = actor, steps
                self._changed.notify_all()
            # On a busy machine it may come late, but come it will: its turn is not over before.
            self._wait_for(lambda: self._turn is not actor or not actor.stopped)
        deadline = time.monotonic() + patience
        while not self._wait_for(lambda: actor.stopped, patience / 2):
            if actor.steps > seen:
                seen, deadline = actor.steps, time.monotonic() + patience
            elif time.monotonic() > deadline:
                break
        with self._changed:
            self._turn = None
        return actor.done or actor.steps > before

    def finish(self) -> bool:
        """Let all of them run to their ends; False if those that are left wait for ever."""
        got_on = time.monotonic()
        while not all(actor.done for actor in self.actors):
            got = [self.go_on(actor) for actor in self.actors]
            if any(got):
                got_on = time.monotonic()
            known = all(actor.done or actor.waits_for_somebody() for actor in self.actors)
            if not any(got) and (known or time.monotonic() - got_on > _FOR_EVER):
                return False
        return True

    def end(self, *holders: Any) -> None:
        """End those that still run; locks that `holders` hold are freed for those who wait."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
        deadline = time.monotonic() + _LAST_STEPS
        while any(actor.is_alive() for actor in self.actors) and time.monotonic() < deadline:
            for actor in self.actors:
                actor.join(_PATIENCE)
            if not all(actor.done for actor in self.actors):
                free_all(*holders)

    def _wait_for(self, condition: Callable[[], bool], within: float = 10.0) -> bool:
        deadline = time.monotonic() + within
        with self._changed:
            while not condition():
                self._trial.left(0)
                if time.monotonic() > deadline:
                    return False
                self._changed.wait(_PATIENCE / 2)
        return True

    # For the actors.

    def may_step(self, actor: Actor) -> bool:
        """Whether it need not stop here; counts."""
        if self._turn is not actor or self._budget <= 0:
            return False
        self._budget -= 1
        return True

    def stop(self, actor: Actor) -> None:
        """Return when it is its turn."""
        with self._changed:
            self._release(actor)
            while self._turn is not actor and not self._abandoned:
                self._changed.wait()
            actor.stopped = False
            if self._abandoned:
                raise Abandoned

    def leave(self, actor: Actor) -> None:
        """It is done."""
        with self._changed:
            actor.done = True
            self._release(actor)

    def _release(self, actor: Actor) -> None:
        actor.stopped = True
        if self._turn is actor:
            self._turn = None
        self._changed.notify_all()


@dataclass(frozen=True)
class Outcome:
    """What became of the threads under one schedule."""

    state: Any
    waiting: str
    """Who waits for what, if they wait for each other, or for nobody; "" if all ended."""
    actors: Sequence[Actor]
    switch: str
    """Where the first one stood when the others came; "" if it had ended before."""


def schedules(
    trial: Trial,
    setup: Callable[[], Any],
    threads: Callable[[Any], Sequence[Callable[[], Any]]],
    names: Sequence[str] = "ABCDEF",
    switches: int = 1,
    within: float = _ENOUGH,
) -> Iterator[Outcome]:
    """Run threads under each schedule with so many switches, and yield what became of them.

    Args:
        trial: is asked for the time.
        setup: makes what the threads share, anew for each schedule.
        threads: gets that, and returns their functions.
        names: of the threads.
        switches: one; or two, for which a second thread is left at a stop of its own as well.
        within: seconds for all of them, after which no more are tried.
    """
    deadline = time.monotonic() + within

    def run(first: int, steps: int, *second: int) -> tuple[Outcome, int]:
        state = setup()
        functions = threads(state)
        turns = Turns(trial, functions, names)
        one = turns.actors[first]
        try:
            turns.go_on(one, steps)
            switch = "" if one.done else f"`{one.name}` was at {one.place}"
            made = one.steps
            if second:
                turns.go_on(turns.actors[second[0]], second[1])
                turns.go_on(one)
            for other in turns.actors:
                if switch and other is not one:
                    turns.go_on(other)
            turns.finish()
            left = " ".join(actor.waiting() for actor in turns.actors if not actor.done)
        finally:
            turns.end(state, *functions)
        return Outcome(state, left, turns.actors, switch), made

    longest = [0] * len(threads(setup()))
    for first in range(len(longest)):
        outcome, most = run(first, _STEPS)
        yield outcome
        for steps in spread(most):
            if time.monotonic() > deadline:
                return
            outcome, _ = run(first, steps)
            longest = [max(each) for each in zip(longest, map(_steps, outcome.actors), strict=True)]
            yield outcome
    for plan in _pairs(longest) if switches > 1 else ():
        if time.monotonic() > deadline:
            return
        yield run(*plan)[0]


def _steps(actor: Actor) -> int:
    return min(actor.steps, _STEPS)


def _pairs(longest: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Which thread is left at which stop, and which other one then; those that differ much first.

    Args:
        longest: how many stops each of the threads has come to, at most.
    """
    stops = [list(enumerate(spread(most)[:_FEW])) for most in longest]
    plans = [
        (early + late, first, steps, second, more)
        for first, second in itertools.permutations(range(len(longest)), 2)
        for early, steps in stops[first]
        for late, more in stops[second]
    ]
    return [plan[1:] for plan in sorted(plans)]


def spread(most: int) -> list[int]:
    """0 to `most` - 1, the middle ones first: what is tried early should differ much."""
    bits = max(most.bit_length(), 1)
    reverse = (int(f"{number:0{bits}b}"[::-1], 2) for number in range(1 << bits))
    return [number for number in reverse if number < most]
