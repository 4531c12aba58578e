"""What the notebooks that learners handed in say of their exercises. Nothing in them is run.

    python -m tools.handed_in FOLDER     # every notebook in it and below it, a line each

Each lesson ends with `ex.summary()`, and a notebook is saved with what that showed. It is text in a
file, which anybody can type: docs/teaching.md says how to run the notebooks again.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from sockkit.text import plain
from tools.notebooks import read

NO_SUMMARY = "no summary: its last cells were not run, or it was not saved after that"
NO_NOTEBOOK = "no notebook that can be read"
_SUMMARY = re.compile(r"Lesson \d\d: \d+ of \d+ exercises solved(?=\n|$)")
_OPEN = re.compile(r"^(\w+) +(Not yet|Not attempted yet)$", re.MULTILINE)


def said(path: Path) -> str:
    """What a notebook says of its exercises, in a line: how many are solved, and which are not."""
    try:
        notebook = read(path)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        texts = [str(output.get("data", {}).get("text/plain", "")) for output in outputs]
    except Exception:  # nbformat, as ours, fails at anything in what is no notebook
        return NO_NOTEBOOK
    summaries = [text for text in texts if _SUMMARY.match(text)]
    if not summaries:
        return NO_SUMMARY
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
    folder = parser.parse_args(arguments).folder
    books = notebooks(folder)
    if not books:
        parser.error(f"there is no notebook in {folder}")
    for path in books:
        # What comes from learners is shown as text, and never as codes for this terminal.
        print(f"{plain(str(path.relative_to(folder)))}: {plain(said(path))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
