"""The same clients against one server after another: how fast, how much memory, how many threads.

Each server is a function that runs in a process of its own (see `served`); the clients are a
`swarm` in this one. So the figures are the server's alone, and no run finds what another has left.

    load(echo, 100).rate
    compare({"threads": with_threads, "asyncio": with_asyncio}, clients=(10, 100)).plot()
"""

import asyncio
import html
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sockkit.lab.served import Serve, Served
from sockkit.lab.swarm import SwarmClient, swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEAD = ("server", "clients", "requests/s", "memory, MB", "threads", "wrong or lost")
_MARKERS = "os^Dvx"


@dataclass(frozen=True)
class Load:
    """What one server did under one load."""

    server: str
    clients: int

    lost: int
    """Clients that did not get each of their lines back, in upper case."""

    rate: float
    """Requests a second, all clients together. The clients share one thread here, and that has its
    own bound: a server that is faster shows no more."""

    memory: int
    """Bytes that the process grew by, from the first moment until all clients were being served."""

    threads: int
    """Of the server, while all clients were connected."""

    def row(self) -> tuple[str, ...]:
        """For people, in the order of the table."""
        rate, megabytes = f"{self.rate:,.0f}", f"{self.memory / 1e6:.1f}"
        return (
            self.server,
            f"{self.clients:,}",
            rate,
            megabytes,
            f"{self.threads:,}",
            str(self.lost),
        )


@dataclass(frozen=True)
class Comparison:
    """The loads of several servers, as a table and as a plot."""

    loads: Sequence[Load]
    left_out: Sequence[int] = ()
    """Numbers of clients that were not tried, since the time was over."""

    def to_text(self) -> str:
        """The table, a line for each load."""
        rows = [_HEAD, *(load.row() for load in self.loads)]
        wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(wide[0]), *map(str.rjust, row[1:], wide[1:])]) for row in rows
        ]
        return "\n".join([*lines, *self._remarks()])

    __repr__ = to_text

    def _repr_html_(self) -> str:
        head = _row("th", _HEAD)
        rows = "".join(_row("td", load.row()) for load in self.loads)
        below = "".join(f"<p>{remark}</p>" for remark in self._remarks())
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>{below}"

    def _remarks(self) -> list[str]:
        return [f"Not tried, for want of time: {n:,} clients." for n in self.left_out]

    def plot(self) -> "Figure":
        """Rate, memory and threads over the number of clients, a line for each server."""
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
        self._draw(axes[0], "requests a second", lambda load: load.rate)
        self._draw(axes[1], "memory, MB", lambda load: load.memory / 1e6)
        self._draw(axes[2], "threads", lambda load: load.threads)
        for each in axes[:2]:
            each.set_ylim(0, 1.08 * each.dataLim.y1 or 1)
        axes[2].set_yscale("log")
        axes[2].yaxis.set_major_formatter("{x:,.0f}")
        axes[2].yaxis.set_minor_formatter("")
        lines = axes[0].get_lines()
        figure.legend(handles=lines, loc="outside lower center", ncols=len(lines))
        plt.close(figure)  # or a notebook would show it twice
        return figure

    def _draw(self, axes: "Axes", what: str, value: Callable[[Load], float]) -> None:
        names = list(dict.fromkeys(load.server for load in self.loads))
        for place, name in enumerate(names):
            points = [(load.clients, value(load)) for load in self.loads if load.server == name]
            axes.plot(*zip(*points, strict=True), f"{_MARKERS[place % 6]}-", label=name, alpha=0.8)
        axes.set(xlabel="clients", title=what, xscale="log")
        sizes = sorted({load.clients for load in self.loads})
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.grid(alpha=0.3)


def load(
    serve: Serve, clients: int, *, requests: int = 2000, name: str = "", timeout: float = 20.0
) -> Load:
    """Start a server, have each client send lines to it and check the answers, and end it.

    Args:
        serve: the server, a function; see `served`.
        clients: how many, all connected at once.
        requests: how many lines in all, shared among them; one each at least.
        name: what to call the server.
        timeout: seconds for the clients; who is not done then is lost.

    Raises:
        NotServing: the server was not ready.
        OSError: this process may not open so many connections.
    """
    with Served(serve) as server:
        visit = _Visit(server, clients, max(1, requests // clients))
        result = swarm(clients, server.address, visit.script, timeout=timeout, progress=False)
    name = name or getattr(serve, "__name__", "server")
    return Load(name, clients, clients - result.finished, visit.rate, visit.memory, visit.threads)


def compare(
    servers: Mapping[str, Serve],
    clients: Sequence[int] = (10, 100, 1000),
    *,
    requests: int = 2000,
    seconds: float = 20.0,
) -> Comparison:
    """Put each server under each load, the small loads first.

    Args:
        servers: the servers, by name.
        clients: how many clients, one load for each.
        requests: lines in all for each load.
        seconds: no greater load is begun if it may take longer than this, all in all.
    """
    loads: list[Load] = []
    sizes = sorted(set(clients))
    begun = last = time.monotonic()
    for place, size in enumerate(sizes):
        now = time.monotonic()
        if now - begun + 2 * (now - last) > seconds:
            return Comparison(loads, sizes[place:])
        last = now
        loads += [load(serve, size, requests=requests, name=n) for n, serve in servers.items()]
    return Comparison(loads)


def _row(kind: str, cells: Sequence[str]) -> str:
    # Jupyter puts all cells of a table to the right, which suits figures alone.
    name, *figures = map(html.escape, cells)
    others = "".join(f"<{kind}>{figure}</{kind}>" for figure in figures)
    return f'<tr><{kind} style="text-align: left">{name}</{kind}>{others}</tr>'


class _Visit:
    """What the clients of one load do: a first line each, a look at the server, then the rest."""

    def __init__(self, server: Served, clients: int, lines: int) -> None:
        self.memory = self.threads = 0
        self._server = server
        self._clients = clients
        self._lines = lines
        self._before = server.memory
        self._met = 0
        self._all_met = asyncio.Event()
        self._begun = self._ended = 0.0
        self._answered = 0

    @property
    def rate(self) -> float:
        """Requests a second, of those that came after the look."""
        return self._answered / (self._ended - self._begun) if self._answered else 0.0

    async def script(self, client: SwarmClient, number: int) -> None:
        """One client."""
        await client.ask(f"client {number} is here", expect=f"CLIENT {number} IS HERE")
        self._met += 1
        if self._met == self._clients:
            self._look()
        await self._all_met.wait()
        for line in range(self._lines):
            await client.ask(f"line {line} of {number}", expect=f"LINE {line} OF {number}")
            self._answered += 1
        self._ended = time.perf_counter()

    def _look(self) -> None:
        self.memory = self._server.memory - self._before
        self.threads = self._server.threads
        self._begun = time.perf_counter()
        self._all_met.set()
