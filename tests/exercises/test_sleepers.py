"""Lesson 08 on a busy machine: what waits is told from what only takes its time."""

import threading
import time

import pytest

from sockkit.exercises.verdict import Status

from .tables import nb08


@pytest.fixture
def dear_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with much else to do: each thread takes a thousandth of a second to start."""
    start = threading.Thread.start

    def late(thread: threading.Thread) -> None:
        time.sleep(0.001)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", late)


@pytest.mark.usefixtures("dear_threads")
def test_a_short_wait_for_each_is_seen_where_threads_are_dear() -> None:
    verdict = nb08.ex.to_all.check(nb08.WithTimeout(0.001))
    assert verdict.status is Status.NOT_YET, verdict
    assert "120 sleepers" in repr(verdict)


@pytest.mark.usefixtures("dear_threads")
def test_a_thread_for_each_is_right_where_threads_are_dear() -> None:
    verdict = nb08.ex.to_all.check(nb08.a_thread_for_each_send)
    assert verdict.status is Status.SOLVED, verdict
