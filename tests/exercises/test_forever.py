"""Answers that serve for ever, which the check itself has to end: what they had is no fault."""

import contextlib
import multiprocessing
import queue
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sockkit.exercises.leftovers import Before
from sockkit.exercises.lesson import Exercise, Lesson
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet, Status

lesson = Lesson("97")


def model(connection):
    while data := connection.recv(100):
        connection.sendall(data)


@lesson.exercise(solution=model, hints=("a nudge",))
def serve(trial: Trial, answer: Any) -> str:
    """Send back what comes, for ever."""
    partner, theirs = trial.pair()
    trial.start(answer, theirs)
    partner.send(b"hello")
    if partner.receive(5) != b"hello":
        raise NotYet("I heard no echo.")
    return "It came back."


@lesson.exercise(solution=model, hints=("a nudge",))
def serve_once(trial: Trial, answer: Any) -> str:
    """Send back what comes, and return at its end."""
    partner, theirs = trial.pair()
    running = trial.start(answer, theirs)
    partner.finish()
    running.result()
    return "You returned."


def in_a_thread(connection):
    threading.Thread(target=model, args=(connection,), daemon=True).start()
    threading.Event().wait()


def in_a_thread_that_is_joined(connection):
    thread = threading.Thread(target=model, args=(connection,), daemon=True)
    thread.start()
    thread.join()


def whose_thread_fails_when_it_is_ended(connection):
    def talk():
        model(connection)
        raise ConnectionError("so it is when a check closes everything")

    threading.Thread(target=talk, daemon=True).start()
    threading.Event().wait()


@pytest.mark.parametrize(
    "answer",
    [
        model,
        in_a_thread,
        in_a_thread_that_is_joined,
        whose_thread_fails_when_it_is_ended,
    ],
)
def test_threads_of_a_server_are_ended_without_a_word(answer: Any) -> None:
    before = Before()
    assert repr(serve.check(answer)) == "Solved. It came back."
    assert before.new_threads() == []
    assert before.new_sockets() == []


def test_a_thread_that_cant_be_ended_is_told_and_is_no_fault() -> None:
    def with_a_worker(connection):
        jobs: queue.Queue[Any] = queue.Queue()

        def work():
            with contextlib.suppress(SystemExit):  # pytest takes it for an error, Python does not
                while True:
                    jobs.get()()

        threading.Thread(target=work, name="worker", daemon=True).start()
        made.append(jobs)
        while data := connection.recv(100):
            jobs.put(lambda data=data: connection.sendall(data))
        threading.Event().wait()

    made: list[queue.Queue[Any]] = []
    before = Before()
    verdict = serve.check(with_a_worker)
    assert verdict.status is Status.SOLVED
    assert "Also:\n    your thread `worker` still runs, in line" in repr(verdict)
    assert "Also:" in verdict._repr_html_()
    made[0].put(lambda: None)  # it wakes, and ends
    for thread in before.new_threads():
        thread.join(5)


def test_what_is_said_before_the_end_is_shown() -> None:
    def complains(connection):
        thread = threading.Thread(target=lambda: 1 / 0, name="divider")
        thread.start()
        thread.join()
        model(connection)

    assert "In your thread divider:" in repr(serve.check(complains))


def test_what_is_said_of_being_cut_off_is_not_shown() -> None:
    def grumbles(connection):
        try:
            model(connection)
        finally:
            print("as asyncio logs callbacks that were cut off", file=sys.stderr)

    assert repr(serve.check(grumbles)) == "Solved. It came back."


needs_fork = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system"
)


@pytest.fixture
def other() -> Iterator[Any]:
    """A process that somebody else has started."""
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    process.start()
    yield process
    process.kill()
    process.join()


def _with_processes(connection: socket.socket) -> None:
    fork = multiprocessing.get_context("fork")
    for _ in range(3):
        fork.Process(target=time.sleep, args=(60,), daemon=True).start()
    model(connection)


@needs_fork
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(
    ("exercise", "says"),
    [
        (serve, "Solved. It came back."),
        (serve_once, "Not yet. You returned. But you left 3 child processes running, and I ended"),
    ],
)
def test_processes_are_ended_and_those_of_others_are_not(
    other: Any, exercise: Exercise, says: str
) -> None:
    assert repr(exercise.check(_with_processes)).startswith(says)
    assert multiprocessing.active_children() == [other]
