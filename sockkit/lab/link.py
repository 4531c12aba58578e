"""A link between clients and a server that can be made bad, and shows every segment it passed.

    with Link(server.address, split=1) as link, Client(link.address) as client:
        client.send("hello")               # the server gets it in six receives of one byte
        link.set(delay=0.2, way="down")    # from now on the answers are late as well
        link.heal()
        print(link.to_text())

It is a relay: clients connect to the link, and the link connects each to the server. Faults can be
switched while bytes are under way, one way or both. Whatever does not lose the connection delivers
every byte in order; half-close, reset and backpressure pass through. It needs no privileges, lets
the system choose its port, has one thread, and is gone after `close`. The ways are named as in
Toxiproxy: ``up`` is from client to server, ``down`` from server to client.
"""

import contextlib
import dataclasses
import time
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from sockkit.errors import ClosedError
from sockkit.lab.faults import Faults
from sockkit.lab.peer import count_bytes
from sockkit.lab.pipe import Kind
from sockkit.lab.records import Record
from sockkit.lab.relay import Relay, Way
from sockkit.portal import Portal
from sockkit.text import plain


class Segment(NamedTuple):
    """One piece that left the link, or was dropped by it. Immutable; pass it to any thread."""

    time: float
    """Seconds since the link was made."""

    connection: int
    """1, 2, 3, … in the order in which clients connected to the link."""

    way: Way
    """``up``: from client to server; ``down``: from server to client."""

    kind: Kind
    """``data``, ``FIN`` or ``RST``."""

    data: bytes
    """The bytes; none for an end."""

    dropped: bool
    """Whether it fell into the black hole."""


class Link:
    """A relay to a server, without faults until told otherwise. Any thread.

    Args:
        target: `(host, port)` of the server.
        host: the IPv4 address to listen on; the system chooses the port, see `address`.
        buffer: bytes held each way before it stops reading. Its kernel buffers have this size too,
            so that backpressure reaches the sender soon.
        max_segments: how many segments the record keeps, with at most 1 MiB of data.
        faults: as for `set`, both ways, from the start.

    Raises:
        OSError: no such host.
        TypeError, ValueError: no such fault, or not with this value.
    """

    def __init__(
        self,
        target: tuple[str, int],
        *,
        host: str = "127.0.0.1",
        buffer: int = 65_536,
        max_segments: int = 10_000,
        **faults: Any,
    ) -> None:
        self.target = target
        self._start = time.monotonic()
        self._record = Record[Segment](max_segments)
        both: dict[Way, Faults] = {"up": Faults(**faults), "down": Faults(**faults)}
        self._relay = Relay(target, host, buffer, both, self._note)
        self.address: tuple[str, int] = self._relay.listener.getsockname()
        self._portal = Portal("sockkit link")
        self._portal.call(self._relay.start)

    # Faults.

    def set(self, *, way: Literal["up", "down", "both"] = "both", **faults: Any) -> None:
        """Change faults, now and for all connections; those not named stay as they are.

        Args:
            way: ``up``: from client to server; ``down``: from server to client; or ``both``.
            faults: any of `split`, `gap`, `glue`, `delay`, `rate`, `stall`, `black_hole`; what
                they do is said in `Faults`.

        Raises:
            TypeError, ValueError: no such fault, or not with this value.
            ClosedError: the link is closed.

        Example:
            link.set(stall=True, way="down")
        """
        ways: tuple[Way, ...] = ("up", "down") if way == "both" else (way,)
        now = self._relay.faults
        new = {way: dataclasses.replace(now[way], **faults) for way in ways}
        self._portal.call(self._relay.set_faults, new)

    def heal(self) -> None:
        """No more faults, and a whole cable. What lost bytes stays lost.

        Raises:
            ClosedError: the link is closed.
        """
        self._portal.call(self._relay.set_faults, {"up": Faults(), "down": Faults()})
        self._portal.call(self._relay.set_cut, False)

    def cut(self) -> None:
        """Cut the cable: neither side hears anything, no acknowledgement, no FIN, no RST.

        This is what keepalive and TCP_USER_TIMEOUT are made for; the black hole still acknowledges.
        Healed before one of them has fired, the connection goes on with nothing lost, since TCP
        sends again what was not acknowledged.

        Raises:
            NotImplementedError: needs Linux (`sockopts` says why); `black_hole` comes close.
            ClosedError: the link is closed.
        """
        if not self._portal.call(self._relay.set_cut, True):
            raise NotImplementedError("a cut cable needs Linux; black_hole=True comes close")

    def reset(self) -> None:
        """End every connection of now with an RST to both sides.

        Raises:
            ClosedError: the link is closed.
        """
        self._portal.call(self._relay.reset)

    @property
    def faults(self) -> dict[Way, Faults]:
        """The faults of now, each way."""
        return dict(self._relay.faults)

    # What it saw.

    @property
    def segments(self) -> tuple[Segment, ...]:
        """A snapshot of the record: the segments that left the link, oldest first."""
        return self._record.snapshot()

    @property
    def forgotten(self) -> int:
        """How many old segments the record has forgotten to make room for new ones."""
        return self._record.dropped

    @property
    def connections(self) -> int:
        """How many connections it relays now."""
        return len(self._relay.connections)

    @property
    def held(self) -> int:
        """Bytes that have come in and wait to go out: delayed, glued, stalled or held up.

        Raises:
            ClosedError: the link is closed.
        """
        return self._portal.call(self._relay.held)

    def wait_for(self, count: int, timeout: float = 5.0) -> tuple[Segment, ...]:
        """Wait until at least `count` segments have left; return those that are kept.

        Raises:
            TimeoutError: fewer left within `timeout` seconds.
        """
        return self._record.wait_for(count, timeout)

    def to_text(self, *, times: bool = False) -> str:
        """One line for each segment; with `times`, the seconds before each."""
        lines = [segment_to_text(segment, times=times) for segment in self.segments]
        if self.forgotten:
            lines.insert(0, f"({self.forgotten} earlier segments are not kept)")
        return "\n".join(lines) or "nothing has passed"

    def _note(self, connection: int, way: Way, kind: Kind, data: bytes, dropped: bool) -> None:
        offset = time.monotonic() - self._start
        self._record.add(Segment(offset, connection, way, kind, data, dropped), len(data))

    # The end.

    def close(self) -> None:
        """Close every connection and be gone, thread and port. Closing again does nothing."""
        with contextlib.suppress(ClosedError):
            self._portal.run(self._relay.close)
        self._portal.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        count = self.connections
        return f"<Link: {count} connection{'' if count == 1 else 's'}>"


def segment_to_text(segment: Segment, *, times: bool = False, limit: int = 60) -> str:
    """One segment as a line of text; at most `limit` of its bytes are shown.

    Example: ``#1 → server  2 bytes  hi``.
    """
    arrow = "→ server" if segment.way == "up" else "← server"
    what = str(segment.kind)
    if segment.kind is Kind.DATA:
        what = f"{count_bytes(len(segment.data))}: {plain(segment.data, limit)}"
    time_ = f"{segment.time:8.3f} s  " if times else ""
    lost = "  (into the black hole)" if segment.dropped else ""
    return f"{time_}#{segment.connection} {arrow}  {what}{lost}"
