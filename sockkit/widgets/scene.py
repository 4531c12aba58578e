"""A drawing as a list of shapes: laid out once, in Python, for the page and for the static twin.

`state()` goes to `js/scene.js`, `to_svg()` into a file or a cell. The shapes have kinds, not
colours: the page colours them by its theme, the twin is a light card that reads on any background.
"""

import html
import math
from collections.abc import Sequence
from typing import Any

from sockkit.text import plain
from sockkit.widgets.page import Live, Shown

Details = list[tuple[str, str]]

_STYLE = """
text{font:12px monospace;fill:#1f1f1f}.head{font-weight:700}.small{fill:#5f6368;font-size:11px}
.lane{stroke:#bdbdbd;stroke-width:2}.hit{fill:none}
.in{stroke:#0b57a4;fill:#0b57a4;stroke-width:1.5}.out{stroke:#7b2d8e;fill:#7b2d8e;stroke-width:1.5}
.good{stroke:#0a6b2d;fill:#0a6b2d}.bad{stroke:#b3261e;fill:#b3261e}
.way{stroke:#9aa0a6;fill:#9aa0a6}text.way{fill:#5f6368;font-size:11px}
text.in,text.out,text.good,text.bad,text.way{stroke:#fff;stroke-width:3px;paint-order:stroke}
.even{fill:#cfe3fa}.odd{fill:#fbe3b6}.torn{stroke:#b3261e;stroke-width:1.5;stroke-dasharray:4 2}
.box{fill:#fff;stroke:#bdbdbd}.here{fill:#d5e5f8;stroke:#0b57a4;stroke-width:2.5}
"""


class Scene:
    """Shapes on a plane of `width` and `height` pixels, drawn in the order in which they came.

    `key` names the thing whose details a click shows, `group` what can be brought into focus.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self.details: dict[str, Details] = {}
        self._shapes: list[list[Any]] = []

    def line(
        self, start: tuple[float, float], end: tuple[float, float], kind: str, **names: Any
    ) -> None:
        """A line from `start` to `end`, both (x, y)."""
        self._add("line", kind, "", names, x1=start[0], y1=start[1], x2=end[0], y2=end[1])

    def arrow(
        self, start: tuple[float, float], end: tuple[float, float], kind: str, **names: Any
    ) -> None:
        """An arrow from `start` to `end`, its head at `end`."""
        self.line(start, end, kind, **names)
        (x, y), length = end, math.dist(start, end)
        back_x, back_y = (start[0] - x) / length * 8, (start[1] - y) / length * 8
        corners = (
            (x, y),
            (x + back_x - back_y / 2, y + back_y + back_x / 2),
            (x + back_x + back_y / 2, y + back_y - back_x / 2),
        )
        points = " ".join(f"{a:g},{b:g}" for a, b in corners)
        self._add("polygon", kind, "", names, points=points)

    def box(self, x: float, y: float, width: float, height: float, kind: str, **names: Any) -> None:
        """A rectangle; (x, y) is its upper left corner."""
        self._add("rect", kind, "", names, x=x, y=y, width=width, height=height, rx=2)

    def dot(self, x: float, y: float, kind: str, **names: Any) -> None:
        """A small disc around (x, y)."""
        self._add("circle", kind, "", names, cx=x, cy=y, r=4)

    def text(
        self, x: float, y: float, text: str, kind: str, anchor: str = "start", **names: Any
    ) -> None:
        """One line of text on the base line `y`; harmless from here on."""
        attributes = {"x": x, "y": y, "text-anchor": anchor}
        self._add("text", kind, plain(text), names, **attributes)

    def state(self, caption: str, text: str) -> dict[str, Any]:
        """What `js/scene.js` draws; `text` is what a screen reader reads instead."""
        return {
            "width": self.width,
            "height": self.height,
            "shapes": self._shapes,
            "details": self.details,
            "caption": caption,
            "text": text,
        }

    def to_svg(self, title: str) -> str:
        """A picture that needs nothing else."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img">'
            f"<title>{html.escape(plain(title))}</title><style>{_STYLE}</style>"
            f'<rect width="{self.width}" height="{self.height}" fill="#fff"/>'
        )
        return head + "".join(map(_svg, self._shapes)) + "</svg>"

    def _add(
        self, tag: str, kind: str, text: str, names: dict[str, Any], **attributes: Any
    ) -> None:
        key, group = (names.get(name) for name in ("key", "group"))
        keys = [None if name is None else str(name) for name in (key, group)]
        self._shapes.append([tag, attributes, kind, text, *keys])


def _svg(shape: Sequence[Any]) -> str:
    tag, attributes, kind, text = shape[:4]
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<{tag} class="{kind}"{written}>{html.escape(text)}</{tag}>'


class SceneWidget(Live):
    """The page's side of a `SceneView`."""

    module = "scene.js"


class Picture:
    """A drawing that stands still, and its text for where no drawing is shown.

    JupyterLab shows the SVG of somebody else's notebook only when told to trust it.

    Args:
        twins: text and picture, by MIME type.
    """

    def __init__(self, twins: dict[str, str]) -> None:
        self._twins = twins

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self._twins

    def __repr__(self) -> str:
        return self._twins["text/plain"]


class SceneView(Shown):
    """Base of the views that are drawings. A subclass has `scene`, `version`, `to_text`."""

    _drawn: object = None
    title = ""
    """What the view is, for a reader who does not see it."""

    def scene(self, times: bool = True) -> Scene:
        """The drawing of what is known now; `times=False` leaves out what differs in each run."""
        raise NotImplementedError

    def caption(self) -> str:
        """One line above the drawing."""
        return self.title

    def to_svg(self, times: bool = False) -> str:
        """What it shows, as a picture without ports or times unless asked for. Any thread."""
        return self.scene(times).to_svg(self.title)

    def picture(self) -> "Picture":
        """What it shows now, to stay under a cell as it is. Any thread."""
        return Picture(self.twins())

    def twins(self) -> dict[str, str]:
        """Text and picture."""
        return {"text/plain": self.to_text(), "image/svg+xml": self.to_svg()}

    def version(self) -> object:
        """What the drawing depends on: while this is equal, nothing is drawn again."""
        raise NotImplementedError

    def flush(self) -> None:
        """Draw again, if something changed."""
        version = self.version()
        if version != self._drawn:
            self._drawn = version
            self._widget.show(**self.scene().state(self.caption(), self.to_text()))

    def _build(self) -> SceneWidget:
        return SceneWidget(label=self.title)
