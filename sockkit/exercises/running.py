"""A call of the answer that a check has begun, as the check sees it."""

import contextlib
import time
from typing import Any, Protocol

from sockkit.exercises import partner
from sockkit.exercises.calls import Call, Place, patiently
from sockkit.exercises.verdict import NotYet, StillRunning

_SLICE = 0.05  # seconds between two looks at a call that is waited for


class Stopped(Exception):
    """The check is over, because somebody interrupted it or its time is up."""


class Failed(Exception):
    """The answer raised an exception where the check needed its result."""


class Clock(partner.Clock, Protocol):
    """What a call asks as well, beside what a partner does."""

    def silence(self) -> float:
        """Seconds to say nothing, to see whether the answer takes that for the end."""


class Running:
    """A call of the answer that was begun."""

    def __init__(self, clock: Clock, call: Call, place: Place) -> None:
        self.call = call
        self.place = place
        self.judged = False  # the check has dealt with the exception itself
        self.forced = False  # it did not end by itself, but here:
        self.place_at_end = ""
        self._clock = clock

    def result(self, within: float = 2.0, expected: str = "", then: str = "") -> Any:
        """What the call returned, once it has.

        Raises:
            StillRunning: it was, after `within` seconds; `expected` and `then` go with it.
        """
        if not self.ended(within):
            where = self.call.place()
            saw = f"`{self.call.name}` was still running when I stopped waiting"
            raise StillRunning(f"{saw}, in {where}." if where else f"{saw}.", expected, then)
        if self.call.error is not None:
            raise Failed
        return self.call.value

    def error(
        self, within: float = 2.0, expected: str = "", then: str = ""
    ) -> BaseException | None:
        """The exception that the call ended with, or None. For answers that should raise one.

        Raises:
            StillRunning: as in `result`.
        """
        with contextlib.suppress(Failed):
            self.result(within, expected, then)
        self.judged = True
        return self.call.error

    def expect_patience(self, goodbye: str, expected: str) -> None:
        """Say nothing for a while; the call must not take that for the end.

        Args:
            goodbye: what the check has not done yet, such as "finished".
            expected: goes with the verdict.

        Raises:
            NotYet: it has returned.
        """
        if self.ended(self._clock.silence()):
            self.result()
            raise NotYet(
                f"I paused, and had not {goodbye}; but you returned.",
                expected,
                "Silence is not the end. What tells the two apart?",
            )

    def expect_plain(self) -> None:
        """What was called is no coroutine function. For answers that nobody awaits.

        Raises:
            NotYet: it is one.
        """
        if self.call.awaited:
            raise NotYet(
                f"`{self.call.name}` is a coroutine function. Called as it stands, it does "
                "nothing, and nobody awaits it.",
                "a plain function.",
            )

    def ended_before(self, seconds: float) -> bool:
        """Whether the call ended at least so long ago."""
        return self.call.ended_at is not None and time.monotonic() - self.call.ended_at > seconds

    def goes_on(self, turns: int = 5, within: float = 1.0) -> bool:
        """Whether its event loop takes so many turns, and is not held by a call that blocks."""
        goal = self.call.turns + turns
        patiently(lambda: self.call.turns >= goal or self.ended(), self._clock.left(within))
        return self.call.turns >= goal and not self.ended()

    @property
    def awaited(self) -> bool:
        """Whether what the answer returned had to be awaited."""
        return self.call.awaited

    def ended(self, within: float = 0.0) -> bool:
        """Whether the call has ended, after waiting for at most `within` seconds."""
        deadline = time.monotonic() + self._clock.left(within)
        while not self.call.done.wait(min(_SLICE, max(0.0, deadline - time.monotonic()))):
            self.call.watch()
            self._clock.left(0)
            if time.monotonic() >= deadline:
                return False
        return True
