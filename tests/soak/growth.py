"""Does anything grow? A line through what was measured at low water, over the second half."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .gauges import Gauges

MIB = 1 << 20


class Line(NamedTuple):
    """The line that fits best (least squares), and how far the points lie from it."""

    slope: float
    scatter: float  # standard deviation of the points from the line
    error: float  # standard error of the slope

    @classmethod
    def through(cls, points: Sequence[tuple[float, float]]) -> "Line":
        """The line through these points, of which there are at least three."""
        count = len(points)
        mean_x = sum(x for x, _ in points) / count
        mean_y = sum(y for _, y in points) / count
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
        rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
        scatter = math.sqrt(rest / (count - 2))
        return cls(slope, scatter, scatter / math.sqrt(spread))


class Reading(NamedTuple):
    """The gauges of one process at low water, when only those who always stay are here."""

    time: float  # seconds since the beginning
    served: int  # clients that had come and gone by then
    gauges: Gauges


class Growth(NamedTuple):
    """How one gauge of one process went over the second half."""

    what: str
    first: float
    last: float
    grown: float  # by the line
    most: float  # that it may grow

    @property
    def fulfilled(self) -> bool:
        """Whether it kept within its bound."""
        return self.grown <= self.most

    def to_text(self) -> str:
        """One line."""
        in_bytes = self.what.endswith(("allocated", "rss", "uss"))
        scale, unit = (MIB, " MiB") if in_bytes else (1, "")
        first, last, grown, most = (value / scale for value in self[1:])
        verdict = "" if self.fulfilled else "   <-- GROWS"
        bound = f"bound {most:.3g}{unit}" if most < math.inf else "reserves and all: not judged"
        return (
            f"{self.what:20} {first:10,.6g} to {last:10,.6g}{unit}: "
            f"{grown:+8.3g}{unit} by the line, {bound}{verdict}"
        )


# What one client that is forgotten would leave: at least one object of the kit, and more blocks
# than this. So of a leak in each hundredth client one or the other tells.
OBJECTS, BLOCKS = 0.01, 0.25  # for each client served

# In the first minutes caches fill, of a few hundred blocks and some MiB. After that, none is right.
# The size of the process (rss, uss) has the allocator's reserve in it, as large as what was ever
# needed at one time: a view that asks the system for 20,000 sockets leaves it some MiB larger. So
# that is judged only where nothing tells what is really in use.
SETTLED = 300  # seconds


def judge_growth(process: str, readings: Sequence[Reading]) -> list[Growth]:
    """Each gauge of this process over the second half of the run."""
    half = list(readings[len(readings) // 2 :])
    span, served = half[-1].time - half[0].time, half[-1].served - half[0].served
    caches, reserve = (0, MIB) if span > SETTLED else (500, 8 * MIB)
    told = half[-1].gauges.allocated > 0
    found = []
    for name in Gauges._fields:
        points = [(reading.time, float(getattr(reading.gauges, name))) for reading in half]
        line = Line.through(points)
        # Chance alone moves the end of the line by three standard errors once in some hundred runs.
        chance = 3 * line.error * span
        most = {
            "descriptors": 0.5,
            "threads": 0.5,
            "tasks": 0.5,
            "clients": 0.5,
            "objects": 0.5 + OBJECTS * served,
            "blocks": caches + BLOCKS * served + chance,
            "allocated": reserve + chance,
            "rss": math.inf if told else reserve + chance,
            "uss": math.inf if told else reserve + chance,
        }[name]
        grown = line.slope * span
        found.append(Growth(f"{process} {name}", points[0][1], points[-1][1], grown, most))
    return found
