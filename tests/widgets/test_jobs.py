"""What a click asked for is done in order, elsewhere, and its error is told."""

import threading

from sockkit.widgets.jobs import Jobs

Told = list[tuple[str, Exception | None]]


def test_in_order_on_another_thread() -> None:
    told: Told = []
    done: list[tuple[int, threading.Thread]] = []
    jobs = Jobs("jobs", lambda what, error: told.append((what, error)))
    for i in range(50):
        jobs.submit(str(i), lambda i: done.append((i, threading.current_thread())), i)
    assert jobs.wait(5)
    assert [i for i, _ in done] == list(range(50))
    assert threading.current_thread() not in {thread for _, thread in done}
    assert told == [(str(i), None) for i in range(50)]


def test_an_error_is_told_and_the_next_one_is_done() -> None:
    told: Told = []
    jobs = Jobs("jobs", lambda what, error: told.append((what, error)))
    jobs.submit("divide", lambda: 1 / 0)
    jobs.submit("go on", lambda: None)
    assert jobs.wait(5)
    (what, error), after = told
    assert what == "divide"
    assert isinstance(error, ZeroDivisionError)
    assert after == ("go on", None)


def test_a_click_does_not_wait() -> None:
    gate = threading.Event()
    jobs = Jobs("jobs", lambda what, error: None)
    jobs.submit("wait", gate.wait)
    assert not jobs.wait(0.01)
    gate.set()
    assert jobs.wait(5)


def test_no_thread_is_left() -> None:
    jobs = Jobs("only while there is work", lambda what, error: None)
    for _ in range(20):
        jobs.submit("nothing", lambda: None)
        assert jobs.wait(5)
    for thread in threading.enumerate():
        if thread.name == "only while there is work":
            thread.join(5)
    assert "only while there is work" not in {thread.name for thread in threading.enumerate()}
