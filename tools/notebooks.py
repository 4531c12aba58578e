r"""Write a notebook as plain text, and read it back: the form in which a lesson is easy to edit.

    python -m tools.notebooks notebooks/01_echo.ipynb echo.py    # text from a notebook
    python -m tools.notebooks echo.py notebooks/01_echo.ipynb    # a notebook from text
    python -m tools.notebooks --clean                            # outputs out of all lessons

Without a second name, the text of a notebook is printed.

The text is the "percent" format that editors and jupytext know:

    # %% [markdown]
    # **Two datagrams, one receive.** How many times must the other side receive?

    # %% tags=["raises-exception"]
    await first_reply()

The notebook is what is kept. Its cells keep their ids as long as their text stays the same.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[1]
LESSONS = ROOT / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_HEAD = re.compile(r"# %%(?P<text> \[markdown\])?(?: tags=(?P<tags>\[.*\]))?\s*")


def lessons(folder: Path = LESSONS) -> list[Path]:
    """The lessons of a folder, in order."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def read(path: Path) -> Any:
    """The notebook in this file."""
    return nbformat.read(path, as_version=4)


def write(notebook: Any, path: Path) -> None:
    """Store a notebook; the same one always gives the same bytes."""
    nbformat.validate(notebook)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def cleaned(notebook: Any) -> Any:
    """The learner's edition: no outputs, no counts, nothing of the machine it was edited on."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def to_text(notebook: Any) -> str:
    """The cells in the percent format."""
    return "\n".join(_cell_to_text(cell) for cell in notebook.cells)


def from_text(text: str, ids: dict[str, str] | None = None) -> Any:
    """A notebook without outputs from the percent format.

    Args:
        text: the cells.
        ids: of cells that were there before, by their source.
    """
    used: set[str] = set()
    cells = []
    for head, source in _split(text.splitlines()):
        markdown = bool(head["text"])
        if markdown:
            source = "\n".join(re.sub(r"^# ?", "", line) for line in source.splitlines())
        cell = new_markdown_cell(source) if markdown else new_code_cell(source)
        if head["tags"]:
            cell.metadata["tags"] = json.loads(head["tags"])
        cell.id = _id((ids or {}).get(source), source, used)
        cells.append(cell)
    return cleaned(new_notebook(cells=cells))


def _split(lines: Iterable[str]) -> list[tuple[re.Match[str], str]]:
    cells: list[tuple[re.Match[str], list[str]]] = []
    for line in lines:
        if head := _HEAD.fullmatch(line):
            cells.append((head, []))
        elif cells:
            cells[-1][1].append(line)
        elif line.strip():
            raise ValueError(f"text before the first cell: {line!r}")
    return [(head, "\n".join(body).strip("\n")) for head, body in cells]


def _cell_to_text(cell: Any) -> str:
    tags = f" tags={json.dumps(cell.metadata.tags)}" if cell.metadata.get("tags") else ""
    if cell.cell_type == "code":
        return f"# %%{tags}\n{cell.source}\n"
    lines = (f"# {line}".rstrip() for line in cell.source.splitlines())
    return "\n".join([f"# %% [markdown]{tags}", *lines, ""])


def _id(known: str | None, source: str, used: set[str]) -> str:
    name = known or hashlib.sha256(source.encode()).hexdigest()[:8]
    while name in used:
        name = hashlib.sha256(name.encode()).hexdigest()[:8]
    used.add(name)
    return name


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks")
    parser.add_argument("source", type=Path, nargs="?", help="a notebook, or text")
    parser.add_argument("target", type=Path, nargs="?", help="what to write: the other of the two")
    parser.add_argument("--clean", action="store_true", help="outputs out of all lessons")
    options = parser.parse_args()
    try:
        if options.clean:
            for path in lessons():
                write(cleaned(read(path)), path)
        elif options.source:
            _convert(options.source, options.target)
        else:
            parser.error("name a notebook, or text and a notebook, or --clean")
    except (OSError, ValueError) as error:  # a ValueError: it is no notebook, or no text of one
        parser.error(str(error))


def _convert(source: Path, target: Path | None) -> None:
    is_notebook = source.suffix == ".ipynb"
    if is_notebook == (target is not None and target.suffix == ".ipynb"):
        raise ValueError("one of the two is a notebook, whose name ends in .ipynb, and one is text")
    if not is_notebook:
        assert target is not None
        old = read(target).cells if target.exists() else []
        ids = {cell.source: cell.id for cell in old}
        write(from_text(source.read_text(encoding="utf-8"), ids), target)
    elif target:
        target.write_text(to_text(read(source)), encoding="utf-8")
    else:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # Windows has another
        sys.stdout.write(to_text(read(source)))


if __name__ == "__main__":
    main()
