"""A schedule as a picture: SVG made of strings, a lane for each thread, time goes down.

Colours are those of the notebook's theme where there is one, else dark on a light ground; what a
colour says is also said by a line's shape or by words. All text is escaped.
"""

from html import escape
from typing import TYPE_CHECKING

from sockkit.text import plain

if TYPE_CHECKING:
    from sockkit.lab.races.result import Result, Step

INK = "var(--jp-content-font-color1, var(--vscode-editor-foreground, #1f1f1f))"
PAPER = "var(--jp-layout-color1, var(--vscode-editor-background, #ffffff))"
BAD = "var(--jp-error-color1, #c62828)"
GOOD = "var(--jp-success-color1, #2e7d32)"

_TYPE = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_CHARACTER = 7.3  # Width of one, in the 12-pixel monospaced type below.
_MOST_CHARACTERS = 46
_GUTTER = 36  # Left of the first lane, for the numbers.
_MARGIN = 12  # Right of the last lane.
_GAP = 44  # Between two lanes, for the arrows.
_HEADER = 76
_LINE = 17
_PAD = 9
_SPACE = 10  # Between two steps.


def page(result: "Result") -> str:
    """The picture for a notebook, with what was explored, and the text for who can't see it."""
    remarks = "".join(f"<p>{escape(remark)}</p>" for remark in result.remarks)
    text = escape(result.to_text())
    return (
        f'<div class="sockkit-race" style="max-width: 62em">{draw(result)}{remarks}'
        f"<details><summary>The same as text</summary><pre>{text}</pre></details></div>"
    )


def draw(result: "Result") -> str:
    """The picture alone, as a whole SVG document."""
    return _Drawing(result).svg()


