"""Who sent what to whom: a ladder diagram of a server and its clients."""

from typing import Any

from sockkit.events import (
    Connected,
    Disconnected,
    Reason,
    Received,
    Refused,
    Sent,
    Started,
    Stopped,
)
from sockkit.text import plain
from sockkit.views import clock, place
from sockkit.widgets.feed import Entry, Feed, feed_of
from sockkit.widgets.scene import Details, Scene, SceneView

ROWS = 100
"""Records in the drawing: the newest."""

LANES = 10
"""Clients that have a lane: those heard of last."""

_ROW, _TOP, _TIME, _GAP = 24, 40, 100, 112  # pixels: a record, the heads, the clock, between lanes
_SERVER = 40  # from the left edge, or from the clock, to the server's lane
_FIRST = 170  # from the server's lane to the first client's
_GOOD = (Reason.CLOSED, Reason.SERVER_STOPPED)


class MessageLadder(SceneView):
    """The messages between a server and its clients, one row each, the newest last.

    These are application events, told by the server as its callbacks saw them: a message is one
    arrow however many packets carried it, and *sent* means accepted by the server, not arrived.

    Args:
        server: a `Server`, running or not.
        client: show only the connection with this number.
    """

    title = "Messages (application events, not packets)"

    def __init__(self, server: Any, client: int | None = None) -> None:
        super().__init__()
        self._feed: Feed | None = feed_of(server)
        self.client = client
        self._from = self._feed.seen

    def clear(self) -> None:
        """Begin anew: forget what was shown."""
        self._from = self._feed.seen if self._feed else 0

    def version(self) -> object:
        """How many records there were."""
        return (self._feed.seen if self._feed else 0, self._from, self.client)

    def caption(self) -> str:
        """What it is, and what is missing."""
        left_out = (self._feed.seen - self._from if self._feed else 0) - len(self._entries())
        return f"{self.title}; {left_out:,} older ones left out" if left_out > 0 else self.title

    def to_text(self, times: bool = False) -> str:
        """One line for each record."""
        lines = []
        for entry in self._entries():
            before = clock(entry.record.time) + "  " if times else ""
            lines.append(before + _sentence(entry.record))
        return "\n".join(lines) or "nothing happened yet"

    def scene(self, times: bool = True) -> Scene:
        """The ladder: a lane for the server, one for each client, one row for each record."""
        entries = self._entries()
        lanes = self._lanes(entries)
        entries = [entry for entry in entries if _number(entry.record) in lanes]
        server = _SERVER + (_TIME if times else 0)
        xs = {0: server}
        xs |= {number: server + _FIRST + i * _GAP for i, number in enumerate(lanes[1:])}
        scene = Scene(max(xs.values()) + 190, _TOP + _ROW * max(len(entries), 2) + 8)
        for number, x in xs.items():
            name = f"client {number}" if number else "server"
            scene.text(x, 18, name, "head", "middle", group=number or None)
            scene.line(*_life(entries, number, x, scene.height), "lane", group=number or None)
        for row, entry in enumerate(entries):
            _draw(scene, entry, _TOP + row * _ROW, xs, times)
        return scene

    def _entries(self) -> list[Entry]:
        """The newest records that belong to this ladder."""
        entries = self._feed.entries() if self._feed else []
        mine = [entry for entry in entries if entry.seq > self._from]
        if self.client is not None:
            mine = [entry for entry in mine if _number(entry.record) in (0, self.client)]
        return mine[-ROWS:]

    def _lanes(self, entries: list[Entry]) -> list[int]:
        latest = dict.fromkeys(_number(entry.record) for entry in reversed(entries))
        latest.pop(0, None)
        return [0, *sorted(list(latest)[:LANES])]

    def _close(self) -> None:
        self._feed = None


def _number(record: Any) -> int:
    """Which client a record is about; 0 for the server alone."""
    return getattr(record, "number", 0)


def _life(
    entries: list[Entry], number: int, x: float, height: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """A lane from the row in which the client came to the one in which it left."""
    top, bottom = 26.0, height
    for row, entry in enumerate(entries):
        if number and _number(entry.record) == number:
            y = _TOP + row * _ROW + 13
            top = y if isinstance(entry.record, Connected) else top
            bottom = y if isinstance(entry.record, Disconnected) else bottom
    return (x, top), (x, bottom)


def _draw(scene: Scene, entry: Entry, y: float, xs: dict[int, int], times: bool) -> None:
    record, number = entry.record, _number(entry.record)
    key, x, server = str(entry.seq), xs[number], xs[0]
    names: dict[str, Any] = {"key": key, "group": number or None}
    scene.details[key] = _details(entry, times)
    scene.box(0, y, scene.width, _ROW, "hit", key=key)
    if times:
        scene.text(4, y + 17, clock(record.time, 3), "small", **names)
    line = y + 18
    if isinstance(record, Received):
        scene.arrow((x, line), (server, line), "in", **names)
        _label(scene, x, server, line, record.message, "in", names)
    elif isinstance(record, Sent):
        scene.arrow((server, line), (x, line), "out", **names)
        _label(scene, x, server, line, record.message, "out", names)
    else:
        kind = "good" if _is_good(record) else "bad"
        scene.dot(x, y + 13, kind, **names)
        scene.text(x + 10, y + 17, _what(record), kind, **names)


def _label(
    scene: Scene, x: float, server: float, y: float, message: Any, kind: str, names: dict[str, Any]
) -> None:
    """The message above its arrow, at the client's end, no longer than the way to the server."""
    room = min(int((x - server) / 7.3) - 3, 40)
    scene.text(x - 12, y - 4, plain(message, room), kind, "end", **names)


def _is_good(record: Any) -> bool:
    if isinstance(record, Disconnected):
        return record.reason in _GOOD
    return not isinstance(record, Refused)


def _what(record: Any) -> str:
    match record:
        case Started():
            return "started"
        case Stopped():
            return "stopped"
        case Connected():
            return "connected"
        case Refused(why=why):
            return f"refused: {plain(why, 60)}"
        case Disconnected(reason=reason):
            return f"gone: {reason}"
    return type(record).__name__.lower()


def _sentence(record: Any) -> str:
    match record:
        case Received(number=number, message=message):
            return f"client {number} → server: {plain(message, 60)}"
        case Sent(number=number, message=message):
            return f"server → client {number}: {plain(message, 60)}"
        case Connected(number=number) | Disconnected(number=number):
            return f"client {number} {_what(record)}"
    return f"server {_what(record)}"


def _details(entry: Entry, times: bool) -> Details:
    record = entry.record
    pairs: Details = [("what", _sentence(record))]
    if times:
        pairs.append(("at", clock(record.time, 6)))
    if isinstance(record, Received | Sent):
        pairs.append(("length", str(entry.size)))
    if times and isinstance(record, Connected | Refused | Started):
        pairs.append(("address", plain(place(record.address))))
    return [*pairs, ("told by thread", plain(entry.thread, 40))]
