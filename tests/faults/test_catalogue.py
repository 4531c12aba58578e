"""No row of the catalogue is without a test, and no test without a row."""

import ast
from pathlib import Path

from .catalogue import CATALOGUE, Figure, table

HERE = Path(__file__).parent


def rows_tested() -> set[str]:
    """The names in all `@pytest.mark.row(…)` of this folder."""
    rows = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.row":
                rows.add(ast.literal_eval(node.args[0]))
    return rows


def test_every_row_of_the_catalogue_has_a_test() -> None:
    assert rows_tested() == set(CATALOGUE)


def test_the_table_has_every_row_and_every_figure() -> None:
    lines = table([Figure("fork", "3 ms"), Figure("reset", "1 ms"), Figure("reset", "2 ms")])
    assert [line.partition(":")[0] for line in lines if line[0] != " "] == list(CATALOGUE)
    assert [line.strip() for line in lines if line.endswith(("1 ms", "2 ms"))] == ["1 ms", "2 ms"]
    assert sum("not measured" in line for line in lines) == len(CATALOGUE) - 2
