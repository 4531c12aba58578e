"""What a snapshot of the clients must be: a mapping, right about one moment, and for good."""

from collections.abc import Callable, Sequence
from typing import Any

from sockkit.exercises.comings import Overlap
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import named
from sockkit.text import plain


def _put(snapshot: Any, connection: Any) -> None:
    snapshot[99] = connection


def _take(snapshot: Any, connection: Any) -> None:
    del snapshot[connection.number]


def _clear(snapshot: Any, connection: Any) -> None:
    snapshot.clear()


CHANGES = {
    "put a client 99 into it": _put,
    "deleted client 1 from it": _take,
    "emptied it with `clear`": _clear,
}


def expect_a_moment(trial: Trial, overlap: Overlap, *moments: list[int]) -> None:
    """What the call returned is right about one of these moments."""
    shown = [f"`{moment}`" for moment in moments]
    expected = f"{', or '.join(dict.fromkeys(shown))}: the numbers of one moment."
    then = "What may happen between two of your lines?"
    error = overlap.running.error(1.0)
    if error is not None:
        raise NotYet(f"{overlap.said} `snapshot` raised {named(error)}.", expected, then)
    snapshot = overlap.running.result()
    _expect_mapping(snapshot, overlap.said)
    got = look(trial, lambda: [getattr(snapshot[key], "number", None) for key in snapshot])
    if got not in moments:
        saw = f"{overlap.said} What `snapshot` returned has `{plain(repr(got), 80)}`."
        raise NotYet(saw, expected, then)


def _expect_mapping(snapshot: Any, said: str) -> None:
    if not hasattr(type(snapshot), "__getitem__") or isinstance(snapshot, Sequence):
        shown = plain(repr(snapshot), 80)
        saw = f"{said} `snapshot` returned `{shown}`."
        raise NotYet(saw, "a mapping from number to connection.")


def expect_keys(trial: Trial, snapshot: Any, keys: list[int], said: str, then: str = "") -> None:
    """It is a mapping, and these are its keys, in this order."""
    _expect_mapping(snapshot, said)
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
