"""Questions that can't be explored get one sentence each, and leave no process behind."""

import functools
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from sockkit.lab import races

from ..waiting import until
from . import exploring, racing
from .racing import Shared, is_two


@pytest.fixture(autouse=True)
def explorer() -> None:
    exploring.required()


def test_the_child_and_what_it_started_are_ended_when_time_is_over(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    setup = functools.partial(racing.start_a_process, note)
    with pytest.raises(races.CannotExplore, match="no answer within 4 s") as caught:
        races.explore(setup, [Shared.compute_for_ever, Shared.add], is_two, timeout=4)
    assert "in compute_for_ever" in "".join(caught.value.__notes__)  # for who looks into a hang
    assert psutil.Process().children(recursive=True) == []
    until(lambda: not runs(int(note.read_text())))


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (
            (racing.raising_setup, [Shared.add, Shared.add], is_two),
            "setup raised OSError: no port",
        ),
        (
            (Shared, [Shared.add, Shared.fail], is_two),
            "no schedule is to blame: with the threads run one after the other, "
            "B raises KeyError: 'bob'",
        ),
        (
            (Shared, [Shared.add, Shared.add], lambda s: s.value == 3),
            "no schedule is to blame: with the threads run one after the other, value is 2",
        ),
        (
            (Shared, [Shared.add, Shared.add], lambda s: s.valeu == 2),
            "the invariant raised AttributeError: 'Shared' object has no attribute 'valeu'",
        ),
        (
            (Shared, [Shared.add, Shared.add], lambda s: s.names.clear()),
            "the invariant returned None: let it return True or False",
        ),
        (
            (int, [racing.count_up, racing.count_up], lambda _: racing.COUNT == 2),
            "the same schedule came out differently the second time: setup must make everything "
            "the threads use afresh, and they may not depend on chance",
        ),
        (
            (Shared, [racing.by_chance, Shared.add], is_two),
            "the same schedule came out differently the second time: setup must make everything "
            "the threads use afresh, and they may not depend on chance",
        ),
        (
            (Shared, [racing.leave_process, Shared.add], is_two),
            "the child process ended with code 3, as a function that calls os._exit or sys.exit "
            "does",
        ),
        ((Shared, [Shared.add], is_two), "give two to 6 threads, not 1"),
        ((Shared, [Shared.add, 7], is_two), "7 can't be called: give the function, without ()"),
        (
            (Shared, [Shared.add, racing.coroutine], is_two),
            "coroutine is async, and this explores threads",
        ),
        (
            (Shared, [Shared.add, racing.begin_count], is_two),
            "begin_count must take one argument, what setup returned",
        ),
        ((is_two, [Shared.add, Shared.add], is_two), "is_two must take no argument"),
    ],
)
def test_wrong_use_is_met_with_one_sentence(question: Any, sentence: str) -> None:
    with pytest.raises(races.CannotExplore) as caught:
        races.explore(*question)
    assert str(caught.value) == sentence


def test_what_cannot_be_copied_is_named_with_who_uses_it() -> None:
    door = threading.Lock()

    def enter(_: Shared) -> None:
        with door:
            pass

    with pytest.raises(races.CannotExplore) as caught:
        races.explore(Shared, [enter, Shared.add], is_two)
    assert str(caught.value) == (
        "enter uses door, which can't be copied to the child process "
        "(cannot pickle '_thread.lock' object): make it in setup"
    )


def test_a_wait_that_the_explorer_cannot_see_is_named() -> None:
    with pytest.raises(races.CannotExplore, match="waited where the explorer can't see it"):
        races.explore(Shared, [racing.receive, Shared.add], is_two, timeout=6)
