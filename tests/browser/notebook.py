"""A notebook in a real page: open it, run its cells, find its controls, read its errors."""

import ast
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PageTimeout

from .jupyter import Jupyter

WAIT = 30_000  # milliseconds: for what needs a kernel, on a busy machine

_SCRIPT = Path(__file__).with_name("page.js")


class Notebook:
    """One notebook in one page."""

    def __init__(self, page: Page, jupyter: Jupyter) -> None:
        self.page = page
        self.jupyter = jupyter

    def open(self, path: str) -> "Notebook":
        """Open the notebook at this path, below the server's folder; its kernel is ready then.

        In a page where JupyterLab is loaded, that is not done again.
        """
        if self.jupyter.app == "lab" and self.page.evaluate("() => 'jupyterapp' in window"):
            self.close()
            self.page.evaluate("path => lesson.open(path)", path)
        else:
            self.page.add_init_script(path=_SCRIPT)
            self.page.goto(self.jupyter.page_of(path))
        self.page.wait_for_function("() => lesson.ready()", timeout=WAIT * 2)
        return self

    def close(self) -> None:
        """Close what is open in the page, without asking whether to save it."""
        self.page.evaluate("() => window.lesson?.close()")

    def reload(self) -> None:
        """Load the page again, as a reader does with F5; the kernel goes on."""
        self.page.reload()
        self.page.wait_for_function("() => lesson.ready()", timeout=WAIT * 2)

    def run_all(self, wait: bool = True, timeout: int = WAIT * 2) -> None:
        """Run all cells; returns when they are done, or with `wait=False` when they have begun."""
        for _ in range(10):
            self.page.evaluate("() => lesson.run()")
            with contextlib.suppress(PageTimeout):
                self.page.wait_for_function("() => lesson.started()", timeout=1500)
                break
        if wait:
            self.wait_until_done(timeout)

    def wait_until_done(self, timeout: int = WAIT * 2) -> None:
        """Wait until every cell has run, or one has failed, and the kernel is idle."""
        self.page.wait_for_function("() => lesson.done()", timeout=timeout)

    def errors(self) -> list[str]:
        """The exceptions in the cells' outputs."""
        return list(self.page.evaluate("() => lesson.errors()"))

    def run_code(self, code: str) -> None:
        """Run code in the notebook's kernel, without a cell; returns when it is done.

        Raises:
            Exception: the code raised; the text says what.
        """
        self.page.evaluate("code => lesson.execute(code)", code)

    def ask(self, expression: str) -> Any:
        """The value of an expression in the kernel: a number, a text, a tuple of them."""
        return ast.literal_eval(self.page.evaluate("code => lesson.execute(code)", expression))

    def run_cell(self, place: int | str, wait: bool = True, timeout: int = WAIT * 2) -> None:
        """Run one cell once more: the one at this place, or with this text in it."""
        before = self.page.evaluate("place => lesson.runCell(place)", place)
        if wait:
            has_run = "started => lesson.hasRun(started)"
            self.page.wait_for_function(has_run, arg=[place, before], timeout=timeout)

    def write_cell(self, place: int | str, source: str) -> None:
        """Put this into a cell, in place of what is there."""
        write = "([place, source]) => lesson.cell(place).sharedModel.setSource(source)"
        self.page.evaluate(write, [place, source])

    def shown(self, place: int | str) -> str:
        """What a cell shows as text: printed, or returned."""
        return str(self.page.evaluate("place => lesson.shown(place)", place))

    def busy(self) -> bool:
        """Whether the kernel runs a cell now."""
        return bool(self.page.evaluate("() => lesson.running()"))

    def answers_while_busy(self) -> bool:
        """Whether this kernel has subshells: since ipykernel 7, for widgets while a cell runs.

        For when a widget is there: waits until its clicks go to the subshell.
        """
        return bool(self.page.evaluate("() => lesson.subshells()"))

    def interrupt(self) -> None:
        """Interrupt the cell that runs."""
        self.page.evaluate("() => lesson.kernel().interrupt()")

    def save(self) -> None:
        """Save the notebook, with its outputs."""
        self.page.evaluate("() => lesson.panel().context.save()")

    def outputs(self) -> Locator:
        """Where the cells' outputs are: controls are looked for in here."""
        return self.page.locator(".jp-OutputArea")

    def panel(self, title: str) -> Locator:
        """The panel with this title."""
        heading = self.page.locator(".sk-title", has_text=title)
        return self.outputs().locator(".sockkit-panel").filter(has=heading)

    def click(self, name: str, inside: Locator | None = None) -> None:
        """Click the button with this name, in a panel or anywhere in the outputs."""
        (inside or self.outputs()).get_by_role("button", name=name, exact=True).click()

    def log(self, name: str, panel: Locator) -> Locator:
        """The lines in this place of a panel, in sight: the page draws nothing else."""
        lines = panel.get_by_role("log", name=name)
        lines.scroll_into_view_if_needed()
        return lines

    def fill(self, name: str, text: str, inside: Locator | None = None) -> None:
        """Type into the field with this name, and leave it."""
        field = (inside or self.outputs()).get_by_role("textbox", name=name, exact=True)
        field.fill(text)
        field.blur()

    def theme(self, name: str) -> None:
        """Switch to a theme of the application: "JupyterLab Light" or "JupyterLab Dark"."""
        self.page.evaluate("name => lesson.theme(name)", name)
        light = "true" if "Light" in name else "false"
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", light)


def write_notebook(folder: Path, name: str, cells: Sequence[str]) -> str:
    """Make a notebook of these code cells; returns its path in the folder."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(book, folder / name)
    return name