class _Drawing:
    def __init__(self, result: "Result") -> None:
        self._result = result
        shown = result.shown()
        self._steps = [step for step in shown if not isinstance(step, int)]
        self._lanes = dict(zip("ABCDEF", result.threads, strict=False))
        headings = [f"{letter}  {name}" for letter, name in self._lanes.items()]
        texts = headings + [text for step in self._steps for text in self._texts(step)]
        characters = max(16, min(_MOST_CHARACTERS, max(len(text) for text in texts)))
        self._lane = round(characters * _CHARACTER) + 2 * _PAD
        self._left = {
            letter: _GUTTER + index * (self._lane + _GAP)
            for index, letter in enumerate(self._lanes)
        }
        self._width = _GUTTER + len(self._lanes) * (self._lane + _GAP) - _GAP + _MARGIN
        self._place(shown)

    def _place(self, shown: "list[Step | int]") -> None:
        """Set how far down each step, and each gap between the steps, is."""
        self._top: dict[int, int] = {}
        self._gaps: dict[int, int] = {}
        y = _HEADER
        for step in shown:
            if isinstance(step, int):
                self._gaps[y] = step
                y += _LINE + _SPACE
            else:
                self._top[step.number] = y
                y += self._height(step) + _SPACE
        self._bottom = y

    def svg(self) -> str:
        verdict = self._wrapped(self._result.verdict)
        height = self._bottom + 18 + len(verdict) * _LINE + 2 * _PAD
        label = escape(self._result.verdict)
        steps = "; ".join(
            f"{s.number}. {s.thread}: {plain(s.line)} {plain(s.action)} {s.note}".strip()
            for s in self._steps
        )
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
            f'viewBox="0 0 {self._width} {height}" width="{self._width}" height="{height}" '
            f'style="max-width: 100%; height: auto; font: 12px {_TYPE}; color: {INK}">',
            f"<title>{escape(self._result.verdict)}</title>",
            f"<desc>{escape(steps)}</desc>",
            f'<rect width="100%" height="100%" style="fill: {PAPER}"/>',
            *self._headers(),
            *(_text(_GUTTER + 8, y + 12, f"… {n} steps …", 40) for y, n in self._gaps.items()),
            *(self._box(step) for step in self._steps),
            *(self._arrow(step) for step in self._steps if self._has_arrow(step)),
            self._band(verdict, self._bottom + 6),
            "</svg>",
        ]
        return "".join(parts)

    def _headers(self) -> list[str]:
        must = self._wrapped(f"must be true at the end: {self._result.invariant}")[:2]
        parts = [_text(_GUTTER, 18 + n * _LINE, text, 200) for n, text in enumerate(must)]
        for letter, name in self._lanes.items():
            x, middle = self._left[letter], self._left[letter] + self._lane / 2
            parts += [
                f'<line x1="{middle}" y1="66" x2="{middle}" y2="{self._bottom}" '
                'style="stroke: currentColor; stroke-opacity: 0.3; stroke-dasharray: 2 4"/>',
                _text(x + _PAD, 58, f"{letter}  {name}", _MOST_CHARACTERS, "bold"),
                f'<line x1="{x}" y1="66" x2="{x + self._lane}" y2="66" '
                'style="stroke: currentColor; stroke-width: 2"/>',
            ]
        return parts

    def _box(self, step: "Step") -> str:
        x, y, height = self._left[step.thread], self._top[step.number], self._height(step)
        edge = "stroke: currentColor; stroke-opacity: 0.45"
        if self._is_bad(step):
            edge = f"stroke: {BAD}; stroke-width: 2.5"
        if step.does == "wants":
            edge += "; stroke-dasharray: 6 4"
        texts = self._texts(step)
        lines = [
            _text(x + _PAD, y + (n + 1) * _LINE, text, _MOST_CHARACTERS, "bold" if n else "")
            for n, text in enumerate(texts)
        ]
        return (
            f"<g><title>{escape(plain(step.line))}</title>"
            f'<rect x="{x}" y="{y}" width="{self._lane}" height="{height}" rx="5" '
            f'style="fill: {PAPER}; {edge}"/>'
            f"{_text(_GUTTER - 12, y + _LINE, str(step.number), 4, anchor='end')}"
            f"{''.join(lines)}</g>"
        )

    def _arrow(self, step: "Step") -> str:
        """From the step that is run into, to this one; it leaves and enters at the facing sides."""
        other = next(s for s in self._steps if s.number == step.clash)
        rightward = self._left[other.thread] < self._left[step.thread]
        x1 = self._left[other.thread] + (self._lane if rightward else 0)
        x2 = self._left[step.thread] + (0 if rightward else self._lane)
        y1 = self._top[other.number] + self._height(other) / 2
        y2 = self._top[step.number] + self._height(step) / 2
        back = -9 if rightward else 9
        return (
            f'<path d="M {x1} {y1} C {x1 - 3 * back} {y1}, {x2 + 3 * back} {y2}, {x2 + back} {y2}" '
            f'style="fill: none; stroke: {BAD}; stroke-width: 2"/>'
            f'<path d="M {x2} {y2} l {back} -5 v 10 z" style="fill: {BAD}"/>'
        )

    def _band(self, verdict: list[str], y: int) -> str:
        colour = GOOD if self._result.holds else BAD
        height = len(verdict) * _LINE + _PAD + 3
        mark = "✓" if self._result.holds else "✗"
        lines = [
            _text(_GUTTER + 26, y + (n + 1) * _LINE, text, 400, "bold")
            for n, text in enumerate(verdict)
        ]
        width = self._width - _GUTTER - _MARGIN
        return (
            f'<rect x="{_GUTTER}" y="{y}" width="{width}" height="{height}" '
            f'rx="5" style="fill: {colour}; fill-opacity: 0.12; stroke: {colour}"/>'
            f"{_text(_GUTTER + _PAD, y + _LINE, mark, 1, 'bold')}{''.join(lines)}"
        )

    def _wrapped(self, text: str) -> list[str]:
        room = int((self._width - _GUTTER - 60) / _CHARACTER)
        lines = [""]
        for word in plain(text, 400).split(" "):
            if lines[-1] and len(lines[-1]) + len(word) >= room:
                lines.append("")
            lines[-1] = f"{lines[-1]} {word}".strip()
        return lines

    def _texts(self, step: "Step") -> list[str]:
        return [text for text in (step.line, step.action, step.note) if text]

    def _height(self, step: "Step") -> int:
        return len(self._texts(step)) * _LINE + _PAD

    def _is_bad(self, step: "Step") -> bool:
        """Whether it is part of what goes wrong: one of two steps that collide, or out of date."""
        part_of = {n for s in self._steps for n in (s.clash, s.stale)}
        return not self._result.holds and (bool(step.clash) or step.number in part_of)

    def _has_arrow(self, step: "Step") -> bool:
        return not self._result.holds and step.clash in self._top


def _text(x: float, y: float, text: str, most: int, weight: str = "", anchor: str = "start") -> str:
    bold = "; font-weight: 600" if weight else ""
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" xml:space="preserve" '
        f'style="fill: currentColor{bold}">{escape(plain(text, most))}</text>'
    )
