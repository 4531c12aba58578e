"""Who holds the loop is named: first at a tenth of a second, then only when it gets worse."""

import functools
import traceback
from pathlib import Path

import pytest

from sockkit import watch
from sockkit.watch import SlowCallbacks, name_of, who_holds


def handler() -> None:
    """A callback of a test."""


def test_it_says_who_and_for_how_long_and_what_to_do(log: pytest.LogCaptureFixture) -> None:
    SlowCallbacks().tell(handler, 7, 0.25)
    [record] = log.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("handler held the event loop for 0.25 s (client 7);")
    assert "asyncio.to_thread" in record.getMessage()


def test_only_one_that_is_twice_as_long_is_worth_another_line(
    log: pytest.LogCaptureFixture,
) -> None:
    slow = SlowCallbacks()
    assert slow.limit == 0.1
    slow.tell(handler, 1, 0.25)
    assert slow.limit == 0.5


@pytest.mark.parametrize(
    ("callback", "name"),
    [
        (handler, "handler"),
        (SlowCallbacks.tell, "SlowCallbacks.tell"),
        (functools.partial(print, 1), "functools.partial(<built-in function print>, 1)"),
    ],
)
def test_every_callable_has_a_name(callback: object, name: str) -> None:
    assert name_of(callback) == name  # type: ignore[arg-type]


def test_who_holds_the_thread_may_live_beside_the_package_under_a_name_like_its_own() -> None:
    beside = f"{Path(watch.__file__).parent}_demo.py"
    frames = [
        (watch.__file__, 1, "ours", ""),
        (beside, 2, "callback", ""),
        (beside, 3, "helper", ""),
    ]
    told = who_holds(traceback.StackSummary.from_list(frames))
    assert told.startswith(f"callback does not return (line 3 of {beside})")
