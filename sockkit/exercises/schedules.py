"""Every order in which threads may meet, as far as a check has time for it.

One thread goes on to a certain stop, the others run as far as they get, then all go on. With one
such switch, at each stop in turn, most races show. Some need a second one: the other thread, too,
is left at a stop, while the first one goes on.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sockkit.exercises.interleaved import STEPS, Actor, Turns
from sockkit.exercises.trial import Trial

_FEW = 30  # stops of one thread that are combined with those of another
_ENOUGH = 1.6  # seconds for all schedules; on a very busy machine, for those that were tried


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
        outcome, most = run(first, STEPS)
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
    return min(actor.steps, STEPS)


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
