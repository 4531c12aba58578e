"""What a learner reads: verdicts, hints, solutions, the summary. As text, and as HTML in a page.

These objects show themselves as the result of a cell. They hold text only, and every character of
it is escaped on a page: a part of it may have come through a socket.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How far an exercise is."""

    SOLVED = "Solved"
    NOT_YET = "Not yet"
    NOT_ATTEMPTED = "Not attempted yet"


_COLOURS = {
    Status.SOLVED: "var(--jp-success-color1, #2e7d32)",
    Status.NOT_YET: "var(--jp-warn-color1, #b26a00)",
    Status.NOT_ATTEMPTED: "var(--jp-border-color1, #9e9e9e)",
}


class NotYet(Exception):
    """Raised by a check: the answer does not do it yet.

    Args:
        saw: what happened, in the first person of the check ("I sent … and got …").
        expected: what should have happened.
        then: the next step, a question or a pointer; never the solution.
    """

    def __init__(self, saw: str, expected: str = "", then: str = "") -> None:
        super().__init__(saw)
        self.saw = saw
        self.expected = expected
        self.then = then


class StillRunning(NotYet):
    """The answer did not come to its end; `saw` says where it was, if that is known."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found. True in a condition when the exercise is solved."""

    status: Status
    saw: str = ""
    expected: str = ""
    then: str = ""
    details: Sequence[tuple[str, Sequence[str]]] = field(default_factory=tuple)
    """Titled blocks of lines: the traceback, the wire, what was printed."""

    def __bool__(self) -> bool:
        return self.status is Status.SOLVED

    def __repr__(self) -> str:
        blocks = [f"{title}:\n" + _indented(lines) for title, lines in self.details]
        words = [" ".join(self._headline()), self._advice()]
        return "\n\n".join(["\n".join(line for line in words if line), *blocks])

    def _repr_html_(self) -> str:
        status, *saw = self._headline()
        head = " ".join([f"<strong>{status}</strong>", *(_inline(text) for text in saw)])
        advice = f"<div>{_inline(self._advice())}</div>" if self._advice() else ""
        blocks = "".join(
            f"<div style='margin-top:.6em'>{_inline(title)}:</div>{_pre(lines)}"
            for title, lines in self.details
        )
        return _box(_COLOURS[self.status], f"<div>{head}</div>{advice}{blocks}")

    def _headline(self) -> list[str]:
        return [f"{self.status}."] + ([self.saw] if self.saw else [])

    def _advice(self) -> str:
        expected = f"Expected: {self.expected}" if self.expected else ""
        return " ".join(part for part in (expected, self.then) if part)


@dataclass(frozen=True, repr=False)
class Note:
    """A titled piece of text: a hint, or an exercise that tells what it is."""

    title: str
    text: str

    def __repr__(self) -> str:
        return f"{self.title}: {self.text}"

    def _repr_html_(self) -> str:
        title = html.escape(self.title)
        body = f"<div><strong>{title}:</strong> {_inline(self.text)}</div>"
        return _box("var(--jp-brand-color1, #1976d2)", body)


@dataclass(frozen=True, repr=False)
class Source:
    """Python code that shows itself, highlighted where IPython is at hand."""

    code: str

    def __repr__(self) -> str:
        return self.code

    def _repr_html_(self) -> str:
        try:
            from IPython.display import Code
        except ImportError:
            return _pre(self.code.splitlines())
        page = Code(data=self.code, language="python")
        return str(page._repr_html_())


@dataclass(frozen=True, repr=False)
class Summary:
    """Which exercises of a lesson are solved in this session."""

    lesson: str
    rows: Sequence[tuple[str, str, Status]]
    """Name, goal and status, in the order of the lesson."""

    def __repr__(self) -> str:
        width = max((len(name) for name, _, _ in self.rows), default=0)
        lines = [f"{name:{width}}  {status}" for name, _, status in self.rows]
        return "\n".join([self._headline(), *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'><code>{html.escape(name)}</code></td>"
            f"<td style='text-align:left'>{_inline(goal)}</td>"
            f"<td style='text-align:left'>{status}</td></tr>"
            for name, goal, status in self.rows
        )
        head = "".join(
            f"<th scope='col' style='text-align:left'>{word}</th>"
            for word in ("Exercise", "Goal", "So far")
        )
        return f"<table><caption>{_inline(self._headline())}</caption><tr>{head}</tr>{rows}</table>"

    def _headline(self) -> str:
        solved = sum(status is Status.SOLVED for _, _, status in self.rows)
        return f"Lesson {self.lesson}: {solved} of {len(self.rows)} exercises solved"


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


def _inline(text: str) -> str:
    """Escaped text, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def _pre(lines: Sequence[str]) -> str:
    text = html.escape("\n".join(lines), quote=False)
    breaks = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"  # not inside words
    return f"<pre style='margin:.2em 0 0 1em;{breaks}'>{text}</pre>"


def _box(colour: str, body: Any) -> str:
    style = f"border-left:4px solid {colour};padding:.3em .8em;margin:.2em 0;max-width:52em"
    return f"<div class='tex2jax_ignore mathjax_ignore' style='{style}'>{body}</div>"
