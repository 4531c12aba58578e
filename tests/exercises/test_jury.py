"""The model tests of lesson 10 tell a sound chat server from each broken one, every time."""

import logging
from collections.abc import Iterator

import pytest

from sockkit.exercises import nb10 as ex
from sockkit.exercises.broken import BROKEN, Sound
from sockkit.exercises.invited import Door
from sockkit.sync import Server

TIMES = 50
TESTS = ("numbers", "leaving", "rooms")


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    log = logging.getLogger("sockkit")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    yield
    log.setLevel(level)


def failing(kind: type[Sound]) -> set[str]:
    """Which of the model tests fail on a server of this kind."""
    found = set()
    for name in TESTS:
        chat = kind()
        with (
            Server(
                chat.on_message, on_connect=chat.on_connect, on_disconnect=chat.on_disconnect
            ) as server,
            Door(server, 5.0, lambda line: None) as join,
        ):
            try:
                getattr(ex.tests.model(), name)(join)
            except AssertionError:
                found.add(name)
    return found


@pytest.mark.slow
def test_the_sound_server_passes_each_time() -> None:
    assert [failing(Sound) for _ in range(TIMES)] == [set()] * TIMES


@pytest.mark.slow
@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_server_is_caught_each_time_by_the_same_tests(kind: type[Sound]) -> None:
    found = [failing(kind) for _ in range(TIMES)]
    assert found[0]
    assert found == [found[0]] * TIMES
