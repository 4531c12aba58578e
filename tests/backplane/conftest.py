"""Every test here: asyncio's debug mode on, nothing left behind, no error unexpected."""

from collections.abc import Iterator

import pytest

from .carriers import InMemory, OverRedis, redis_program
from .rooms import Room


@pytest.fixture(autouse=True)
def strict(asyncio_debug: None, no_errors_logged: None, nothing_left: None) -> None:
    """The order matters: what is left is looked for before the log is judged."""


@pytest.fixture
def redis() -> Iterator[OverRedis]:
    """A real Redis of this test's own."""
    with OverRedis(redis_program()) as carrier:
        yield carrier


@pytest.fixture(params=["memory", "redis"])
def carrier(request: pytest.FixtureRequest) -> Iterator[InMemory | OverRedis]:
    """What carries messages between servers: each test runs with every kind."""
    if request.param == "memory":
        yield InMemory()
    else:
        yield request.getfixturevalue("redis")


@pytest.fixture
def room(carrier: InMemory | OverRedis) -> Iterator[Room]:
    """Servers that act as one, and their clients."""
    with Room(carrier) as room:
        yield room
