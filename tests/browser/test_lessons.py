"""Each lesson in a real JupyterLab, as a learner works through it on a small laptop.

Run everything; put the solutions in place of the stubs, one by one; open the answers of the quiz.
Lessons 06 and 10 have panels, and files of their own in which every button is clicked.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect
from playwright.sync_api import TimeoutError as PageTimeout

from tools.notebooks import lessons, read
from tools.stubs import find_stubs, solved

from ..sizes import FULL
from .notebook import Notebook

pytestmark = pytest.mark.usefixtures("own_page")

Open = Callable[..., Notebook]

# All of them take some four minutes, too long for every run of the tests.
TRIED = lessons() if FULL else [path for path in lessons() if path.stem[:2] in "00 02 05 06 07"]

LONG = 120_000  # milliseconds for all cells, on a busy machine
WIDTH = 960  # pixels: what a window of 1280 leaves beside the list of files
HEIGHT = 720

WRONG = """
from IPython.display import HTML, display
display(HTML("<div style='width: 3000px'>as wide as this</div>"))
display(HTML("<img src='x:' onerror='setTimeout(() => { alert(1); throw Error(2) })'>"))
view = {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}
display({"application/vnd.jupyter.widget-view+json": view}, raw=True)
"""


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What goes wrong in the page's scripts, ours among them; and what asks to be confirmed."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(f"{message.text} ({message.location['url']})")

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    return said


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", TRIED, ids=lambda path: path.stem)
def test_a_lesson_runs_and_is_solved_and_all_of_it_is_seen(
    path: Path, open_notebook: Open, page: Page, complaints: list[str]
) -> None:
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    book = open_notebook(source=path)
    book.run_all(timeout=LONG)
    assert book.errors() == []
    if path.stem.startswith("06"):
        the_window_is_there_before_the_exercise_is_solved(book)
    solve(book, read(path))
    assert book.errors() == []
    assert flaws(book) == []
    open_the_answers(book)
    assert complaints == []


def the_window_is_there_before_the_exercise_is_solved(book: Notebook) -> None:
    """Lesson 06 lends the learner a panel until theirs is written."""
    book.run_cell("mine = my_panel(")
    for button, state in (("Connect", "connected"), ("Disconnect", "disconnected")) * 2:
        book.click(button, book.panel("Somebody"))
        expect(book.panel("Somebody").locator(".sk-status-text")).to_have_text(state)


def solve(book: Notebook, lesson: Any) -> None:
    """Put each solution in the place of its stub, and run from there to the check."""
    key = solved(lesson)
    for stub in find_stubs(lesson):
        book.write_cell(stub.stub_cell, key.cells[stub.stub_cell].source)
        for place in range(stub.stub_cell, stub.check_cell + 1):
            if lesson.cells[place].cell_type == "code":
                book.run_cell(place, timeout=LONG)
        said = book.shown(stub.check_cell)
        assert "Solved." in said, f"{stub.exercise.name}: {said}"


def flaws(book: Notebook) -> list[str]:
    """What a reader would complain of, after the page has had time to draw."""
    with contextlib.suppress(PageTimeout):
        book.page.wait_for_function("() => lesson.flaws().length === 0", timeout=5_000)
    return list(book.page.evaluate("() => lesson.flaws()"))


def open_the_answers(book: Notebook) -> None:
    """Open what is folded: the three answers of the quiz, and what else a lesson hides."""
    folded = book.page.locator(".jp-RenderedMarkdown details")
    assert folded.count() >= 3
    for one in folded.all():
        one.locator("summary").click()
        expect(one.locator(":scope > :not(summary)").first).to_be_visible()


def test_what_is_wrong_in_a_page_would_be_seen(
    open_notebook: Open, page: Page, complaints: list[str]
) -> None:
    book = open_notebook([WRONG])
    book.run_all()
    page.wait_for_function("() => lesson.flaws().length === 3")
    said = flaws(book)
    assert [flaw for flaw in said if "pixels too wide: as wide as this" in flaw]
    assert [flaw for flaw in said if "model not found" in flaw]
    assert "a picture that is not drawn" in said
    assert {"1", "2"} <= set(complaints)
