"""What belongs to the whole process is after a check as it was before, and the answer is told."""

import asyncio
import builtins
import gc
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sockkit.exercises.leftovers import Before, children
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.trial import Trial

pytestmark = pytest.mark.timeout(60, method="thread")  # not by the alarm that is looked at here

lesson = Lesson("95")
KEPT: list[Any] = []


def model():
    pass


@lesson.exercise(solution=model, hints=("a nudge",))
def change(trial: Trial, answer: Any) -> str:
    """Change something."""
    trial.call(answer, within=1.0)
    return "You did it."


POSIX = pytest.mark.skipif(os.name != "posix", reason="as POSIX has it")


def closes_standard_output():
    os.close(1)


def forgets_the_path():
    del os.environ["PATH"]


def replaces(of: Any, name: str) -> Any:
    return lambda: setattr(of, name, None)


CHANGES = [
    ("called `sys.setrecursionlimit`", lambda: sys.setrecursionlimit(400)),
    ("turned the garbage collector", gc.disable),
    ("called `os.chdir`", lambda: os.chdir(Path.cwd().parent)),
    ("changed `os.environ`", lambda: os.environ.update(SOCKKIT_HERE="1")),
    ("changed `os.environ`", forgets_the_path),
    ("called `sys.setprofile`", lambda: sys.setprofile(lambda *_: None)),
    ("replaced `builtins.print`", replaces(builtins, "print")),
    ("replaced `sys.stdout`", replaces(sys, "stdout")),
    ("replaced `socket.socket`", replaces(socket, "socket")),
    ("replaced `time.sleep`", replaces(time, "sleep")),
    ("replaced `asyncio.sleep`", replaces(asyncio, "sleep")),
    pytest.param("set an alarm", lambda: signal.alarm(50), marks=POSIX),
    pytest.param("for signal 15", lambda: signal.signal(15, signal.SIG_IGN), marks=POSIX),
    pytest.param("closed descriptor 1", closes_standard_output, marks=POSIX),
]


def things() -> list[Any]:
    named = [(builtins, "print"), (sys, "stdout"), (socket, "socket"), (time, "sleep")]
    values = [getattr(of, name) for of, name in [*named, (asyncio, "sleep")]]
    alarm = signal.getitimer(signal.ITIMER_REAL)[0] if os.name == "posix" else 0
    return [
        *(Path.cwd(), gc.isenabled(), sys.getrecursionlimit(), dict(os.environ), sys.getprofile()),
        *(alarm, signal.getsignal(signal.SIGTERM), os.fstat(1), *values),
    ]


@pytest.mark.parametrize(("says", "answer"), CHANGES)
def test_what_an_answer_changes_for_all_is_put_back(says: str, answer: Any) -> None:
    before = things()
    verdict = change.check(lambda: answer() and None)
    assert things() == before
    assert re.search(f"You did it. But you {re.escape(says)}|{re.escape(says)}", repr(verdict))
    assert not verdict


def test_an_answer_that_changes_nothing_is_told_nothing() -> None:
    assert repr(change.check(lambda: time.sleep(0))) == "Solved. You did it."


SLEEPING = [sys.executable, "-c", "import time; time.sleep(600)"]


def leaves_a_command():
    KEPT.append(subprocess.Popen(SLEEPING, stdout=subprocess.PIPE))


def forks_and_stays():
    if os.fork() == 0:
        time.sleep(600)


def forks_and_returns():
    os.fork()


@POSIX
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("answer", [leaves_a_command, forks_and_stays])
def test_child_processes_are_ended_and_told(answer: Any) -> None:
    before = children()
    assert "But you left a child process running, and I ended it" in repr(change.check(answer))
    assert children() == before


@POSIX
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_does_not_go_on_as_a_second_check() -> None:
    before = children()
    change.check(forks_and_returns)
    assert children() == before


@POSIX
def test_a_command_that_python_waits_for_in_c_is_ended() -> None:
    verdict = change.check(lambda: os.system("sleep 600"))
    assert "was still running when I stopped waiting" in repr(verdict)


def test_a_pool_that_was_there_before_may_start_its_threads() -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        for _ in range(2):
            assert change.check(lambda: pool.submit(int).result())
        assert pool.submit(lambda: 7).result() == 7


def test_a_pool_that_stays_is_told_and_shut_down() -> None:
    def makes_a_pool():
        KEPT.append(ThreadPoolExecutor(max_workers=1))
        KEPT[-1].submit(int).result()

    before = Before()
    assert "But you left a `ThreadPoolExecutor` open" in repr(change.check(makes_a_pool))
    assert before.new_threads() == []


@pytest.fixture(autouse=True)
def nothing_kept() -> Any:
    yield
    KEPT.clear()
