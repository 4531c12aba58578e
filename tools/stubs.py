"""Where the exercises of a notebook are, and the same notebook with each of them solved.

An exercise is found by its check alone: `ex.echo.check(my_echo)`, where `ex` was imported from
`sockkit.exercises`. The cell that defines `my_echo` holds the stub. Learners see nothing else.
"""

import ast
import copy
import importlib
from dataclasses import dataclass
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from sockkit.exercises.lesson import Exercise

_PACKAGE = "sockkit.exercises"


@dataclass(frozen=True)
class Stub:
    """One exercise in a notebook."""

    exercise: Exercise
    answer: str
    """The name under which the learner's answer goes."""
    check_cell: int
    """Index of the cell that calls the check."""
    stub_cell: int
    """Index of the cell that defines the answer: the same, or one before."""
    lines: tuple[int, int]
    """First and last line of the definition in that cell, counted from 1."""


class NoStub(Exception):
    """A check asks for an answer that no cell before it defines."""


def parsed(source: str) -> ast.Module:
    """The syntax tree of a cell: magics, shell commands and top-level `await` may stand in it."""
    python = TransformerManager().transform_cell(source)
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(python, "<cell>", "exec", flags)
    assert isinstance(tree, ast.Module)
    return tree


def find_stubs(notebook: Any) -> list[Stub]:
    """Every exercise that the notebook checks, in order.

    Raises:
        NoStub: the answer that a check is given is nowhere defined.
    """
    modules: dict[str, Any] = {}
    defined: dict[str, tuple[int, tuple[int, int]]] = {}
    stubs = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        for statement in parsed(cell.source).body:
            modules |= _imported(statement)
            for name in _names(statement):
                defined[name] = (index, _lines(statement))
            for exercise, answer in _checks(statement, modules):
                if answer not in defined:
                    raise NoStub(f"cell {index} checks {answer!r}, which no cell defines")
                stub_cell, lines = defined[answer]
                stubs.append(Stub(exercise, answer, index, stub_cell, lines))
    return stubs


def solved(notebook: Any) -> Any:
    """A copy in which every stub is replaced by its model solution."""
    notebook = copy.deepcopy(notebook)
    stubs = find_stubs(notebook)
    places = {(stub.stub_cell, stub.lines): stub for stub in stubs}
    for (index, (first, last)), stub in sorted(places.items(), reverse=True, key=lambda i: i[0]):
        cell = notebook.cells[index]
        lines = cell.source.split("\n")
        lines[first - 1 : last] = stub.exercise.solved_cell(stub.answer).split("\n")
        cell.source = "\n".join(lines)
    return notebook


def _imported(statement: ast.stmt) -> dict[str, Any]:
    if not isinstance(statement, ast.ImportFrom) or statement.module != _PACKAGE:
        return {}
    return {
        alias.asname or alias.name: importlib.import_module(f"{_PACKAGE}.{alias.name}")
        for alias in statement.names
    }


def _names(statement: ast.stmt) -> list[str]:
    """What a statement at the top of a cell defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return []


def _lines(statement: ast.stmt) -> tuple[int, int]:
    decorators = getattr(statement, "decorator_list", [])
    first = min(node.lineno for node in (statement, *decorators))
    return first, statement.end_lineno or first


def _checks(statement: ast.stmt, modules: dict[str, Any]) -> list[tuple[Exercise, str]]:
    """Each `ex.NAME.check(answer)` in it."""
    found = []
    for node in ast.walk(statement):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(value=ast.Name(id=module), attr=name), attr="check"
                ),
                args=[ast.Name(id=answer)],
            ) if module in modules:
                found.append((getattr(modules[module], name), answer))
    return found
