"""A call that stands still in one of its lines, and callbacks that wait for it meanwhile."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sockkit.exercises.calls import OwnThread
from sockkit.exercises.leftovers import Before
from sockkit.exercises.meanwhile import Meanwhile, Patience, Stop
from sockkit.exercises.trial import Trial

STEPS = 0.5  # seconds that the check has for each, and does not need


@pytest.fixture
def trial() -> Iterator[Trial]:
    trial = Trial(OwnThread(), Before(), 10)
    yield trial
    trial.end_calls()
    trial.close()


def test_it_stops_once_at_each_place_in_turn(trial: Trial) -> None:
    def three() -> int:
        total = 0
        for number in (1, 2):
            total += number
        return total

    places = []
    for point in range(1, 9):
        meanwhile = Meanwhile(trial, three, point)
        if not meanwhile.stopped():
            break
        places.append(meanwhile.place.partition(": ")[2])
        meanwhile.go_on()
        assert meanwhile.running.result() == 3
    assert places == [
        "`total = 0`",
        "`for number in (1, 2):`",
        "`total += number`",
        "`for number in (1, 2):`",
        "`return total`",
    ]


def test_a_callback_that_waits_for_the_stopped_call_is_seen_to_wait_and_forgiven(
    trial: Trial,
) -> None:
    lock, seen = threading.Lock(), []

    def on_message(connection: Any, text: str) -> None:
        with lock:
            seen.append(text)

    def hold() -> None:
        with lock:
            seen.append("held")

    host = trial.serve(on_message=on_message)
    partner = trial.connect(host.address)
    trial.start_beside(time.sleep, 0).result()  # the last call is not the server any more
    patience = Patience(trial, host.running)
    meanwhile = Meanwhile(trial, hold, 2)
    assert meanwhile.stopped()
    partner.send(b"hello\n")
    start = time.monotonic()
    patience.wait(lambda: "hello" in seen)
    assert time.monotonic() - start < STEPS
    time.sleep(STEPS)  # long enough to be held against the answer
    host.running.ended()
    assert host.running.call.held
    meanwhile.go_on()
    patience.wait_after(lambda: "hello" in seen)
    assert seen == ["held", "hello"]
    assert host.running.call.held is None


def test_a_callback_stops_where_it_is_awaited_and_a_call_that_waits_for_it_is_seen_to_wait(
    trial: Trial,
) -> None:
    lock, seen, stop = threading.Lock(), [], Stop(3)

    async def on_message(connection: Any, text: str) -> None:
        with lock:
            await asyncio.sleep(0)
            seen.append(text)

    async def watched(connection: Any, text: str) -> None:
        with stop.watch():
            await on_message(connection, text)

    def ask() -> list[str]:
        with lock:
            return [*seen]

    host = trial.serve(on_message=watched)
    patience = Patience(trial, host.running)
    partner = trial.connect(host.address)
    partner.send(b"hello\n")
    assert trial.wait(stop.stands.is_set)
    assert stop.place.endswith("`seen.append(text)`")
    asked = trial.start_beside(ask)
    start = time.monotonic()
    patience.wait_for(asked)
    assert time.monotonic() - start < STEPS
    assert not asked.ended()
    stop.go_on()
    assert asked.result() == ["hello"]
    patience.wait_after(lambda: seen == ["hello"])
    assert host.running.call.held is None
