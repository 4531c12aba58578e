"""The fault catalogue's fixtures: each test tells its figure, and the summary shows them all."""

import threading
from collections.abc import Callable, Iterator

import pytest

from ..sizes import FULL
from .catalogue import CATALOGUE, Figure, table

_FIGURES = pytest.StashKey[list[Figure]]()
_PASSED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "row(name): provokes this row of the fault catalogue")
    config.stash[_FIGURES] = []


@pytest.fixture(autouse=True)
def strict(asyncio_debug: None, no_errors_logged: None, nothing_left: None) -> None:
    """As for the core: asyncio's debug mode on, nothing left behind, no error unexpected."""


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """For a callback to wait at. Opened at the end, so that a test that fails keeps no thread."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def at_full_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests whose figure is a time or a number of rounds: without asyncio's debug mode."""
    monkeypatch.delenv("PYTHONASYNCIODEBUG", raising=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "call":
        item.stash[_PASSED] = call.excinfo is None
    return report


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Iterator[Callable[[str], None]]:
    """`figure(text)` tells what was measured for the row that the test is marked with."""
    [row] = {marker.args[0] for marker in request.node.iter_markers("row")}
    assert row in CATALOGUE, f"the catalogue has no row {row!r}"
    told: list[Figure] = []
    yield lambda text: told.append(Figure(row, text))
    if request.node.stash.get(_PASSED, False):
        assert told, "a test of the catalogue must tell its figure"
        request.config.stash[_FIGURES] += told


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if figures := config.stash[_FIGURES]:
        sizes = "the catalogue's own sizes" if FULL else "small sizes; SOCKKIT_FIGURES=1: the full"
        terminalreporter.section(f"the fault catalogue, {sizes}")
        for line in table(figures):
            terminalreporter.write_line(line)
