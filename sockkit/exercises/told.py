"""An object of the answer that is told who is with each server, and asked who is there."""

import itertools
from collections.abc import Iterable
from typing import Any

from sockkit.exercises.comings import must_have
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

_MOST = 1_000  # names, of a generator that may have no end
_SHOWN = 8


class Told:
    """One object of the answer's class."""

    def __init__(self, trial: Trial, answer: Any) -> None:
        self._trial = trial
        self._object = trial.call(answer)
        must_have(self._object, "heard", "here")

    def hear(self, server: str, numbers: list[int], now: float) -> None:
        """This server tells at this time who is with it."""
        given = list(numbers)
        self._trial.call(self._object.heard, server, given, now)
        if given != numbers:
            saw = f"`{server}` told of {numbers} at {now:g} s."
            raise NotYet(
                f"{saw} After that the list that I gave to `heard` is not as it was.",
                "it stays as it is.",
            )

    def expect(self, now: float, did: str, clue: str, *expected: str) -> Any:
        """See that these are there at this time, and no others; return what the answer returned."""
        returned = self._trial.call(self._object.here, now)
        names = sorted(_names(self._trial, returned))
        if names == sorted(expected):
            return returned
        shown = ", ".join(f"`{plain(name, 30)}`" for name in names[:_SHOWN]) or "nobody"
        more = ", …" if len(names) > _SHOWN else ""
        wanted = ", ".join(f"`{name}`" for name in expected) or "nobody"
        if sorted(set(names)) == sorted(expected):
            clue = "Somebody is there twice. Does a list add to the one before, or replace it?"
        raise NotYet(f"{did} At {now:g} s you say: {shown}{more}.", f"{wanted}.", clue)


def _names(trial: Trial, returned: Any) -> list[str]:
    """What `here` returned. A generator may do anything: it works inside the trial, and ends."""

    def here() -> list[Any]:
        return list(itertools.islice(returned, _MOST))

    if isinstance(returned, str) or not isinstance(returned, Iterable):
        raise NotYet(f"`here` returned `{plain(repr(returned), 60)}`.", "a list of names.")
    names: list[Any] = trial.call(here)
    for name in names:
        if not isinstance(name, str):
            shown = plain(repr(name), 40)
            raise NotYet(f"There is `{shown}` in what `here` returned.", "a text, as in `1@a`.")
    return names
