"""What a snapshot of the clients must be: a mapping, right about one moment, and for good."""

from collections.abc import Callable, Sequence
from typing import Any

from sockkit.exercises.meanwhile import Meanwhile
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import named
from sockkit.text import plain


def _put(snapshot: Any, connection: Any) -> None:
    snapshot[99] = connection


def _take(snapshot: Any, connection: Any) -> None:
    del snapshot[connection.number]


CHANGES = {"put a client 99 into it": _put, "deleted client 1 from it": _take}


def expect_a_moment(trial: Trial, meanwhile: Meanwhile, happened: str, *moments: list[int]) -> None:
    """What the call returned is right about one of these moments."""
    said = f"{happened} while `snapshot` was at work, just before {meanwhile.place}."
    expected = f"`{moments[0]}`, or `{moments[1]}`: the numbers of one moment."
    then = "What may happen between two of your lines?"
    error = meanwhile.running.error(1.0)
    if error is not None:
        raise NotYet(f"{said} It raised {named(error)}.", expected, then)
    snapshot = meanwhile.running.result()
    _expect_mapping(snapshot)
    got = look(trial, lambda: [getattr(snapshot[key], "number", None) for key in snapshot])
    if got not in moments:
        shown = plain(repr(got), 80)
        raise NotYet(f"{said} What it returned has `{shown}`.", expected, then)


def _expect_mapping(snapshot: Any) -> None:
    if not hasattr(type(snapshot), "__getitem__") or isinstance(snapshot, Sequence):
        shown = plain(repr(snapshot), 80)
        raise NotYet(f"`snapshot` returned `{shown}`.", "a mapping from number to connection.")


def expect_keys(trial: Trial, snapshot: Any, keys: list[int], said: str, then: str = "") -> None:
    """It is a mapping, and these are its keys, in this order."""
    _expect_mapping(snapshot)
    got = look(trial, lambda: list(snapshot))
    if got != keys:
        shown = plain(repr(got), 80)
        raise NotYet(
            f"{said} The snapshot has `{shown}`.", f"its keys are the numbers `{keys}`.", then
        )


def look(trial: Trial, at: Callable[[], Any]) -> Any:
    """The value of something that the answer made, read off the check's own thread."""
    at.__name__ = "snapshot"
    return trial.start_beside(at).result(1.0)
