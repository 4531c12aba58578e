"""Make pages that can be read without running anything: the answer key as HTML, or as slides.

    python -m tools.site build/site              # one page a lesson, and a page of contents
    python -m tools.site build/slides --slides   # one set of slides a lesson, by nbconvert
    python -m tools.site build/talk --slides --unsolved   # of the learners' editions: for the hour

The answer key holds its outputs, so nothing is run; the learners' editions have none. The pages
load nothing from elsewhere; slides are shown by reveal.js, which a browser fetches from where
nbconvert says (unpkg.com, cdnjs.cloudflare.com).
"""

import argparse
import html
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbconvert import HTMLExporter, SlidesExporter

from tools.answers import ANSWERS
from tools.notebooks import ROOT, lessons, read

CONTENTS = "index.html"
_SCRIPT = re.compile(r"<script\b[^>]*>.*?</script>", re.DOTALL)
_LINK = re.compile(r"""(?<=href=")(?!https?:|mailto:|#|data:)([^"#]*)""")
_SOURCE = re.compile(r"""<a [^>]*href="(?:\.\./)+sockkit/[^"]*"[^>]*>(.*?)</a>""", re.DOTALL)
_STYLE = """
body { margin: 0 auto; max-width: 60rem; padding: 0 1rem 3rem; }
nav.sk-site { display: flex; flex-wrap: wrap; gap: 1rem; justify-content: space-between;
  font: 1rem/1.5 system-ui, sans-serif; padding: 0.75rem 0; }
/* Code in an output: the exporter has it in the font of the text. */
.jp-RenderedMarkdown .highlight pre { font-family: var(--jp-code-font-family); }
/* What is wider than the window: the exporter cuts it. */
.jp-InputArea-editor .highlight pre, .jp-OutputArea-child { overflow-x: auto; }
"""
_SLIDES = """
.reveal .highlight pre, .reveal .jp-OutputArea-output pre { white-space: pre-wrap; }
"""
_PLAIN = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}main {{ font: 1.1rem/1.6 system-ui, sans-serif; }}
:root {{ color-scheme: light dark; }}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{what} To run them yourself, have a copy of the repository and type <code>python lab.py</code> in
it.</p>
<ul>
{rows}
</ul>
</main>
</body>
</html>
"""


def title(notebook: Any) -> str:
    """The first heading of a lesson, such as "05 · Who left"."""
    return str(notebook.cells[0].source.splitlines()[0].lstrip("# "))


def page(notebook: Any, names: Sequence[str], here: int) -> str:
    """A lesson as one file that needs no other.

    Args:
        notebook: the executed lesson.
        names: the stems of all lessons of the site, in order.
        here: which of them this is.
    """
    exporter = HTMLExporter(template_name="lab", embed_images=True)  # type: ignore[no-untyped-call]
    exporter.exclude_anchor_links = True
    text, _ = exporter.from_notebook_node(notebook)
    # What runs in the page comes from elsewhere: mathematics and widgets, of which a key has none.
    text = _SCRIPT.sub("", text)
    text = text.replace("<title>Notebook</title>", f"<title>{html.escape(title(notebook))}</title>")
    text = text.replace("</head>", f"<style>{_STYLE}</style>\n</head>", 1)
    bar = navigation(names, here)
    text = re.sub(r"(<body[^>]*>)", lambda body: f"{body[1]}\n{bar}", text, count=1)
    return linked(text.replace("</body>", f"{bar}</body>"), names)


def linked(text: str, names: Sequence[str]) -> str:
    """A page whose links lead to other pages; of one into the source, its words are left."""
    return _LINK.sub(lambda link: place(link[1], names), _SOURCE.sub(r"\1", text))


def place(link: str, names: Sequence[str]) -> str:
    """Where a link of a notebook leads on the site: to a page, or to the contents."""
    stem = Path(link).stem
    if link.endswith(".ipynb"):
        return f"{stem}.html" if stem in names else CONTENTS
    return CONTENTS if Path(link).name == "README.md" else link


def navigation(names: Sequence[str], here: int) -> str:
    """The links to the lesson before, to the contents and to the lesson after."""
    before = (
        f'<a rel="prev" href="{names[here - 1]}.html">Previous</a>' if here else "<span></span>"
    )
    after = (
        f'<a rel="next" href="{names[here + 1]}.html">Next</a>'
        if here + 1 < len(names)
        else "<span></span>"
    )
    middle = f'<a href="{CONTENTS}">Contents</a>'
    return f'<nav class="sk-site" aria-label="Lessons">{before}{middle}{after}</nav>\n'


def contents(titles: dict[str, str], solved: bool) -> str:
    """The page of contents: the title of each lesson, by the stem of its file."""
    how = "with their exercises solved, as they ran" if solved else "as learners get them"
    rows = [
        f'<li><a href="{name}.html">{html.escape(text)}</a></li>' for name, text in titles.items()
    ]
    return _PLAIN.format(
        title="sockkit: the lessons",
        style=_STYLE,
        rows="\n".join(rows),
        what=f"The lessons, {how}.",
    )


def slides(notebook: Any, names: Sequence[str]) -> str:
    """A lesson as slides: each text begins one, and the code under it stays with it.

    Args:
        notebook: the lesson, executed or not.
        names: the stems of all lessons that have slides, in order.
    """
    for cell in notebook.cells:
        kind = "slide" if cell.cell_type == "markdown" else "-"
        cell.metadata["slideshow"] = {"slide_type": kind}
    exporter = SlidesExporter(  # type: ignore[no-untyped-call]
        reveal_scroll=True,
        # As wide as a projector's picture. The usual 960 would cut longer lines of code.
        reveal_width="1280",
        reveal_height="720",
    )
    text, _ = exporter.from_notebook_node(notebook)
    text = text.replace(
        "<title>Notebook slides</title>", f"<title>{html.escape(title(notebook))}</title>"
    )
    text = text.replace("</head>", f"<style>{_SLIDES}</style>\n</head>", 1)
    return linked(text, names)


def make(folder: Path, books: Sequence[Path], as_slides: bool = False) -> list[Path]:
    """Write the site of these notebooks, in their order; return its files."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [book.stem for book in books]
    files, titles = [], {}
    for number, book in enumerate(books):
        notebook = read(book)
        titles[book.stem] = title(notebook)
        text = slides(notebook, names) if as_slides else page(notebook, names, number)
        files.append(_write(folder / f"{book.stem}.html", text))
    solved = all(book.parent == ANSWERS for book in books)
    files.append(_write(folder / CONTENTS, contents(titles, solved)))
    if (ROOT / "LICENSE").is_file():
        files.append(Path(shutil.copy(ROOT / "LICENSE", folder / "LICENSE.txt")))
    return files


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.site")
    parser.add_argument("folder", type=Path, help="where to write")
    parser.add_argument("--slides", action="store_true", help="slides in place of pages")
    parser.add_argument("--unsolved", action="store_true", help="without solutions and outputs")
    options = parser.parse_args(arguments)
    books = lessons() if options.unsolved else lessons(ANSWERS)
    if not books:
        parser.error("there is no answer key: python -m tools.answers makes it")
    try:
        make(options.folder, books, options.slides)
    except OSError as error:
        parser.error(str(error))
    print(f"{len(books)} lessons: open {options.folder / CONTENTS} in a browser")
    return 0


if __name__ == "__main__":
    sys.exit(main())
