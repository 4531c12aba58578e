"""The form in which the answers to an exercise are written down, and what each must be told.

See `sockkit.exercises` for how to fill one in. Every module in `tables/` is read by the tests.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sockkit.exercises.lesson import Exercise
from sockkit.exercises.verdict import Status

Answer = TypeVar("Answer")


@dataclass
class Case:
    """An answer, and the verdict it must get: this status, in words that match the pattern."""

    name: str
    exercise: Exercise
    answer: Any
    status: Status
    pattern: str = ""


@dataclass
class Table:
    """All answers to one exercise. Its methods decorate functions and classes, or take values."""

    exercise: Exercise
    cases: list[Case] = field(default_factory=list)

    def stub(self, answer: Answer) -> Answer:
        return self._add("stub", answer, Status.NOT_ATTEMPTED, "")

    def right(self, answer: Answer) -> Answer:
        return self._add("right", answer, Status.SOLVED, "")

    def wrong(self, pattern: str) -> Callable[[Answer], Answer]:
        return lambda answer: self._add("wrong", answer, Status.NOT_YET, pattern)

    def count(self, status: Status) -> int:
        return sum(case.status is status for case in self.cases)

    def model(self) -> Any:
        """The model solution's answer."""
        solution = self.exercise.model
        return solution() if self.exercise.value else solution

    def _add(self, kind: str, answer: Answer, status: Status, pattern: str) -> Answer:
        name = getattr(answer, "__name__", str(len(self.cases)))
        full = f"{self.exercise.name}-{kind}-{name}"
        self.cases.append(Case(full, self.exercise, answer, status, pattern))
        return answer


def all_tables() -> list[Table]:
    """Every table of every module beside this one, in the order of the lessons."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("tables/nb*.py"))
    modules = [importlib.import_module(f".tables.{name}", __package__) for name in names]
    return [thing for module in modules for thing in vars(module).values() if is_table(thing)]


def is_table(thing: Any) -> bool:
    return isinstance(thing, Table)
