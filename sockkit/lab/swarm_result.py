"""What a swarm found out: how many got through, what went wrong, how long replies took."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sockkit.text import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ErrorGroup(NamedTuple):
    """Failures of one kind."""

    kind: str
    """The name of the exception, and the reason if it has one: ``ConnectionLost (reset)``."""

    clients: int
    """How many clients failed in this way."""

    example: str
    """What happened to the first of them."""


@dataclass(frozen=True, kw_only=True, repr=False)
class SwarmResult:
    """The outcome of a swarm. Times are in seconds."""

    clients: int
    """How many there were to be."""

    connected: int
    """How many were connected, all at the same time."""

    finished: int
    """How many came to the end of their script without an error."""

    replies: int
    """Messages received by all clients together."""

    right: int
    """Replies that `ask` found to be as expected."""

    wrong: int
    """Replies that `ask` found to be different; each ends its client's script."""

    errors: Sequence[ErrorGroup]
    """What went wrong, the most frequent first."""

    connecting: float
    """How long it took until all were connected."""

    duration: float
    """How long the scripts took, from the first start to the last end."""

    latencies: Sequence[float] = field(default=())
    """From each send to its reply, in ascending order. The clients share one loop, and all start at
    once: with many of them, most of this is waiting for their turn, at the server and here."""

    @property
    def ok(self) -> bool:
        """Every client finished, and no reply was wrong."""
        return self.finished == self.clients and not self.wrong

    @property
    def rate(self) -> float:
        """Replies a second, over all clients; 0 if there were none."""
        return self.replies / self.duration if self.duration else 0.0

    def percentile(self, percent: float) -> float:
        """The latency that this many percent of the replies did not exceed.

        Raises:
            ValueError: there were no replies, or `percent` is not within 0 to 100.
        """
        if not self.latencies:
            raise ValueError("there were no replies, and so there are no latencies")
        if not 0 <= percent <= 100:
            raise ValueError(f"a percentile is within 0 to 100, not {percent}")
        rank = max(1, -int(-len(self.latencies) * percent // 100))  # nearest rank, rounded up
        return self.latencies[rank - 1]

    def to_text(self) -> str:
        """The whole result for people, in a few lines."""
        lines = [
            f"{self.clients:,} clients: {self.connected:,} connected at once, "
            f"{self.finished:,} finished, {self.clients - self.finished:,} failed",
            f"{self.replies:,} replies: {self.right:,} right, {self.wrong:,} wrong",
            f"connecting took {self.connecting:.2f} s, the scripts {self.duration:.2f} s: "
            f"{self.rate:,.0f} replies a second",
        ]
        if self.latencies:
            known = ", ".join(f"p{p} {self.percentile(p) * 1000:.1f}" for p in (50, 90, 99))
            lines.append(f"latency in ms: {known}, max {self.latencies[-1] * 1000:.1f}")
        lines += [f"{error.clients:,} times {error.kind}: {error.example}" for error in self.errors]
        return "\n".join(lines)

    def plot(self) -> "Figure":
        """How many of the replies came within how many milliseconds, as a matplotlib figure.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: there were no replies.
        """
        import matplotlib.pyplot as plt

        self.percentile(50)  # tells clearly that there is nothing to plot
        milliseconds = [latency * 1000 for latency in self.latencies]
        shares = [100 * (rank + 1) / len(milliseconds) for rank in range(len(milliseconds))]
        figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
        axes.step(milliseconds, shares, where="post")
        for percent in (50, 90, 99):
            at = self.percentile(percent) * 1000
            axes.plot([at], [percent], "o", color="C1")
            label = f"p{percent}: {at:.1f} ms"
            axes.annotate(label, (at, percent), (-8, 0), textcoords="offset points", ha="right")
        axes.set(
            xlabel="milliseconds", ylabel="replies, %", ylim=(0, 108), yticks=range(0, 101, 20)
        )
        axes.set_xlim(left=0)
        axes.set_title(f"{self.clients:,} clients, {self.rate:,.0f} replies a second")
        axes.grid(alpha=0.3)
        plt.close(figure)  # or a notebook would show it twice
        return figure

    def __repr__(self) -> str:
        failed = self.clients - self.finished
        return (
            f"<SwarmResult: {self.clients} clients, {self.finished} finished, {failed} failed; "
            f"{self.right} replies right, {self.wrong} wrong>"
        )


def merge(parts: Sequence[SwarmResult]) -> SwarmResult:
    """The result of a swarm of which each of these was a part, at the same time.

    Every single latency is kept: no percentile of a whole follows from those of its parts.
    """
    groups: dict[str, ErrorGroup] = {}
    for kind, clients, example in (error for part in parts for error in part.errors):
        known = groups.get(kind, ErrorGroup(kind, 0, example))
        groups[kind] = known._replace(clients=known.clients + clients)
    return SwarmResult(
        clients=sum(part.clients for part in parts),
        connected=sum(part.connected for part in parts),
        finished=sum(part.finished for part in parts),
        replies=sum(part.replies for part in parts),
        right=sum(part.right for part in parts),
        wrong=sum(part.wrong for part in parts),
        errors=sorted(groups.values(), key=lambda group: -group.clients),
        connecting=max(part.connecting for part in parts),
        duration=max(part.duration for part in parts),
        latencies=list(heapq.merge(*(part.latencies for part in parts))),
    )


def group_errors(errors: Sequence[tuple[int, BaseException]]) -> list[ErrorGroup]:
    """Put the errors of clients, as `(number, error)`, into groups of one kind."""
    groups: dict[str, list[tuple[int, BaseException]]] = {}
    for number, error in errors:
        reason = getattr(error, "reason", None)
        kind = type(error).__name__ + (f" ({plain(reason)})" if reason else "")
        groups.setdefault(kind, []).append((number, error))
    found = [
        ErrorGroup(kind, len(of_kind), f"client {of_kind[0][0]}: {plain(of_kind[0][1])}")
        for kind, of_kind in groups.items()
    ]
    return sorted(found, key=lambda group: -group.clients)
