"""Somebody who talks to a server, whose callback hands each message to a log of the answer."""

import functools
import itertools
from typing import Any

from sockkit.connection import Connection
from sockkit.exercises.controls import Field
from sockkit.exercises.meanwhile import Meanwhile, Patience, Stop
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

_LINES = 5  # that the log shows
_BETWEEN = "What may happen between two of your lines?"


class Talker:
    """A client that talks, and the ticker that calls `flush`, in one.

    Args:
        trial: of the check that this is for.
        keeper: of the answer, with `add` and `flush`.
        field: that `flush` sets.

    Attributes:
        said: everything, in order.
    """

    def __init__(self, trial: Trial, keeper: Any, field: Field) -> None:
        self.said: list[str] = []
        self._trial = trial
        self._keeper = keeper
        self._field = field
        self._added = 0  # how many calls of `add` have returned
        self._stop: Stop | None = None  # for the next call of `add`
        count = itertools.count(1)

        @functools.wraps(keeper.add)  # whose name is told if it fails
        def on_message(connection: Connection, text: str) -> None:
            if self._stop:
                with self._stop.watch():
                    keeper.add(text)
            else:
                keeper.add(text)
            self._added = next(count)

        host = trial.serve(on_message=on_message)
        self._patience = Patience(trial, host.running)
        self._partner = trial.connect(host.address)

    def say(self, *texts: str) -> None:
        """Say these things; returns when they are added.

        Raises:
            NotYet: the field has changed by that.
        """
        before = len(self._field.changes)
        self._send(*texts)
        self._trial.wait(self._all_added, 2.0)
        self._expect_untouched(before)

    def flush(self, when: str, then: str = "") -> None:
        """Call `flush`, on another thread than the server's.

        Raises:
            NotYet: the field does not show the newest lines then, or was changed more than once.
        """
        before = len(self._field.changes)
        running = self._trial.start_beside(self._keeper.flush)
        running.result(1.0, "it returns at once.")
        running.expect_plain()
        self._expect_shown(when, then, 0)
        made = len(self._field.changes) - before
        if made > 1:
            raise NotYet(
                f"{when} One `flush` changed `field.value` {made} times.",
                "once: each change is a message to the page.",
                "Can you make the whole text first?",
            )

    def say_during(self, point: int) -> bool:
        """Say something while `flush` is at work; whether it has such a point."""
        if self._patience.at_end:
            return False
        self.say(f"before point {point}")
        meanwhile = Meanwhile(self._trial, self._keeper.flush, point)
        if not meanwhile.stopped():
            return False
        before = len(self._field.changes)
        self._send(f"at point {point}")
        self._patience.wait(self._all_added)
        self._expect_untouched(before)
        meanwhile.go_on()
        meanwhile.running.result(1.0)
        self._patience.wait_after(self._all_added)
        self.flush(
            f"A message came while `flush` was at work, just before {meanwhile.place}. "
            "I called `flush` once more.",
            _BETWEEN,
        )
        return True

    def flush_during(self, point: int) -> bool:
        """Call `flush` while `add` is at work; whether it has such a point."""
        if self._patience.at_end:
            return False
        stop = self._stop = Stop(point)
        try:
            self._send(f"then, at point {point}")
            self._trial.wait(lambda: stop.stands.is_set() or self._all_added())
            if not stop.stands.is_set():
                return False
            running = self._trial.start_beside(self._keeper.flush)
            self._patience.wait_for(running)
        finally:
            self._stop = None
            stop.go_on()
        running.result(1.0, "it returns at once.")
        self._patience.wait_after(self._all_added)
        when = f"I called `flush` while `add` was at work, just before {stop.place}."
        self._expect_shown(when, _BETWEEN, 0, 1)
        self.flush(f"{when} Then I called it once more.", _BETWEEN)
        return True

    def _send(self, *texts: str) -> None:
        self._partner.send("".join(f"{text}\n" for text in texts).encode())
        self.said.extend(texts)

    def _all_added(self) -> bool:
        return self._added == len(self.said)

    def _expect_shown(self, when: str, then: str, *missing: int) -> None:
        """The newest lines, or those that were the newest so many messages ago."""
        ends = [len(self.said) - count for count in missing]
        texts = ["\n".join(self.said[max(0, end - _LINES) : end]) for end in ends]
        if self._field.value not in texts:
            got = plain(repr(self._field.value), 120)
            shown = ", or ".join(f"`{plain(repr(text), 120)}`" for text in texts)
            raise NotYet(f"{when} `field.value` is `{got}`.", f"{shown}.", then)

    def _expect_untouched(self, before: int) -> None:
        if len(self._field.changes) > before:
            raise NotYet(
                "A client said something, and `field.value` changed on the server's thread.",
                "nobody but `flush` touches the field.",
                "What must `add` do, so that `flush` can show it later?",
            )
