"""Lines of text in a panel, and the line on top of it that says how things are."""

from collections.abc import Iterable
from typing import NamedTuple

from sockkit.text import plain
from sockkit.views import clock
from sockkit.widgets.page import Live

SHOWN = 200
"""Lines that a page holds: the newest."""


class Line(NamedTuple):
    """One line: when, what kind (`note`, `error`, `sent`, `received`), and the text."""

    time: float
    kind: str
    text: str


class LinesWidget(Live):
    """The page's side: shows the newest `Line`s."""

    module = "log.js"

    def show_lines(self, lines: Iterable[Line]) -> None:
        """Show the newest of these. Only the page's thread calls this."""
        newest = list(lines)[-SHOWN:]
        self.show(lines=[[line.kind, clock(line.time), plain(line.text)] for line in newest])


class StatusWidget(Live):
    """The page's side: title, lamp, state, the last error; explains a click without answer."""

    module = "status.js"


def sentence(error: BaseException) -> str:
    """An error as a line of text for a panel."""
    return f"{type(error).__name__}: {plain(error)}"
