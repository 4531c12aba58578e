"""The table of kernels in `docs/kernels.md`: read, one result put in, and written.

The file is all that is kept, so that parts of the table can be made at different times. Everything
between the marks is ours; what stands around them was written by hand.
"""

import datetime
import importlib.metadata
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.notebooks import ROOT

PAPER = ROOT / "docs" / "kernels.md"
COLUMNS = {
    "lessons": "lessons",
    "solved": "lessons, solved",
    "lab": "panels in JupyterLab",
    "notebook": "panels in Notebook 7",
}
PARTS = tuple(COLUMNS)
NOT_RUN = "not run"
_HEAD = ("ipykernel", "Python", *COLUMNS.values())
_MADE = re.compile(r"(?<=<!-- made: kernels -->\n).*?(?=<!-- end -->)", re.DOTALL)
_ROW = re.compile(r"^\| (\d.*) \|$", re.MULTILINE)
_TROUBLE = re.compile(r"^- ipykernel (\S+), Python (\S+), ([\w, ]+): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """How many of so many passed, and a line for each that did not."""

    passed: int
    tried: int
    failures: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.passed} of {self.tried}"


@dataclass
class Row:
    """One kernel: its two versions, what came out of each part, and what failed there."""

    ipykernel: str
    python: str
    results: dict[str, str] = field(default_factory=dict)
    failures: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def place(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where it stands; two that differ in the last number only are the same kernel."""
        return _minor(self.ipykernel), _minor(self.python)


def rows(text: str) -> list[Row]:
    """The rows of the paper with this text."""
    found = []
    for line in _ROW.findall(_made(text)):
        ipykernel, python, *cells = line.split(" | ")
        results = zip(PARTS, cells, strict=True)
        found.append(Row(ipykernel, python, {p: cell for p, cell in results if cell != NOT_RUN}))
    parts = {column: part for part, column in COLUMNS.items()}
    for ipykernel, python, column, line in _TROUBLE.findall(_made(text)):
        row = next(row for row in found if (row.ipykernel, row.python) == (ipykernel, python))
        row.failures[parts[column]] = (*row.failures.get(parts[column], ()), line)
    return found


def with_result(text: str, row: Row, part: str, outcome: Outcome, drivers: str) -> str:
    """The paper with one more result in its table, in place of an older one of the same kernel.

    Args:
        text: the paper as it is.
        row: the kernel; only its versions count.
        part: one of `PARTS`.
        outcome: what came out.
        drivers: the versions of everything else.
    """
    table = {there.place: there for there in rows(text)}
    older = table.get(row.place, row)
    results = older.results | {part: f"{outcome}, {datetime.date.today()}"}
    failures = older.failures | {part: outcome.failures}
    table[row.place] = Row(row.ipykernel, row.python, results, failures)
    made = _written([table[place] for place in sorted(table)], drivers)
    return _MADE.sub(lambda _: made, text)


def store(row: Row, part: str, outcome: Outcome, versions: Mapping[str, str]) -> None:
    """Put one result into `docs/kernels.md`."""
    here = ("jupyterlab", "notebook", "nbclient")
    all_versions = {name: importlib.metadata.version(name) for name in here} | dict(versions)
    drivers = ", ".join(f"{name} {version}" for name, version in all_versions.items())
    text = PAPER.read_text(encoding="utf-8")
    PAPER.write_text(with_result(text, row, part, outcome, drivers), encoding="utf-8")


def _written(table: list[Row], drivers: str) -> str:
    lines = [_line(_HEAD), _line(["---"] * len(_HEAD))]
    troubles = []
    for row in table:
        lines.append(
            _line([row.ipykernel, row.python, *(row.results.get(p, NOT_RUN) for p in PARTS)])
        )
        for part in PARTS:
            kernel = f"- ipykernel {row.ipykernel}, Python {row.python}, {COLUMNS[part]}"
            troubles += [f"{kernel}: {failure}" for failure in row.failures.get(part, ())]
    what_failed = ["What failed:", "", *troubles] if troubles else ["Nothing failed."]
    return "\n".join([*lines, "", f"Beside them: {drivers}.", "", *what_failed, ""])


def _line(cells: "list[str] | tuple[str, ...]") -> str:
    return f"| {' | '.join(cells)} |"


def _made(text: str) -> str:
    made = _MADE.search(text)
    if made is None:
        raise ValueError("the paper has no place for the table of kernels")
    return made[0]


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".")[:2])
