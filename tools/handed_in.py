"""What the notebooks that learners handed in say of their exercises.

    python -m tools.handed_in FOLDER         # every notebook in it and below it, a line each
    python -m tools.handed_in --run FOLDER   # the same, after each was run again

Each lesson ends with `ex.summary()`, and a notebook is saved with what that showed. It is text in a
file, which anybody can type. With `--run`, only what the cells show when they run counts; these are
programs of others, and nothing here keeps them from what this user may do.
"""

import argparse
import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError

from sockkit.cli.output import make_printing_safe, nobody_reads
from sockkit.text import plain
from tools.answers import CELL_SECONDS
from tools.notebooks import read

NO_SUMMARY = "no summary: its last cells were not run, or it was not saved after that"
NO_NOTEBOOK = "no notebook that can be read"
NO_SUMMARY_NOW = "no summary: it has none when it is run"
_SUMMARY = re.compile(r"Lesson \d\d: \d+ of \d+ exercises solved(?=\n|$)")
_OPEN = re.compile(r"^(\w+) +(Not yet|Not attempted yet)$", re.MULTILINE)


def said(path: Path, run: bool = False) -> str:
    """What a notebook says of its exercises, in a line: how many are solved, and which are not.

    Args:
        path: its file, which stays as it is.
        run: ask its cells, and not what was saved.
    """
    try:
        notebook = read(path)
        saved = _results(notebook)
    except Exception:  # nbformat, as ours, fails at anything in what is no notebook
        return NO_NOTEBOOK
    if not run:
        return _newest(saved) or NO_SUMMARY
    try:
        run_again(notebook, path.parent)
    except CellTimeoutError:
        return f"not run to its end: a cell took more than {CELL_SECONDS} s"
    except Exception as error:  # a kernel can end in many ways
        return f"not run to its end: {error}"
    return _newest(_results(notebook)) or NO_SUMMARY_NOW


def run_again(notebook: Any, folder: Path) -> None:
    """Run all cells in a kernel of their own, in this folder, whatever they raise.

    Raises:
        CellTimeoutError: one took too long, and those after it were not run.
        RuntimeError: the kernel ended.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []  # Or a cell that is empty, or tagged to be left out, would keep them.
    NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",  # and not the one of the learner's computer
        allow_errors=True,
        on_notebook_start=_keep_control_c,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    ).execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # not to this terminal


def _keep_control_c(**_: Any) -> None:
    # nbclient would end this kernel at Ctrl-C, and the command go on with the next notebook.
    with contextlib.suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


def _results(notebook: Any) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [str(output.get("data", {}).get("text/plain", "")) for output in outputs]


def _newest(texts: list[str]) -> str:
    """The last of the summaries, in a line; empty if there is none."""
    summaries = [text for text in texts if _SUMMARY.match(text)]
    if not summaries:
        return ""
    newest = summaries[-1]
    left = [f"{name} ({status.lower()})" for name, status in _OPEN.findall(newest)]
    return "; ".join(["".join(_SUMMARY.findall(newest)[:1]), *left])


def notebooks(folder: Path) -> list[Path]:
    """The notebooks in a folder and below it, without the copies that Jupyter keeps for itself."""
    found = sorted(folder.rglob("*.ipynb"))
    return [path for path in found if ".ipynb_checkpoints" not in path.parts]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.handed_in")
    parser.add_argument("folder", type=Path, help="where the notebooks are that came in")
    parser.add_argument("--run", action="store_true", help="run each again: programs of others")
    options = parser.parse_args(arguments)
    make_printing_safe()
    books = notebooks(options.folder)
    if not books:
        parser.error(f"there is no notebook in {options.folder}")
    try:
        with warnings.catch_warnings(action="ignore"):  # nbformat's, about ids of cells
            for path in books:
                # What comes from learners is shown as text, and never as codes for this terminal.
                name, words = str(path.relative_to(options.folder)), said(path, options.run)
                print(f"{plain(name)}: {plain(words)}")
    except BrokenPipeError:  # such as `| head`: it has seen enough
        nobody_reads()
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
