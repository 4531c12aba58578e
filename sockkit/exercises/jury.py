"""Tests that a learner has written, tried on a sound server and on broken ones.

Good tests are a classifier. So the sound server comes first: tests that refuse it say nothing about
another. After that a broken server must fail one test at least; it does not matter which, nor
whether by an assertion, an error or a time limit.
"""

import contextlib
import inspect
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from sockkit.exercises.broken import BROKEN, Sound
from sockkit.exercises.invited import Door
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
_IDLE = 0.08  # seconds that a test may spend without a step of a guest, in its better run
_NO_CLOCK = "a test waits for lines, and never for the clock."
_HOW = "How can you know, without sleeping, that the server has dealt with a message?"


class Jury:
    """The tests of one answer: a function that is one, or a class with methods that are.

    Those are its public methods that can be called with `join` alone.

    Args:
        trial: the check at work.
        answer: what the learner wrote. Each test is called with `join`.
    """

    def __init__(self, trial: Trial, answer: Any) -> None:
        self._trial = trial
        self._answer = answer
        self._names = [getattr(answer, "__name__", "test")]
        self._others: list[str] = []
        if inspect.isclass(answer):
            self._names, self._others = _methods(answer)
        self._idle: dict[str, float] = {}  # seconds, by the name of the test

    def verdict(self) -> str:
        """What is said when the tests tell broken from sound.

        Raises:
            NotYet: they do not.
        """
        if not self._names:
            saw = f"Your class has no test.{self._not_run()}"
            raise NotYet(saw, "methods that take `join`, and assert.")
        started, took = time.monotonic(), 0.0
        try:
            for run in range(_RUNS):
                for name in self._names:
                    self._on_the_sound_one(name, again=run > 0)
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
                f"{sum(caught)}, and take {len(missed)} for sound.{self._not_run()}",
                "each broken server fails one test at least.",
                missed[0].question,
            )
        return f"The sound server passed, twice; all {len(BROKEN)} broken ones were caught."

    def _on_the_sound_one(self, name: str, again: bool) -> None:
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
            raise self._refuses(name, error)
        if value is not None:
            raise NotYet(
                f"Your test `{name}` returned `{plain(repr(value), 40)}`. Nobody looks at that.",
                "a test that is not content raises an error, and a helper's name begins with `_`.",
                "Which of the two is it?",
            )
        if self._idle[name] > _IDLE and again:
            raise NotYet(
                f"Your test `{name}` let {self._idle[name]:.1f} s pass on the sound server, each "
                "time, while no guest did anything.",
                _NO_CLOCK,
                _HOW,
            )

    def _refuses(self, name: str, error: BaseException) -> NotYet:
        *steps, what = learners_traceback(error)
        where = f", {steps[-1]}" if steps else ""
        content = "a test passes where nothing is wrong."
        if isinstance(error, AssertionError):
            return NotYet(
                f"Your test `{name}` refuses a sound server: {what}{where}.",
                content,
                "What does the table say should come, and to whom?",
            )
        return NotYet(f"On a sound server, your test `{name}` raised {what}{where}.", content)

    def _not_run(self) -> str:
        names = " and ".join(f"`{name}`" for name in self._others)
        return f" I did not run {names}: a test takes `join` alone." if names else ""

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
            started = time.monotonic()
            running = self._trial.start(self._test(name), join)
            end = "something that ends it, whatever the server does."
            then = "What does it wait for, and what if that never comes?"
            try:
                error = running.error(_PATIENCE, end, then)
            finally:
                running.judged = True  # one that hangs will fail when its guests go
            idle = time.monotonic() - started - join.steps.seconds
            if idle < join.steps.seconds:  # between thousands of steps, even without a sleep
                idle = 0.0
            self._idle[name] = min(idle, self._idle.get(name, idle))
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
            _NO_CLOCK,
            _HOW,
        )


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


def _methods(answer: type) -> tuple[list[str], list[str]]:
    """The methods that are tests, in the order in which they were written; and the other ones.

    What comes of a class of Python's own, such as `unittest.TestCase`, is neither.
    """
    own = [
        kind
        for kind in answer.__mro__
        if kind.__module__.partition(".")[0] not in sys.stdlib_module_names
    ]
    names = dict.fromkeys(name for kind in reversed(own) for name in vars(kind))
    public = [name for name in names if _is_public_method(answer, name)]
    tests = [name for name in public if _takes_one(inspect.getattr_static(answer, name))]
    return tests, [name for name in public if name not in tests]


def _is_public_method(answer: type, name: str) -> bool:
    return not name.startswith("_") and inspect.isroutine(getattr(answer, name))


def _takes_one(method: Any) -> bool:
    """Whether an object's method can be called with one argument."""
    bound = method.__get__(object(), object) if hasattr(method, "__get__") else method
    try:
        inspect.signature(bound).bind(None)
    except TypeError:
        return False
    return True
