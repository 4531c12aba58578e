"""The kit's own races, explored: orders of accesses are tried one by one, and none may lose.

Explored is the kit's own code: `Handover`; `AsyncServer.send` and `disconnect` with `ServerChannel`
and `Registry`; `Portal.call` and `stop`; `Server.start` and `stop`. Not explored is the wait of a
real loop for its sockets, into which frontrun does not see: a queue stands for it. Small ones are
explored completely, and the tests demand that. The others have more orders than can be tried: each
tries the first 15 and 2 at random, the same in every run; with SOCKKIT_FIGURES=1 it is 400 and 100.
What holds is shown for these threads and these calls, and for switches between accesses; not inside
the standard library.

For each there is the same code without its lock, or without its hand-over, and that loses.
"""

from collections.abc import Callable
from typing import Any

import pytest

from sockkit.lab import races

from ..lab import exploring
from .catalogue import size
from .explored_life import Calling, CallingWithoutLock, Living, LivingWithoutLock
from .explored_talk import Handing, HandingWithoutLock, Talking, TalkingDirectly

# The time of a test is that of a machine on which many others work; a quiet one needs seconds.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SCHEDULES = size(400, 15)  # that are tried of one question, at most


@pytest.fixture(autouse=True)
def explorer() -> None:
    exploring.required()


def explored(
    setup: Any, threads: str, invariant: Callable[[Any], Any], most: int = SCHEDULES
) -> races.Result:
    return races.explore(
        setup,
        [getattr(setup, name) for name in threads.split()],
        invariant,
        schedules=most,
        samples=size(100, 2),
        timeout=220,
    )


COMPLETE = {
    "two calls are handed over while the loop closes": (
        Handing, "first loop_that_closes", Handing.nothing_lost,
    ),
    "a start against a stop": (Living, "start stop", Living.stands),
    "two stops": (Living, "stop stop", Living.rests),
    "two lives at once": (Living, "start_and_stop start_and_stop", Living.rests),
}  # fmt: skip


@pytest.mark.parametrize("race", COMPLETE)
def test_in_every_order_there_is_nothing_goes_wrong(race: str) -> None:
    result = explored(*COMPLETE[race], most=100)
    assert (result.outcome, result.complete) == ("holds", True), result


BEGUN = {
    "two threads hand over to a loop that sleeps": (
        Handing, "first second loop_until_all_ran", Handing.nothing_lost,
    ),
    "two threads send": (Talking, "first second loop_that_turns", Talking.all_out),
    "a send against a disconnect": (Talking, "first loop_that_disconnects", Talking.told_once),
    "a send against the peer's FIN": (Talking, "first loop_that_hears_fin", Talking.told_once),
    "a send against the peer's reset": (Talking, "first loop_that_hears_reset", Talking.told_once),
    "a send against the stop": (Talking, "first loop_that_stops", Talking.told_once),
    "a call through a portal against its stop": (Calling, "serve call stop", Calling.answered),
}  # fmt: skip


@pytest.mark.parametrize("race", BEGUN)
def test_in_no_order_that_was_tried_anything_goes_wrong(race: str) -> None:
    result = explored(*BEGUN[race])
    assert result.outcome == "holds", result
    assert result.complete or result.explored == SCHEDULES, "time ran out"


LOSING = {
    "without its lock, a call handed over is lost, and the loop sleeps on": (
        HandingWithoutLock, "first second loop_until_all_ran", Handing.nothing_lost, "deadlock",
    ),
    "without its lock, a call is taken that never runs": (
        HandingWithoutLock, "first loop_that_closes", Handing.nothing_lost, "broken",
    ),
    "without the hand-over, a message is counted twice or sent twice": (
        TalkingDirectly, "first second loop_that_turns", Talking.all_out, "broken",
    ),
    "without its lock, a portal fails at its stop": (
        CallingWithoutLock, "serve call stop", Calling.answered, "raised",
    ),
    "without its lock, a server is started twice": (
        LivingWithoutLock, "start start", Living.runs, "broken",
    ),
}  # fmt: skip


@pytest.mark.parametrize("race", LOSING)
def test_what_has_no_such_guard_loses(race: str) -> None:
    setup, threads, invariant, outcome = LOSING[race]
    result = explored(setup, threads, invariant)
    assert result.outcome == outcome, result
