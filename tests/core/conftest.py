"""Every test of the core: asyncio's debug mode on, nothing left behind, no error unexpected."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def strict(asyncio_debug: None, no_errors_logged: None, nothing_left: None) -> None:
    """The order matters: what is left is looked for before the log is judged."""


@pytest.fixture(scope="session")
def uvloop() -> Any:
    """The module, where it is installed. The first loop of a process opens a pipe that stays."""
    uvloop = pytest.importorskip("uvloop")
    uvloop.new_event_loop().close()
    return uvloop


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """For a callback to wait at. Opened at the end, so that a test that fails keeps no thread."""
    gate = threading.Event()
    yield gate
    gate.set()
