"""What any test may ask for: asyncio's debug mode, and proof that nothing was left behind."""

import gc
import importlib.util
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from hypothesis import settings

from .ports import choose_for_kernels
from .waiting import until

# Who is started in the background by a shell has Ctrl-C ignored, and so have all its children.
signal.signal(signal.SIGINT, signal.default_int_handler)

if importlib.util.find_spec("jupyter_client"):
    choose_for_kernels()

# A busy machine is no failure: each test has its own time limit, in pyproject.toml.
settings.register_profile("sockkit", deadline=None)
settings.load_profile("sockkit")


# Places whose tests share what takes ten seconds and more to make: each process would make its own.
TOGETHER = (
    "tests/browser/",
    "tests/benchmarks/test_runner.py",
    "tests/lab/test_swarm_engines.py",
)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n 2`: what shares a browser, say, in one process, all else in whichever is free."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):  # not by marks: pytest 9.2 has xdist ignore them
        def _split_scope(self, nodeid: str) -> str:
            return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)

    return Together(config, log)


@pytest.fixture
def asyncio_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event loop made from now on, on any thread, is in debug mode."""
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns every 20 µs instead of every 5 ms, so that they really cross."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(20e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """After the test there are no more threads and open descriptors than before it."""
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    yield
    until(lambda: set(threading.enumerate()) <= threads)
    if open_descriptors() > descriptors:
        gc.collect()  # names the culprit: an unclosed socket warns, and warnings are errors
        until(lambda: open_descriptors() <= descriptors, timeout=5)


@pytest.fixture
def netcat() -> str:
    """The real nc. Without it: a failure in CI on Linux, a skip elsewhere."""
    found = shutil.which("nc")
    if found is None:
        must = os.environ.get("CI", "").lower() == "true" and sys.platform == "linux"
        (pytest.fail if must else pytest.skip)("nc is not installed: apt install netcat-openbsd")
    return found


def open_descriptors() -> int:
    """Files and sockets that this process has open; 0 where the system does not tell."""
    process = psutil.Process()
    return process.num_fds() if hasattr(process, "num_fds") else 0


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What sockkit logs, from INFO on. For a test that expects errors in it."""
    caplog.set_level(logging.INFO, logger="sockkit")
    with caplog.filtering(_NotTheMachine()):
        yield caplog


class _NotTheMachine(logging.Filter):
    """Leaves out what asyncio, debugging, says of slow steps: a busy machine makes any slow."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.name == "asyncio" and str(record.msg).startswith("Executing"))


@pytest.fixture
def no_errors_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test in which sockkit or asyncio logs an error, unless it asks for `log`."""
    errors: list[str] = []

    class Errors(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            errors.append(self.format(record))

    handler = Errors(logging.ERROR)
    loggers = [logging.getLogger(name) for name in ("sockkit", "asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    yield
    for logger in loggers:
        logger.removeHandler(handler)
    if "log" not in request.fixturenames:
        assert errors == []
