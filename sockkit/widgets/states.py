"""The TCP state of both ends of each connection, as the kernel tells it, in the state diagram."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sockkit.errors import ClosedError
from sockkit.events import Connected
from sockkit.text import plain
from sockkit.widgets.feed import Feed, feed_of
from sockkit.widgets.scene import Scene, SceneView

INTERVAL = 0.5
"""Seconds between two looks: asking the kernel for all its sockets is not free."""

# Where each state stands, and the ways between them with what makes a socket take them. RFC 9293.
_BOXES: dict[str, tuple[float, float]] = {
    "LISTEN": (20, 10), "SYN_SENT": (480, 10), "SYN_RECV": (20, 100), "ESTABLISHED": (250, 100),
    "FIN_WAIT1": (20, 210), "FIN_WAIT2": (20, 300), "CLOSING": (250, 300), "TIME_WAIT": (20, 390),
    "CLOSE_WAIT": (480, 210), "LAST_ACK": (480, 300), "CLOSED": (480, 390),
}  # fmt: skip
_WAYS = (
    ("LISTEN", "SYN_RECV", "a SYN comes"),
    ("SYN_RECV", "ESTABLISHED", ""),
    ("SYN_SENT", "ESTABLISHED", "connected"),
    ("ESTABLISHED", "FIN_WAIT1", "close() here first"),
    ("ESTABLISHED", "CLOSE_WAIT", "the peer closed"),
    ("FIN_WAIT1", "FIN_WAIT2", "ACK"),
    ("FIN_WAIT1", "CLOSING", "both at once"),
    ("FIN_WAIT2", "TIME_WAIT", "the peer closes too"),
    ("CLOSING", "TIME_WAIT", ""),
    ("CLOSE_WAIT", "LAST_ACK", "close() here too"),
    ("LAST_ACK", "CLOSED", "ACK"),
    ("TIME_WAIT", "CLOSED", "about a minute"),
)
_WIDTH, _HEIGHT = 170, 56  # pixels of a box


class Ends(NamedTuple):
    """One connection: who, and the state of each end; "" for an end that this machine lacks."""

    number: int  # 0: not known to the server (any more)
    server: str
    client: str


class SocketStates(SceneView):
    """Both ends of each connection of `server`, in the diagram of TCP's states. Any thread.

    The kernel is asked twice a second, so a state that passes at once is not seen. An end on
    another machine is not seen either. Needs `psutil`, and on some systems more rights than one
    has: then the view says so.
    """

    title = "TCP states, as the kernel sees them"

    def __init__(self, server: Any) -> None:
        super().__init__()
        self._server = server
        self._feed: Feed | None = feed_of(server)
        self._port = 0
        self._note_port()
        self.unavailable = ""
        """Why nothing can be seen here; "" if it can."""

    def ends(self) -> list[Ends]:
        """The state of both ends of each connection, by number. Asks the kernel."""
        try:
            sockets = list(_tcp_sockets())
        except Exception as error:  # which one depends on the system; psutil may be missing
            self.unavailable = f"not available here: {type(error).__name__}: {plain(error)}"
            return []
        self.unavailable = ""
        self._note_port()
        return sorted(self._pair(sockets))

    def to_text(self) -> str:
        """One line for each connection."""
        lines = [
            f"{_who(e)}: server {e.server or '?'}, client {e.client or '?'}" for e in self.ends()
        ]
        return self.unavailable or "\n".join(lines) or "no connections"

    def scene(self, times: bool = True) -> Scene:
        """The diagram; a state in which somebody is has a strong edge, and says who."""
        ends = self.ends()
        here = {state: _here(ends, state) for state in _BOXES}
        if self._server.running:
            here["LISTEN"] = ["server"]
        scene = Scene(720, 470)
        for way in _WAYS:
            _way(scene, *way)
        for state, (x, y) in _BOXES.items():
            _state(scene, state, x, y, here[state])
        if self.unavailable:
            scene.text(20, 464, self.unavailable, "bad")
        return scene

    def version(self) -> object:
        """Which of the looks this is."""
        return int(time.monotonic() / INTERVAL)

    def caption(self) -> str:
        """What it is, or why there is nothing to see."""
        return self.unavailable or self.title

    def _note_port(self) -> None:
        with contextlib.suppress(ClosedError):  # else the last port: connections outlive a server
            self._port = self._server.address[1]

    def _pair(self, sockets: list[Any]) -> Iterable[Ends]:
        """Put the two ends of each connection together, by the client's address."""
        lives = self._feed.lives() if self._feed else []
        joined = [entry.record for entry in lives if isinstance(entry.record, Connected)]
        numbers = {record.address[:2]: record.number for record in joined}
        numbers |= {c.address[:2]: n for n, c in self._server.clients.items()}
        ends: dict[tuple[str, int], list[str]] = defaultdict(lambda: ["", ""])
        for socket in sockets:
            if socket.raddr and socket.laddr.port == self._port:
                ends[tuple(socket.raddr)][0] = socket.status
            elif socket.raddr and socket.raddr.port == self._port:
                ends[tuple(socket.laddr)][1] = socket.status
        pairs = [Ends(numbers.get(address, 0), *states) for address, states in ends.items()]
        # Neither met nor here any more: somebody of a server that had this port before.
        return [pair for pair in pairs if pair.number or {*pair[1:]} - {"", "TIME_WAIT"}]

    def _close(self) -> None:
        self._feed = None


def _tcp_sockets() -> list[Any]:
    import psutil

    try:
        return list(psutil.net_connections("tcp"))
    except psutil.AccessDenied:  # macOS: only root sees every process
        return list(psutil.Process().net_connections("tcp"))


def _who(end: Ends) -> str:
    return f"client {end.number}" if end.number else "somebody"


def _here(ends: list[Ends], state: str) -> list[str]:
    """Which ends are in a state, in words: a text for the servers', one for the clients'."""
    texts = []
    for side in ("server", "client"):
        numbers = [str(end.number or "?") for end in ends if getattr(end, side) == state]
        more = f" and {len(numbers) - 6} more" if len(numbers) > 6 else ""
        texts += [f"{side} {' '.join(numbers[:6])}{more}"] if numbers else []
    return texts


def _state(scene: Scene, state: str, x: float, y: float, who: list[str]) -> None:
    scene.box(x, y, _WIDTH, _HEIGHT, "here" if who else "box", key=state)
    scene.text(x + _WIDTH / 2, y + 18, state, "head", "middle", key=state)
    for i, text in enumerate(who):
        scene.text(x + _WIDTH / 2, y + 34 + 14 * i, text, "small", "middle", key=state)
    scene.details[state] = [("state", state), ("here", ", ".join(who) or "nobody")]


def _way(scene: Scene, start: str, end: str, why: str) -> None:
    """An arrow between the nearest sides of two boxes, and beside it what makes a socket go."""
    (x1, y1), (x2, y2) = _BOXES[start], _BOXES[end]
    if y1 == y2:
        here: tuple[float, float] = (x1 + _WIDTH * (x1 < x2), y1 + _HEIGHT / 2)
        there: tuple[float, float] = (x2 + _WIDTH * (x1 > x2), y2 + _HEIGHT / 2)
    else:
        here, there = (x1 + _WIDTH / 2, y1 + _HEIGHT), (x2 + _WIDTH / 2, y2)
    scene.arrow(here, there, "way")
    middle = (here[0] + there[0]) / 2, (here[1] + there[1]) / 2
    if here[0] == there[0] or not why:
        scene.text(middle[0] + 8, middle[1] + 4, why, "way")
    else:
        scene.text(middle[0], middle[1] + 4, why, "way", "middle")
