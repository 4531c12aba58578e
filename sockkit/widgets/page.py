"""What every panel and view shares: how it comes onto a page, and how it goes.

A panel or view is a plain object. Its widget is made when it is first shown, and closed with it.
Beside the widget travel its twins, text and HTML or SVG, for readers without widgets: GitHub,
nbconvert, a terminal, a screen reader.
"""

import functools
import json
import weakref
from importlib import resources
from types import TracebackType
from typing import Any, ClassVar, Self

import anywidget
import ipywidgets
import traitlets

from sockkit.widgets.flusher import outside_cells, page

_shown: set["Shown"] = set()  # what a page shows lives until it is closed, named or not
_open: "weakref.WeakSet[Shown]" = weakref.WeakSet()


class Shown:
    """Base of panels and views: use as a context manager, or call `close`. Any thread.

    A subclass has `_build() -> widget`, `flush()` and the twins.
    """

    def __init__(self) -> None:
        self._widget: Any = None
        self.closed = False
        _open.add(self)

    @property
    def widget(self) -> Any:
        """The ipywidgets widget, to put into a box of your own; None when closed.

        Made on first use; from then on it is kept up to date, until `close`.
        """
        if not self.closed:
            _shown.add(self)
            if self.make() is not None:
                page.add(self)
        return self._widget

    def make(self) -> Any:
        """The widget, made if need be, but not kept up to date: a panel does that for its parts."""
        if self._widget is None and not self.closed:
            outside_cells().run(self._make)
        return self._widget

    def _make(self) -> None:
        self._widget = self._build()
        weakref.finalize(self, close_tree, self._widget).atexit = False
        self.flush()

    def to_text(self) -> str:
        """What it shows, as text without ports or times, so that two runs read the same."""
        raise NotImplementedError

    def twins(self) -> dict[str, str]:
        """What it shows for readers without widgets, by MIME type."""
        return {"text/plain": self.to_text()}

    def flush(self) -> None:
        """Bring the widget up to date; the page's thread calls this."""
        raise NotImplementedError

    def close(self) -> None:
        """Take it off the page and leave nothing behind. Does nothing the second time."""
        if self.closed:
            return
        self.closed = True
        _shown.discard(self)
        page.remove(self)
        self._close()
        if self._widget is not None:
            outside_cells().run(close_tree, self._widget)
            self._widget = None

    def _build(self) -> Any:
        raise NotImplementedError

    def _close(self) -> None:
        """What a subclass gives back."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {**self.twins()}
        if not self.closed:
            bundle["application/vnd.jupyter.widget-view+json"] = self.widget.get_view_spec()
        return bundle

    def __repr__(self) -> str:
        return self.to_text()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Live(anywidget.AnyWidget):
    """A widget drawn by one of the modules in `js/`, from the traits below and nothing else.

    All of what it shows is in its traits, so a page that is loaded again shows the present state.
    Whatever text it gets has passed `sockkit.text.plain`, and the modules set it as text only.

    The state travels as one string of JSON. That is a decision made for speed: on its way a list is
    walked and compared item by item several times, here and in the page; a string is not, and the
    page parses it only when it draws.
    """

    module: ClassVar[str]

    label = traitlets.Unicode("").tag(sync=True)
    state = traitlets.Unicode("{}").tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "module" in cls.__dict__:  # not for the classes that traitlets makes on the way
            cls._esm = source("helpers.js") + source(cls.module)
            cls._css = source("style.css")
        super().__init_subclass__(**kwargs)

    def show(self, **state: Any) -> None:
        """Send the state, if it is another one than before. Only the page's thread calls this."""
        self.state = json.dumps(state, ensure_ascii=False, separators=(",", ":"))


@functools.cache
def source(name: str) -> str:
    """The text of a file in `js/`."""
    return (resources.files("sockkit.widgets") / "js" / name).read_text(encoding="utf-8")


def close_tree(widget: Any) -> None:
    """Close a widget, all widgets inside, and their layouts and styles."""
    for child in getattr(widget, "children", ()):
        close_tree(child)
    for part in ("layout", "style"):
        owned = getattr(widget, part, None)
        if isinstance(owned, ipywidgets.Widget):
            owned.close()
    widget.close()


def close_all() -> None:
    """Close every panel and view of this process, shown or not: the last cell of a notebook."""
    for shown in list(_open):
        shown.close()
