"""The bytes of each receive and where the messages in them end: glued and torn ones in colour."""

from typing import Any, NamedTuple

from sockkit.lab.wire import Receive, Tap, receive_to_text
from sockkit.text import plain
from sockkit.widgets.scene import Scene, SceneView

ROWS = 100
"""Receives in the drawing: the newest."""

_ROW, _TOP, _LEFT, _LETTER = 26, 44, 130, 7.3  # pixels: a receive, the legend, the label, a letter
_SHOWN = 40  # letters of one piece


class _Piece(NamedTuple):
    """Some bytes of one receive that belong to the same message."""

    data: bytes
    odd: bool  # two messages side by side differ
    torn: bool  # not the whole message


class WireView(SceneView):
    """What a `sockkit.lab.wire.Tap` recorded: a row for each receive, a colour for each message.

    A message that came in pieces has a dashed edge in each of them; several in one row are glued.

    Args:
        tap: the tap that stands in the place of a framing.
        connection: show only this one; 1 is the first that was made.

    Example:
        wire = Tap(Lines())
        with Server(on_message, framing=wire) as server, WireView(wire) as view:
            ...
            print(view.to_text())
    """

    title = "What each receive brought, and the messages in it"

    def __init__(self, tap: Tap, connection: int | None = None) -> None:
        super().__init__()
        self._tap = tap
        self.connection = connection

    def version(self) -> object:
        """How much the tap has recorded."""
        return (self._tap.forgotten, len(self._tap.receives), self.connection)

    def caption(self) -> str:
        """What it is, and how much of it is missing."""
        left_out = self._tap.forgotten + max(0, len(self._mine()) - ROWS)
        return f"{self.title}; {left_out:,} older ones left out" if left_out else self.title

    def to_text(self) -> str:
        """One line for each receive, ends of messages as ``│``."""
        lines = [receive_to_text(receive) for receive in self._mine()[-ROWS:]]
        return "\n".join(lines) or "nothing was received"

    def scene(self, times: bool = True) -> Scene:
        """A row of boxes for each receive."""
        receives = self._mine()
        skipped = max(0, len(receives) - ROWS)
        pieces = _pieces(receives)[skipped:]
        receives = receives[skipped:]
        widths = [sum(map(_width, row)) for row in pieces]
        width = _LEFT + max(widths, default=0) + 190
        scene = Scene(max(width, 560), _TOP + _ROW * max(len(receives), 1) + 8)
        _legend(scene)
        for i, (receive, row) in enumerate(zip(receives, pieces, strict=True)):
            _draw(scene, str(skipped + i), receive, row, _TOP + i * _ROW, times)
        return scene

    def _mine(self) -> list[Receive]:
        wanted = self.connection
        return [r for r in self._tap.receives if wanted is None or r.connection == wanted]


def _pieces(receives: list[Receive]) -> list[list[_Piece]]:
    """The pieces of each receive; a message has one colour however many receives it took."""
    counts: dict[int, int] = {}  # whole messages so far, by connection
    rows = []
    for receive in receives:
        count = counts.get(receive.connection, 0)
        row, start = [], 0
        for end in receive.ends:
            torn = start == 0 and receive.waiting_before > 0
            row.append(_Piece(receive.data[start:end], bool(count % 2), torn))
            start, count = end, count + 1
        if start < len(receive.data):
            row.append(_Piece(receive.data[start:], bool(count % 2), receive.waiting > 0))
        counts[receive.connection] = count
        rows.append(row)
    return rows


def _width(piece: _Piece) -> float:
    return len(plain(piece.data, _SHOWN)) * _LETTER + 12


def _draw(
    scene: Scene, key: str, receive: Receive, row: list[_Piece], y: float, times: bool
) -> None:
    scene.box(0, y, scene.width, _ROW, "hit", key=key)
    size = len(receive.data)
    label = f"#{receive.connection}: {size} byte{'' if size == 1 else 's'}"
    scene.text(6, y + 17, label, "small", key=key, group=receive.connection)
    x: float = _LEFT
    for piece in row:
        kind = ("odd" if piece.odd else "even") + (" torn" if piece.torn else "")
        scene.box(x, y + 3, _width(piece) - 2, _ROW - 6, kind, key=key)
        scene.text(x + 5, y + 17, plain(piece.data, _SHOWN), "bytes", key=key)
        x += _width(piece)
    verdict, kind = _verdict(receive)
    scene.text(x + 8, y + 17, verdict, kind, key=key)
    scene.details[key] = _details(receive, times)


def _verdict(receive: Receive) -> tuple[str, str]:
    count = len(receive.messages)
    if receive.error:
        return "refused", "bad"
    if count == 0:
        return "no message yet", "bad"
    text = "one message" if count == 1 else f"{count} messages glued"
    return (f"{text} and a part" if receive.waiting else text), "small"


def _details(receive: Receive, times: bool) -> list[tuple[str, str]]:
    pairs = [
        ("connection", str(receive.connection)),
        ("bytes", plain(receive.data)),
        ("hexadecimal", receive.data[:32].hex(" ") + (" …" if len(receive.data) > 32 else "")),
        ("messages", plain(", ".join(map(repr, receive.messages)) or "none")),
        ("waiting before", str(receive.waiting_before)),
        ("waiting after", str(receive.waiting)),
    ]
    if receive.error:
        pairs.append(("refused", plain(receive.error)))
    return [*pairs, ("at", f"{receive.time:.3f} s")] if times else pairs


def _legend(scene: Scene) -> None:
    x = 6.0
    marks: tuple[tuple[str, Any], ...] = (
        ("even", "a message"),
        ("odd", "the next one"),
        ("even torn", "only a part of one"),
    )
    for kind, text in marks:
        scene.box(x, 10, 18, 16, kind)
        scene.text(x + 24, 22, text, "small")
        x += 48 + len(text) * _LETTER
