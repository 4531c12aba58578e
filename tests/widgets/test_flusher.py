"""One thread writes to the page, only while something is on it."""

import gc
import logging
import threading
import time

import pytest

from sockkit.widgets.flusher import Flusher, outside_cells

from ..waiting import until


class View:
    """Counts its flushes."""

    def __init__(self, cost: float = 0.0, wait: float = 0.0) -> None:
        self.flushes = 0
        self.threads: set[threading.Thread] = set()
        self._cost = cost  # seconds of the processor
        self._wait = wait

    def flush(self) -> None:
        self.flushes += 1
        self.threads.add(threading.current_thread())
        time.sleep(self._wait)
        begun = time.thread_time()
        while time.thread_time() - begun < self._cost:
            pass


def test_no_thread_without_a_view() -> None:
    assert not Flusher().running


def test_one_thread_flushes_all_views() -> None:
    flusher, views = Flusher(rate=200), [View(), View(), View()]
    for view in views:
        flusher.add(view)
    until(lambda: all(view.flushes > 2 for view in views))
    assert len(set.union(*(view.threads for view in views))) == 1
    for view in views:
        flusher.remove(view)


def test_the_thread_ends_with_the_last_view() -> None:
    flusher, first, second = Flusher(rate=200), View(), View()
    flusher.add(first)
    flusher.add(second)
    flusher.remove(first)
    assert flusher.running
    flusher.remove(second)
    assert not flusher.running
    assert "sockkit-page" not in {thread.name for thread in threading.enumerate()}


def test_the_thread_ends_when_the_last_view_is_garbage() -> None:
    flusher, views = Flusher(rate=200), [View()]
    flusher.add(views[0])
    until(lambda: views[0].flushes)
    views.clear()
    gc.collect()
    until(lambda: not flusher.running)
    until(lambda: "sockkit-page" not in {thread.name for thread in threading.enumerate()})


def test_begins_again_after_an_end() -> None:
    flusher = Flusher(rate=200)
    for _ in range(3):
        view = View()
        flusher.add(view)
        until(lambda view=view: view.flushes)  # type: ignore[misc]
        flusher.remove(view)


def test_no_flush_after_remove() -> None:
    flusher, stays, goes = Flusher(rate=500), View(), View(wait=0.02)
    flusher.add(stays)
    flusher.add(goes)
    until(lambda: goes.flushes)
    flusher.remove(goes)
    flushes, others = goes.flushes, stays.flushes
    until(lambda: stays.flushes > others + 5)
    assert goes.flushes == flushes
    flusher.remove(stays)


def test_an_expensive_view_is_asked_less_often() -> None:
    flusher, cheap, dear = Flusher(rate=200), View(), View(cost=0.02)
    flusher.add(cheap)
    flusher.add(dear)
    until(lambda: dear.flushes == 3)
    assert cheap.flushes > 3 * dear.flushes
    flusher.remove(cheap)
    flusher.remove(dear)


@pytest.mark.parametrize("view", [View(wait=0.2), View(cost=0.2)], ids=["waited", "is dear"])
def test_a_view_that_took_long_once_is_asked_again_soon(view: View) -> None:
    flusher = Flusher(rate=200)
    flusher.add(view)
    begun = time.monotonic()
    until(lambda: view.flushes == 3)
    assert time.monotonic() - begun < 3.5
    flusher.remove(view)


def test_an_error_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(View):
        def flush(self) -> None:
            raise ZeroDivisionError

    flusher, broken, sound = Flusher(rate=200), Broken(), View()
    with caplog.at_level(logging.CRITICAL + 1, "sockkit.widgets"):
        caplog.set_level(logging.ERROR, "sockkit.widgets")
        flusher.add(broken)
        flusher.add(sound)
        until(lambda: sound.flushes > 2 and caplog.records)
        flusher.remove(broken)
        flusher.remove(sound)
    assert "could not be shown" in caplog.text


def test_what_is_sent_outside_of_cells_has_no_parent() -> None:
    import contextvars

    parent = contextvars.ContextVar[dict[str, str]]("shell_parent")
    other = contextvars.ContextVar[str]("other")
    parent.set({"cell": "1"})
    other.set("kept")
    context = outside_cells()
    assert context[parent] == {}
    assert context[other] == "kept"
    assert parent.get() == {"cell": "1"}
