"""A question put to a registry: its form, and the first schedule in which it is lost."""

from collections.abc import Callable
from typing import Any

from sockkit.exercises.interleaved import schedules
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


def first_loss(trial: Trial, question: Question, within: float) -> str:
    """What went wrong in the first schedule that loses, in words; "" if none does."""
    setup, functions, invariant = question

    def threads(state: Any) -> list[Callable[[], Any]]:
        return [lambda run=run: run(state) for run in functions]  # type: ignore[misc]

    # Two switches: a client that comes and leaves is there only after one, and is lost by another.
    for outcome in schedules(trial, lambda: trial.call(setup), threads, switches=2, within=within):
        for actor in outcome.actors:
            if actor.error is not None:
                return f"{actor.name} raised {named(actor.error)}."
        if outcome.waiting:
            return outcome.waiting
        running = trial.start(invariant, outcome.state)
        error = running.error()
        if error is not None and not isinstance(error, AssertionError):
            raise NotYet(f"Your invariant raised {named(error)}.", "it returns True or False.")
        if error is not None or not running.call.value:
            return "your invariant is not true."
    return ""


def _shown(value: Any) -> str:
    return plain(repr(value), 80)
