"""Fixtures for tests in a real page. `notebook(cells)` opens and runs one; lessons can use it too.

def test_lesson(open_notebook):
    notebook = open_notebook(source="notebooks/01_echo.ipynb")
    notebook.run_all()
    assert notebook.errors() == []
"""

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from .jupyter import FLAGS, Jupyter, find_chromium, jupyter
from .notebook import Notebook, write_notebook

ROOT = Path(__file__).parents[2]
_numbers = itertools.count(1)
_open = contextlib.ExitStack()  # the browser, what runs it, and JupyterLab
_kept: list[Page] = []  # JupyterLab is loaded there: more than half of a short test
expect.set_options(timeout=15_000)  # milliseconds: only a test that fails waits for so long


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if is_here(item):
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(240))
    items.sort(key=is_here)  # last of all: what is quick to fail comes first


def is_here(item: pytest.Item) -> bool:
    """Whether a test is one of this folder's."""
    return Path(__file__).parent in item.path.parents


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser of this machine. Without one: a failure in CI, a skip elsewhere."""
    found = find_chromium()
    if found is None:
        tell = pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip
        tell("no Chromium, Chrome or Edge found: install one (Debian: apt install chromium)")
    return found


@pytest.fixture(scope="session")
def one_browser(chromium: str) -> BrowserContext:
    """All tests share one browser, and what it has loaded of JupyterLab."""
    _open.callback(_kept.clear)
    playwright = _open.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    _open.enter_context(browser)
    return _open.enter_context(browser.new_context(viewport={"width": 1280, "height": 1400}))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """The browser and JupyterLab end with the last test of this folder, not with the session.

    Playwright keeps an event loop running on this thread: beside that, no other test could call
    asyncio.run. And JupyterLab is a child that tests of children would find.
    """
    try:
        return (yield)
    finally:
        if nextitem is None or not is_here(nextitem):
            _open.close()


@pytest.fixture
def own_page() -> None:
    """For a test that changes the page itself: size, colours, what runs or listens there."""


@pytest.fixture
def page(request: pytest.FixtureRequest, one_browser: BrowserContext) -> Iterator[Page]:
    """A page. The next test goes on in it, with a new notebook, if this one passes."""
    own = "own_page" in request.fixturenames
    page = _kept.pop() if _kept and not own else one_browser.new_page()
    failed = request.session.testsfailed
    yield page
    if own or request.session.testsfailed > failed:
        page.close()
    else:
        _kept.append(page)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Jupyter:
    """One JupyterLab for all tests, with settings of its own; `tools.kernels` asks for others."""
    root, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
    app, kernel = (os.environ.get(f"SOCKKIT_{name}", "") for name in ("JUPYTER_APP", "KERNEL"))
    return _open.enter_context(jupyter(root, home, app or "lab", kernel))


@pytest.fixture
def open_notebook(lab: Jupyter, page: Page) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook made of `cells`, or a copy of the file `source`; its kernel ends after."""
    yield from _opened(lab, page)


@pytest.fixture(scope="module")
def open_for_all(lab: Jupyter, one_browser: BrowserContext) -> Iterator[Callable[..., Notebook]]:
    """The same for all tests of a module: for one notebook that takes long to run."""
    page = one_browser.new_page()
    yield from _opened(lab, page)
    page.close()


def _opened(lab: Jupyter, page: Page) -> Iterator[Callable[..., Notebook]]:
    names: list[str] = []

    def open_it(cells: Sequence[str] = (), source: str | Path | None = None) -> Notebook:
        names.append(f"test{next(_numbers)}.ipynb")
        if source is None:
            write_notebook(lab.root, names[-1], cells)
        else:
            shutil.copy(ROOT / source, lab.root / names[-1])
        return notebook.open(names[-1])

    notebook = Notebook(page, lab)
    yield open_it
    notebook.close()
    lab.end_sessions(names)


@pytest.fixture
def notebook(open_notebook: Callable[..., Notebook]) -> Callable[..., Notebook]:
    """Open a notebook of these cells and run them all."""

    def run(*cells: str) -> Notebook:
        opened = open_notebook(cells)
        opened.run_all()
        assert opened.errors() == []
        return opened

    return run
