"""A question put to a registry: its form, and the first schedule in which it is lost."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from sockkit.errors import UnknownClient
from sockkit.exercises.schedules import Outcome, schedules
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import named
from sockkit.text import plain

Question = tuple[Callable[[], Any], list[Callable[[Any], Any]], Callable[[Any], Any]]


def asked(trial: Trial, answer: Any, registry: type) -> Question:
    """The question that the answer asks of a registry.

    Raises:
        NotYet: it is none.
    """
    got = trial.call(answer, registry)
    if not isinstance(got, tuple | list) or len(got) != 3:
        raise NotYet(
            f"`question` returned `{_shown(got)}`.", "three things: setup, threads, invariant."
        )
    setup, threads, invariant = got
    if not isinstance(threads, tuple | list) or not 2 <= len(threads) <= 4:
        raise NotYet(f"Your threads are `{_shown(threads)}`.", "a list of two to four functions.")
    for function in (setup, *threads, invariant):
        if not callable(function):
            raise NotYet(f"`{_shown(function)}` can't be called.", "functions, without ().")
    return setup, list(threads), invariant


def expect_to_run(trial: Trial, question: Question) -> None:
    """See that the threads run at all: one after the other, and the same once more.

    Raises:
        NotYet: they don't, and no order is to blame.
    """
    did = "I ran your threads one after the other, on the kit's registry."
    once = next(_outcomes(trial, question))
    for actor in once.actors:
        if actor.error and not isinstance(actor.error, UnknownClient | AssertionError):
            raise NotYet(
                f"{did} {actor.name} raised {named(actor.error)}.",
                "each function is called with what `setup` returned, and comes to its end.",
                "What does `setup` return, and what do your functions take?",
            )
    if not _loss(trial, question, once):
        loss = _loss(trial, question, next(_outcomes(trial, question)))
        if loss:
            raise NotYet(
                f"{did} Then I called `setup` and ran them a second time: {loss}",
                "`setup` makes everything anew, for each order that I try.",
                "What is left over from the first time?",
            )


def first_loss(trial: Trial, question: Question, within: float) -> str:
    """What went wrong in the first schedule that loses, in words; "" if none does."""
    losses = (_loss(trial, question, each) for each in _outcomes(trial, question, within))
    return next((loss for loss in losses if loss), "")


def _outcomes(trial: Trial, question: Question, within: float = math.inf) -> Iterator[Outcome]:
    setup, functions, _ = question

    def threads(state: Any) -> list[Callable[[], Any]]:
        return [lambda run=run: run(state) for run in functions]  # type: ignore[misc]

    # Two switches: a client that comes and leaves is there only after one, and is lost by another.
    return schedules(trial, lambda: trial.call(setup), threads, switches=2, within=within)


def _loss(trial: Trial, question: Question, outcome: Outcome) -> str:
    for actor in outcome.actors:
        if actor.error is not None:
            return f"{actor.name} raised {named(actor.error)}."
    if outcome.waiting:
        return outcome.waiting
    running = trial.start(question[2], outcome.state)
    error = running.error()
    if error is not None and not isinstance(error, AssertionError):
        raise NotYet(f"Your invariant raised {named(error)}.", "it returns True or False.")
    return "" if error is None and running.call.value else "your invariant is not true."


def _shown(value: Any) -> str:
    return plain(repr(value), 80)
