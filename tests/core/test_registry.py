"""Numbers that are never used again, and snapshots that never change."""

import threading
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockkit import UnknownClient
from sockkit.registry import Registry

ADDRESS = ("127.0.0.1", 1)
NOBODY = cast(Any, None)  # a channel; the registry only keeps it


@given(st.lists(st.booleans()))
def test_numbers_rise_and_never_come_back(comes: list[bool]) -> None:
    registry, given_out = Registry(), list[int]()
    for come in comes:
        here = list(registry.snapshot())
        if come or not here:
            given_out.append(registry.add(NOBODY, ADDRESS).number)
        else:
            registry.remove(here[0])
    assert given_out == list(range(1, len(given_out) + 1))
    assert list(registry.snapshot()) == sorted(registry.snapshot())
    assert len(registry) == len(registry.snapshot())


def test_a_snapshot_stays_as_it_was() -> None:
    registry = Registry()
    first = registry.add(NOBODY, ADDRESS)
    snapshot = registry.snapshot()
    registry.add(NOBODY, ADDRESS)
    registry.remove(1)
    assert dict(snapshot) == {1: first}


def test_a_snapshot_cannot_be_changed() -> None:
    snapshot = cast(dict[int, object], Registry().snapshot())
    with pytest.raises(TypeError):
        snapshot[1] = "me"


@pytest.mark.parametrize("number", [2, 0, -1, "1", None, 1.5])
def test_an_unknown_number_is_said_to_be_so(number: Any) -> None:
    registry = Registry()
    registry.add(NOBODY, ADDRESS)
    with pytest.raises(UnknownClient, match=f"no client with number {number!r}"):
        registry.find(number)


def test_any_thread_may_look_while_clients_come_and_go() -> None:
    registry, over = Registry(), threading.Event()
    faults: list[BaseException] = []

    def look() -> None:
        try:
            while not over.is_set():
                snapshot = registry.snapshot()
                assert sorted(snapshot) == list(snapshot)
                for number in snapshot:
                    try:
                        assert registry.find(number).number == number
                    except UnknownClient:
                        continue
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20_000):
        number = registry.add(NOBODY, ADDRESS).number
        if number > 50:
            registry.remove(number - 50)
    over.set()
    for thread in threads:
        thread.join()
    assert faults == []
