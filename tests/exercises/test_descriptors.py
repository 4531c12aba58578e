"""However an answer ends, no descriptor of it stays open, not even until the garbage is collected.

Each answer is checked twice, and then twice more: what stays each time adds up.
"""

import asyncio
import gc
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sockkit.exercises.lesson import Exercise, Lesson
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are read in /proc")

lesson = Lesson("96")
_DESCRIPTORS = Path("/proc/self/fd")
_BEGUN: list[bool] = []


def model(connection, *text):
    return None


def _interrupt(trial: Trial) -> None:
    """End the check as soon as the answer is at work."""
    trial.wait(lambda: bool(_BEGUN), within=3.0)
    raise NotYet("I had seen enough.")


@lesson.exercise(solution=model, hints=("a nudge",))
def called(trial: Trial, answer: Any) -> str:
    """Is called with a connection."""
    _, theirs = trial.pair()
    trial.start(answer, theirs)
    _interrupt(trial)
    return ""


@lesson.exercise(solution=model, hints=("a nudge",))
def serving(trial: Trial, answer: Any) -> str:
    """Is the callback of a server."""
    host = trial.serve(on_message=answer)
    for _ in range(2):  # so that there is more to do while the first is ended
        trial.connect(host.address).send(b"hello\n" * 2)
    _interrupt(trial)
    return ""


def sleeps(connection, *text):
    _BEGUN.append(True)
    time.sleep(60)


async def holds_the_loop(connection, *text):
    _BEGUN.append(True)
    time.sleep(60)


async def spins(connection, *text):
    _BEGUN.append(True)
    while True:
        pass


async def waits(connection, *text):
    _BEGUN.append(True)
    await asyncio.Event().wait()


async def swallows_everything(connection, *text):
    _BEGUN.append(True)
    while True:
        try:  # noqa: SIM105
            await asyncio.sleep(60)
        except:  # noqa: E722  # as many write it
            pass


async def exits(connection, *text):
    _BEGUN.append(True)
    sys.exit(1)


async def serves_for_ever(connection, *text):
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    _BEGUN.append(True)
    await server.serve_forever()


def runs_a_loop(connection, *text):
    asyncio.run(holds_the_loop(connection))


def keeps_a_loop(connection, *text):
    loop = asyncio.new_event_loop()
    KEPT.append(loop)
    _BEGUN.append(True)
    loop.run_until_complete(asyncio.sleep(60))


def accepts(connection, *text):
    listener = socket.create_server(("127.0.0.1", 0))
    KEPT.append(listener)
    _BEGUN.append(True)
    listener.accept()


KEPT: list[Any] = []
CALLED = [sleeps, holds_the_loop, spins, waits, swallows_everything, exits, serves_for_ever]
CALLED += [runs_a_loop, keeps_a_loop, accepts]
SERVING = [sleeps, holds_the_loop, spins, waits, swallows_everything, exits]


@pytest.fixture(autouse=True)
def nothing_is_collected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    KEPT.clear()


def descriptors() -> list[str]:
    found = []
    for path in list(_DESCRIPTORS.iterdir()):
        try:
            found.append(os.readlink(path))
        except OSError:  # that of the directory itself
            continue
    return sorted(found)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        *(pytest.param(called, answer, id=f"called-{answer.__name__}") for answer in CALLED),
        *(pytest.param(serving, answer, id=f"serving-{answer.__name__}") for answer in SERVING),
    ],
)
def test_no_descriptor_stays_open(exercise: Exercise, answer: Any) -> None:
    exercise.check(model)
    before = descriptors()
    for times in (2, 2):
        for _ in range(times):
            _BEGUN.clear()
            assert not exercise.check(answer)
        assert descriptors() == before
