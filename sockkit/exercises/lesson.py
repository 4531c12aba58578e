"""The exercises of one lesson as the learner meets them: check, hint, solution, summary."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from types import CoroutineType
from typing import Any

from sockkit.exercises import report
from sockkit.exercises.attempt import untouched
from sockkit.exercises.judge import Check, judge
from sockkit.exercises.verdict import Note, NotYet, Source, Status, Summary, Verdict
from sockkit.exercises.where import described


class Exercise:
    """One exercise. Its state lives in this session's memory, and nowhere else.

    Made by `Lesson.exercise`; `goal` is the first line of the check's docstring.
    """

    def __init__(
        self,
        check: Check,
        solution: Callable[..., Any],
        hints: Sequence[str],
        value: bool,
    ) -> None:
        self.name = check.__name__
        self.goal = inspect.getdoc(check).splitlines()[0]  # type: ignore[union-attr]  # must have one
        self.hints = tuple(hints)
        self.value = value
        self.model = solution
        self.status = Status.NOT_ATTEMPTED
        self._check = check
        self._hints_given = 0

    def check(self, answer: Any = ...) -> Verdict:
        """Try the answer out, on live sockets, and say what came of it. Within 5 s, always.

        Shown as the result of a cell; true in a condition when the exercise is solved.
        """
        if untouched(answer):
            verdict = report.not_attempted()
        elif problem := self._wrong_kind(answer):
            verdict = Verdict(Status.NOT_YET, problem.saw, problem.expected, problem.then)
        else:
            verdict = judge(self._check, answer, self.goal)
        if self.status is not Status.SOLVED:
            self.status = verdict.status
        return verdict

    def hint(self) -> Note:
        """The first hint; called again, the next one."""
        if self._hints_given >= len(self.hints):
            text = f"That was the last one. `ex.{self.name}.solution()` shows one way to do it."
            return Note("No more hints", text)
        self._hints_given += 1
        title = f"Hint {self._hints_given} of {len(self.hints)}"
        return Note(title, self.hints[self._hints_given - 1])

    def solution(self) -> Source:
        """The source of one right answer. Others are as right."""
        return Source(self.solved_cell(self.model.__name__))

    def solved_cell(self, name: str) -> str:
        """The model solution as the learner would type it, under the name they use for it."""
        source = textwrap.dedent(inspect.getsource(self.model)).rstrip()
        if self.value:
            return _as_assignment(source, name)
        return _renamed(source, self.model.__name__, name)

    def _wrong_kind(self, answer: Any) -> NotYet | None:
        if isinstance(answer, CoroutineType):
            name = answer.__name__
            answer.close()
            return NotYet(
                f"You gave me a coroutine, what `{name}()` returns when it is called.",
                "the function itself.",
                "Leave out the parentheses.",
            )
        if self.value or callable(answer):
            return None
        return NotYet(
            f"You gave me {described(answer)}, which I cannot call.",
            "a function or a class.",
            "Did you give me what it returns, instead of the function itself?",
        )

    def __repr__(self) -> str:
        return repr(self._note())

    def _repr_html_(self) -> str:
        return self._note()._repr_html_()

    def _note(self) -> Note:
        return Note(f"Exercise {self.name}", f"{self.goal} {self.status}.")


class Lesson:
    """The exercises of one lesson, in order.

    Args:
        number: as in the name of the notebook, "01".
    """

    def __init__(self, number: str) -> None:
        self.number = number
        self.exercises: list[Exercise] = []

    def exercise(
        self,
        *,
        solution: Callable[..., Any],
        hints: Sequence[str],
        value: bool = False,
    ) -> Callable[[Check], Exercise]:
        """Turn a check into an exercise of this lesson, named as the check is.

        Args:
            solution: the model solution, a real function or class. For an exercise whose answer is
                a value: a function without arguments that returns it, as its last statement.
            hints: from the first nudge to nearly everything.
            value: the answer is a value, and not something to call.
        """

        def made(check: Check) -> Exercise:
            exercise = Exercise(check, solution, hints, value)
            self.exercises.append(exercise)
            return exercise

        return made

    def summary(self) -> Summary:
        """What is solved in this session."""
        rows = [(each.name, each.goal, each.status) for each in self.exercises]
        return Summary(self.number, rows)


def _renamed(source: str, old: str, new: str) -> str:
    """The definition under another name; only where it is defined, and where it names itself."""
    if old == new:
        return source
    lines = source.splitlines()
    spots = [
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name) and node.id == old
    ]
    for number, column in sorted(spots, reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:column] + new + line[column + len(old) :]
    definition = ast.parse(source).body[0]
    head = lines[definition.lineno - 1]
    lines[definition.lineno - 1] = head.replace(f" {old}", f" {new}", 1)
    return "\n".join(lines)


def _as_assignment(source: str, name: str) -> str:
    """The body of a function that ends with `return value`, as a cell that ends `name = value`."""
    body = ast.parse(source).body[0].body  # type: ignore[attr-defined]  # a function's
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    lines = source.splitlines()[body[0].lineno - 1 :]
    last = body[-1].lineno - body[0].lineno
    lines[last] = lines[last].replace("return ", f"{name} = ", 1)
    return textwrap.dedent("\n".join(lines))
