"""Notebooks run for tests: through nbval as a command, or in a kernel."""

import copy
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbclient import NotebookClient

from tools.answers import CELL_SECONDS
from tools.notebooks import ROOT, from_text, write

from ..ports import CHOOSE_PORTS


def notebook(*cells: str) -> Any:
    """A notebook of these code cells."""
    return from_text("\n\n".join(f"# %%\n{cell}" for cell in cells))


def in_turn(first: Any, second: Any) -> Any:
    """The cells of both, for one kernel; what the first shows is not to be compared."""
    both = copy.deepcopy(second)
    before = copy.deepcopy(first.cells)
    for cell in before:
        cell.id = f"first-{cell.id}"
        if cell.cell_type == "code":
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), "nbval-ignore-output"})
    both.cells = before + both.cells
    return both


def executed(made: Any, folder: Path) -> Any:
    """The notebook after a run in a kernel of its own, in this folder."""
    client = NotebookClient(
        made,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return made


def nbval(made: Any, folder: Path, *options: str) -> None:
    """Have nbval run this notebook, as a pytest of its own; fail with what it printed."""
    path = folder / "notebook.ipynb"
    write(made, path)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(CHOOSE_PORTS)
    command = ["-m", "pytest", "-q", "--color=no", "-p", "nbval.plugin", "-p", "no:cacheprovider"]
    command += ["--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}", *options, path.name]
    result = run(command, folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert result.returncode == 0, result.stdout + result.stderr


def run(
    arguments: Sequence[str], folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in this folder, with the kit in reach."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
