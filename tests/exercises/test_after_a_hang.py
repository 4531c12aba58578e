"""After an answer that hung: what can't be ended stays, and harms no check and no other cell."""

import asyncio
import gc
import sys
import threading
import time
import warnings
from collections.abc import Iterator

import pytest

from sockkit.exercises import Exercise, nb01, nb02, nb06, nb08
from sockkit.exercises.calls import throw_into
from sockkit.exercises.leftovers import Before

from ..waiting import until


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when the test is over: what waits for it hangs until then, and goes on after."""
    before = Before()
    over = threading.Event()
    yield over
    over.set()
    until(lambda: not before.new_threads())


class Stuck(threading.Thread):
    """Waits, and is to end with its next line."""

    def __init__(self, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.ended_by: BaseException | None = None
        self._at_work, self._over = threading.Event(), over
        self.start()
        self._at_work.wait()
        throw_into(self)

    def run(self) -> None:
        try:
            self._at_work.set()
            self._over.wait()
        except SystemExit as error:
            self.ended_by = error


@pytest.mark.parametrize(
    ("exercise", "method"), [(nb06.snapshot, "snapshot"), (nb06.news, "news"), (nb06.log, "flush")]
)
def test_a_right_answer_is_solved_after_one_that_hung(
    exercise: Exercise, method: str, over: threading.Event
) -> None:
    right = exercise.model
    wrong = type("Hangs", (right,), {method: lambda self: over.wait()})
    assert "Python can't end a thread that waits there" in repr(exercise.check(wrong))
    verdict = exercise.check(right)
    assert verdict, verdict


def test_functions_can_be_traced_while_a_thread_is_to_end(over: threading.Event) -> None:
    events = []

    def trace(frame: object, event: str, arg: object) -> object:
        events.append(event)
        return trace

    def traced() -> None:
        before = sys.gettrace()
        sys.settrace(trace)
        (lambda: None)()
        sys.settrace(before)

    stuck = Stuck(over)
    thread = threading.Thread(target=traced, daemon=True)
    thread.start()
    thread.join(5)
    assert events[:1] == ["call"]
    assert stuck.ended_by is None


def test_a_thread_that_was_to_end_does_so_once_it_goes_on(over: threading.Event) -> None:
    stuck = Stuck(over)
    over.set()
    until(lambda: stuck.ended_by)


def test_what_had_not_begun_is_not_told_in_a_later_cell() -> None:
    async def polls(connection, text, work):
        task = asyncio.ensure_future(work(text))
        while not task.done():
            time.sleep(0.01)

    assert "held its event loop" in repr(nb08.in_step.check(polls))
    assert told_later() == []


def test_what_an_ended_answer_never_awaited_is_not_told_in_a_later_cell() -> None:
    async def forgets_the_await(connection):
        data = asyncio.get_running_loop().sock_recv(connection, 1024)
        while data:
            time.sleep(0.01)

    assert "held its event loop" in repr(nb01.echo.check(forgets_the_await))
    assert told_later() == []


def test_coroutines_that_the_check_got_are_told_in_its_verdict_and_not_in_a_later_cell() -> None:
    class Coroutines:
        async def feed(self, data):
            return [data.decode()]

    assert "feed' was never awaited" in repr(nb02.decoder.check(Coroutines))
    assert told_later() == []


def told_later() -> list[str]:
    """What Python has to say when it comes to the garbage."""
    with warnings.catch_warnings(record=True) as later:
        warnings.simplefilter("always")
        gc.collect()
    return [str(warning.message) for warning in later]
