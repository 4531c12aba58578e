"""The source of the kit, shown in a cell: read what you have just built by hand."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]


class Listing:
    """Python source that shows itself: highlighted on a page, plain in a terminal."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __repr__(self) -> str:
        return self.code

    def _repr_markdown_(self) -> str:
        # Markdown and not HTML: the page colours it then, in its light and in its dark theme. A
        # little smaller, so that JupyterLab breaks no line of a hundred letters on a small screen.
        return f'<div style="font-size: 93%">\n\n```python\n{self.code}\n```\n\n</div>'


def source(*things: Callable[..., Any] | type) -> Listing:
    """The source of functions, methods or classes, each below the name of its file. Any thread.

    Raises:
        OSError: there is no source for it.
        TypeError: it is not a thing that has source, such as a number.

    Example:
        >>> from sockkit.portal import Portal
        >>> print(source(Portal.call).code.splitlines()[0])
        # sockkit/portal.py
    """
    pieces = [f"# {_file(thing)}\n{inspect.cleandoc(_source(thing))}" for thing in things]
    return Listing("\n\n".join(pieces))


def _source(thing: Callable[..., Any] | type) -> str:
    # cleandoc leaves the first line alone, so give it an empty one.
    return "\n" + inspect.getsource(thing).rstrip()


def _file(thing: Callable[..., Any] | type) -> str:
    path = Path(inspect.getsourcefile(thing) or "")
    return path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else path.name
