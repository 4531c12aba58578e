"""Make the answer key: each lesson with its exercises solved, run, and its outputs stored.

    python -m tools.answers                # write notebooks/answers/
    python -m tools.answers 01 02          # these lessons alone
    python -m tools.answers --check        # write nothing; fail where the key is out of date

A cell whose output differs from run to run carries the tag `nbval-ignore-output` (or nbval's
comment for it). Its output is stored as it came, but for paths of this machine, and not compared.
"""

import argparse
import difflib
import re
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tools.notebooks import LESSONS, METADATA, ROOT, lessons, read, write
from tools.stubs import find_stubs, solved

ANSWERS = LESSONS / "answers"
CELL_SECONDS = 60
IGNORED = re.compile(r"^\s*#\s*NBVAL_(IGNORE_OUTPUT|SKIP)\s*$", re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()\.\./([^)\s#]+)")
_WIDGET = "application/vnd.jupyter.widget-view+json"


class NotSolved(Exception):
    """A model solution did not pass its own check in the notebook."""


def solved_lesson(path: Path) -> Any:
    """A lesson with its exercises solved and its links as they lead from the key; not yet run."""
    notebook = solved(read(path))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(_from_the_key, cell.source)
    return notebook


def answer_key(path: Path) -> Any:
    """The solved and executed edition of a lesson.

    Raises:
        NotSolved: a model solution is not accepted.
        nbclient.exceptions.CellExecutionError: a cell raised an exception.
    """
    notebook = solved_lesson(path)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    for stub in find_stubs(notebook):
        text = shown(notebook.cells[stub.check_cell])
        if "Solved." not in text:
            raise NotSolved(f"{path.name}, {stub.exercise.name}: {text}")
    return _without_this_machine(notebook)


def shown(cell: Any) -> str:
    """What a cell printed and returned, as text."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "error":
            parts.append("\n".join(output.traceback))
        parts.append(output.get("text", ""))
        data = sorted(output.get("data", {}).items())  # a stored file has them in this order
        parts += [str(text) for mime, text in data if _is_text(mime)]
    return "\n".join(part for part in parts if part)


def is_ignored(cell: Any) -> bool:
    """Whether the cell says that its output differs from run to run."""
    tags = cell.metadata.get("tags", [])
    return bool(
        "nbval-ignore-output" in tags or "nbval-skip" in tags or IGNORED.search(cell.source)
    )


def drift(stored: Any, fresh: Any) -> list[str]:
    """Lines that say how two editions of an answer key differ; ignored outputs do not count."""
    return list(difflib.unified_diff(_lines(stored), _lines(fresh), "stored", "fresh", n=1))


def _lines(notebook: Any) -> list[str]:
    lines = []
    for index, cell in enumerate(notebook.cells):
        lines += [f"cell {index}, {cell.cell_type}, {cell.get('id')}", *cell.source.splitlines()]
        if cell.cell_type == "code" and not is_ignored(cell):
            lines += [f"cell {index} shows:", *shown(cell).splitlines()]
    return lines


def _is_text(mime: str) -> bool:
    return mime.startswith("text/") or mime in ("image/svg+xml", "application/json")


def _without_this_machine(notebook: Any) -> Any:
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                output.get("data", {}).pop(_WIDGET, None)  # nobody can follow its id
            if is_ignored(cell):
                cell.outputs = [_map(output, _without_paths) for output in cell.outputs]
    return notebook


def _from_the_key(link: re.Match[str]) -> str:
    # The key is one folder further down. Its own contents are where a lesson expects them.
    there, here = (folder.parent / link[1] for folder in (LESSONS, ANSWERS))
    return f"../../{link[1]}" if there.exists() and not here.exists() else link[0]


def _map(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map(item, change) for item in value]
    if isinstance(value, dict):
        return nbformat.from_dict({key: _map(item, change) for key, item in value.items()})
    return value


def _without_paths(text: str) -> str:
    for folder in _machine_folders():
        text = text.replace(folder, "…")
    return re.sub(r"ipykernel_\d+", "ipykernel", text)


def _machine_folders() -> list[str]:
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sys.prefix}
    folders |= {sys.base_prefix, str(ROOT), str(Path.home()), tempfile.gettempdir()}
    home = str(Path.home())
    folders |= {folder.replace(home, "~", 1) for folder in folders if folder.startswith(home)}
    return sorted((folder for folder in folders if len(folder) > 1), key=len, reverse=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.answers")
    parser.add_argument("numbers", nargs="*", help="lessons, for example 01; all if none is named")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args(arguments)
    there = lessons()
    for number in options.numbers:
        if number not in [path.name[:2] for path in there]:
            parser.error(f"there is no lesson {number}: name one by its two digits, such as 05")
    wanted = [path for path in there if not options.numbers or path.name[:2] in options.numbers]
    stale = False
    for path in wanted:
        fresh, target = answer_key(path), ANSWERS / path.name
        difference = drift(read(target), fresh) if target.exists() else ["there is no answer key"]
        if options.check and difference:
            print(f"{target.name} is out of date:", *difference, sep="\n")
            stale = True
        elif not options.check:
            write(fresh, target)
            print(f"{target.name}: written")
    if stale:
        print("python -m tools.answers writes it anew")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
