"""How late a line is when it arrives: readers that keep up, and a sender that keeps time.

To measure what one bad client does to the good ones. Any TCP server that passes lines on will do:

    with Readers(server.address, 5) as readers:
        server.wait_for_clients(5)
        readers.tell_paced(server.broadcast, lines=100)
    print(readers.percentile(99))

Each line begins with the time at which it was *due*, not with that at which it was sent: a sender
that is stalled sends nothing, and would otherwise measure nothing, just while it matters.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOK = 0.05  # seconds between two looks of the readers at whether they are to stop


class Arrival(NamedTuple):
    """One line at one reader. Times are in seconds."""

    due: float
    """When it was to be sent, since the first line was."""

    delay: float
    """From then until it was read."""


class Readers:
    """Clients that read whatever comes at once, all in one thread of their own.

    Connected from the line that makes them, gone at the end of the `with` block. Use it in one
    thread.

    Args:
        address: `(host, port)` of a server.
        count: how many.

    Raises:
        OSError: nobody listens there.
    """

    def __init__(self, address: tuple[str, int], count: int) -> None:
        self._arrivals: list[tuple[float, float]] = []  # due, read
        self._begun = 0.0
        self._stop = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._read, name="readers", daemon=True)
        self._sockets: list[socket.socket] = []
        try:
            for _ in range(count):
                self._sockets.append(socket.create_connection(address, timeout=5))
        except BaseException:
            self.close()
            raise
        for sock in self._sockets:
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ, bytearray())

    def tell_paced(
        self,
        tell: Callable[[str], object],
        *,
        lines: int = 100,
        every: float = 0.005,
        size: int = 1000,
        patience: float = 5.0,
    ) -> bool:
        """Call `tell(line)` once every so many seconds, then wait until all readers have the lines.

        Where `tell` was late, the next lines follow without a pause, as those of a busy server do.

        Args:
            tell: passes a line without its newline to every reader, in whatever way.
            lines: how many.
            every: seconds from one to the next.
            size: characters of each line.
            patience: seconds to wait for the last ones.

        Returns:
            Whether every reader got every line.
        """
        self._begun = time.perf_counter()  # first: what is still on its way is of no more interest
        self._arrivals.clear()
        for number in range(lines):
            due = self._begun + number * every
            time.sleep(max(0.0, due - time.perf_counter()))
            tell(f"{due!r} ".ljust(size, "x"))
        deadline = time.monotonic() + patience
        while len(self._arrivals) < lines * len(self._sockets) and time.monotonic() < deadline:
            time.sleep(0.002)
        return len(self._arrivals) == lines * len(self._sockets)

    @property
    def arrivals(self) -> list[Arrival]:
        """What all readers have read since `tell_paced` last began, in the order of `due`."""
        return [Arrival(due - self._begun, read - due) for due, read in sorted(self._arrivals)]

    def percentile(self, percent: float) -> float:
        """The delay that this many percent of the lines did not exceed, in seconds.

        Raises:
            ValueError: nothing has arrived.
        """
        return lateness(self.arrivals, percent)

    def close(self) -> None:
        """End the thread and the connections. More than once does no harm."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for sock in self._sockets:
            sock.close()
        self._selector.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(_LOOK):
                assert isinstance(key.fileobj, socket.socket)
                try:
                    data = key.fileobj.recv(65_536)
                except OSError:
                    data = b""
                now = time.perf_counter()
                if not data:
                    self._selector.unregister(key.fileobj)
                    if not self._selector.get_map():  # Windows can't wait for nobody
                        return
                    continue
                *whole, key.data[:] = (key.data + data).split(b"\n")
                for line in whole:
                    self._note(line, now)

    def _note(self, line: bytearray, now: float) -> None:
        with contextlib.suppress(ValueError, IndexError):  # a word of the server's own, or no word
            due = float(line.split(None, 1)[0])
            if due >= self._begun:
                self._arrivals.append((due, now))


def lateness(arrivals: Sequence[Arrival], percent: float) -> float:
    """The delay that this many percent of the lines did not exceed, in seconds (nearest rank).

    Raises:
        ValueError: nothing has arrived, or `percent` is not within 0 to 100.
    """
    if not arrivals or not 0 <= percent <= 100:
        raise ValueError(f"percentile {percent} of {len(arrivals)} lines")
    rank = max(1, -int(-len(arrivals) * percent // 100))
    return sorted(arrival.delay for arrival in arrivals)[rank - 1]


def plot_lateness(rooms: Mapping[str, Sequence[Arrival]]) -> "Figure":
    """How late each line was in several rooms, and the p99 of each room, as a matplotlib figure.

    Args:
        rooms: by name. The first is the one that the others are compared with.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: nothing has arrived in one of them.
    """
    import matplotlib.pyplot as plt

    p99 = [lateness(arrivals, 99) * 1000 for arrivals in rooms.values()]
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for (name, arrivals), mark in zip(rooms.items(), "o^sDv*" * len(rooms), strict=False):
        dues, delays = [a.due for a in arrivals], [a.delay * 1000 for a in arrivals]
        left.semilogy(dues, delays, mark, label=name, markersize=3, alpha=0.7)
    left.set(xlabel="seconds after the first line", ylabel="ms late", title="each line")
    left.legend(fontsize="small")
    names = [f"{name}\n{value / p99[0]:.1f} times" for name, value in zip(rooms, p99, strict=True)]
    colors = [f"C{place % 10}" for place in range(len(rooms))]
    right.bar(names, p99, color=colors, log=True)
    for place, value in enumerate(p99):
        right.annotate(f"{value:.1f} ms", (place, value), ha="center", va="bottom")
    right.margins(y=0.15)
    right.set(title="99 of 100 lines came within")
    plt.close(figure)  # or a notebook would show it twice
    return figure
