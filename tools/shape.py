"""The shape of the lessons in figures, and what is out of bounds.

python -m tools.shape
"""

import re
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.notebooks import lessons, read
from tools.stubs import find_stubs

WORDS = (900, 1400)
CODE_CELLS = (15, 22)
EXERCISES = (3, 5)
MEDIAN_LINES = (3, 4)
MOST_LINES = 25
MOST_WORDS_IN_A_CELL = 60

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Shape:
    """The figures of one lesson."""

    name: str
    words: int
    code_cells: int
    exercises: int
    median_lines: float
    most_lines: int
    most_words: int  # in one text cell

    def out_of_bounds(self) -> list[str]:
        """A sentence for each figure that is not as it should be."""
        ranges = [
            ("words", self.words, *WORDS),
            ("code cells", self.code_cells, *CODE_CELLS),
            ("exercises", self.exercises, *EXERCISES),
            ("lines in the median code cell", self.median_lines, *MEDIAN_LINES),
            ("lines in the longest code cell", self.most_lines, 1, MOST_LINES),
            ("words in the longest text cell", self.most_words, 1, MOST_WORDS_IN_A_CELL),
        ]
        return [
            f"{self.name}: {value:g} {what}, not {least} to {most}"
            for what, value, least, most in ranges
            if not least <= value <= most
        ]


def shape(name: str, notebook: Any) -> Shape:
    """Measure a lesson."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    codes = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    lines = [sum(bool(line.strip()) for line in code.splitlines()) for code in codes] or [0]
    return Shape(
        name=name,
        words=sum(map(words, texts)),
        code_cells=len(codes),
        exercises=len({id(stub.exercise) for stub in find_stubs(notebook)}),
        median_lines=statistics.median(lines),
        most_lines=max(lines),
        most_words=max(map(words, texts), default=0),
    )


def words(text: str) -> int:
    """How many words a reader sees: markup and the targets of links are none."""
    visible = _TAG.sub(" ", _LINK.sub(r"\1", text))
    return sum(bool(re.search(r"\w", word)) for word in visible.split())


def table(shapes: list[Shape]) -> str:
    """The figures, a line for each lesson."""
    head = f"{'lesson':28} words  code cells  exercises  median lines  longest code  longest text"
    return "\n".join(
        [head]
        + [
            f"{s.name:28} {s.words:5}  {s.code_cells:10}  {s.exercises:9}  {s.median_lines:12g}"
            f"  {s.most_lines:12}  {s.most_words:12}"
            for s in shapes
        ]
    )


def measured(paths: list[Path]) -> list[Shape]:
    """The figures of these notebooks."""
    return [shape(path.stem, read(path)) for path in paths]


def main() -> int:
    """The command; returns its exit status."""
    shapes = measured(lessons())
    print(table(shapes))
    wrong = [sentence for each in shapes for sentence in each.out_of_bounds()]
    print(*wrong, sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
