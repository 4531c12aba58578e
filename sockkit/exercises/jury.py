"""Tests that a learner has written, tried on a sound server and on broken ones.

Good tests are a classifier. So the sound server comes first: tests that refuse it say nothing about
another. After that a broken server must fail one test at least; it does not matter which, nor
whether by an assertion, an error or a time limit.
"""

import contextlib
import inspect
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from sockkit.exercises.broken import BROKEN, Sound
from sockkit.exercises.running import Stopped
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import learners_traceback
from sockkit.lab import guest
from sockkit.sync import Server
from sockkit.text import plain

_PATIENCE = 2.0  # seconds for a step of a guest, or a whole test, on the sound server
_HASTE = 0.6  # seconds for a step on a broken one: whoever waits there has found something
_RUNS = 2  # on the sound server: a test that waits for luck does not pass twice so easily


class Jury:
    """The tests of one answer: a class whose public methods are tests, or a function that is one.

    Args:
        trial: the check at work.
        answer: what the learner wrote. Each test is called with `join`.
    """

    def __init__(self, trial: Trial, answer: Any) -> None:
        self._trial = trial
        self._answer = answer
        alone = getattr(answer, "__name__", "test")
        self._names = _public(answer) if inspect.isclass(answer) else [alone]

    def verdict(self) -> str:
        """What is said when the tests tell broken from sound.

        Raises:
            NotYet: they do not.
        """
        if not self._names:
            raise NotYet("Your class has no test.", "methods that take `join`, and assert.")
        started, took = time.monotonic(), 0.0
        try:
            for _ in range(_RUNS):
                for name in self._names:
                    self._on_the_sound_one(name)
                took = took or time.monotonic() - started
            caught = [self._catches(kind) for kind in BROKEN]
        except Stopped:
            if not took or self._trial.stopping.is_set():
                raise
            raise self._too_slow(took) from None
        missed = [kind for kind, found in zip(BROKEN, caught, strict=True) if not found]
        if missed:
            self._trial.wire.clear()
            raise NotYet(
                f"The sound server passes. Of {len(BROKEN)} broken ones your tests catch "
                f"{sum(caught)}, and take {len(missed)} for sound.",
                "each broken server fails one test at least.",
                missed[0].question,
            )
        return f"The sound server passed, twice; all {len(BROKEN)} broken ones were caught."

    def _on_the_sound_one(self, name: str) -> None:
        running = self._run(Sound, name, _PATIENCE)
        if running is None:
            return
        error, value = running
        if isinstance(error, TimeoutError) and _in_a_guest(error):
            raise NotYet(
                f"Your test `{name}` met a server that is sound, and slow: {error}.",
                "an answer within two seconds.",
                "Is the machine busy? Check once more.",
            )
        if error is not None:
            lines = learners_traceback(error)
            where = f", {lines[-2]}" if len(lines) > 1 else ""
            raise NotYet(
                f"Your test `{name}` refuses a sound server: {lines[-1]}{where}.",
                "a test passes where nothing is wrong.",
                "What does the table say should come, and to whom?",
            )
        if value is not None:
            raise NotYet(
                f"Your test `{name}` returned `{plain(repr(value), 40)}`. Nobody looks at that.",
                "a test that is not content raises an error.",
                "Which statement does that?",
            )

    def _catches(self, kind: type[Sound]) -> bool:
        for name in self._names:
            outcome = self._run(kind, name, _HASTE)
            if outcome is not None and outcome[0] is not None:
                return True
        return False

    def _run(
        self, kind: type[Sound], name: str, patience: float
    ) -> tuple[BaseException | None, Any] | None:
        """The error, if there was one, and the result of one test on a new server."""
        self._trial.wire.clear()
        with _served(kind) as server, Door(server, patience, self._trial.wire.append) as join:
            running = self._trial.start(self._test(name), join)
            end = "something that ends it, whatever the server does."
            then = "What does it wait for, and what if that never comes?"
            try:
                error = running.error(_PATIENCE, end, then)
            finally:
                running.judged = True  # one that hangs will fail when its guests go
            return error, running.call.value

    def _test(self, name: str) -> Callable[..., Any]:
        if not inspect.isclass(self._answer):
            test: Callable[..., Any] = self._answer
            return test

        def test_of_a_new_object(join: Any) -> Any:
            return getattr(self._answer(), name)(join)

        test_of_a_new_object.__name__ = name
        return test_of_a_new_object

    def _too_slow(self, took: float) -> NotYet:
        return NotYet(
            f"My time was up. Your tests take {took:.1f} s for one server, and there are "
            f"{len(BROKEN) + 1} of them.",
            "a test waits for lines, and never for the clock.",
            "How can you know, without sleeping, that the server has dealt with a message?",
        )


class Door:
    """What a test is given: called with a name, it lets a guest in. All guests go at the end."""

    def __init__(self, server: Server, patience: float, note: Callable[[str], None]) -> None:
        self._server = server
        self._patience = patience
        self._note = note
        self._guests: list[Guest] = []

    def __call__(self, name: str = "") -> "Guest":
        """A new guest."""
        newcomer = Guest(self._server, name, self._patience, self._note)
        self._guests.append(newcomer)
        return newcomer

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *exc_info: object) -> None:
        for one in self._guests:
            one.drop()


class Guest(guest.Guest):
    """A guest whose lines go to the wire trace."""

    def __init__(
        self, server: Server, name: str, patience: float, note: Callable[[str], None]
    ) -> None:
        self._tell = note
        super().__init__(server, name, patience)

    def say(self, text: str) -> None:
        """As a guest does."""
        self._tell(f"client {self.number} → {plain(text, 60)}")
        super().say(text)

    def heard(self) -> list[str]:
        """As a guest does."""
        lines = super().heard()
        self._tell(f"client {self.number} ← {plain('; '.join(lines) or 'nothing', 100)}")
        return lines

    def leave(self) -> None:
        """As a guest does."""
        self._tell(f"client {self.number} leaves")
        super().leave()

    def crash(self) -> None:
        """As a guest does."""
        self._tell(f"client {self.number} crashes")
        super().crash()

    def drop(self) -> None:
        """Close it, without a word."""
        self._socket.close()


@contextlib.contextmanager
def _served(kind: type[Sound]) -> Iterator[Server]:
    """A new server of this kind; what a broken one logs is nobody's business."""
    chat, log = kind(), logging.getLogger("sockkit")
    level = log.level
    server = Server(chat.on_message, on_connect=chat.on_connect, on_disconnect=chat.on_disconnect)
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield server.start()
    finally:
        server.stop(grace=0)
        log.setLevel(level)


def _in_a_guest(error: BaseException) -> bool:
    """Whether it was a guest who raised this, and not the test that called it."""
    steps = traceback.extract_tb(error.__traceback__)
    return any(step.filename == guest.__file__ for step in steps)


def _public(answer: type) -> list[str]:
    """The methods that are tests, in the order in which they were written."""
    names = [name for kind in reversed(answer.__mro__[:-1]) for name in vars(kind)]
    return [
        name
        for name in dict.fromkeys(names)
        if not name.startswith("_") and callable(getattr(answer, name))
    ]
