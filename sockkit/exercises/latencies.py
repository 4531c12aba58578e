"""Latencies of several engines, and what their percentiles are together."""

import itertools
import math
import random


def _engine(replies: int, seconds: float) -> list[float]:
    """Latencies as they are: hardly two alike, most of them near the shortest, a few far away."""
    chance = random.Random(replies)
    return [round(seconds * chance.lognormvariate(0, 1), 6) for _ in range(replies)]


_UNEVEN = [_engine(900, 0.0007), _engine(30, 0.03), _engine(70, 0.004)]

# In all but the last three far from the percentile, so that every way of counting ranks agrees.
PARTS: list[tuple[list[list[float]], int]] = [
    ([[1.25] * 900, [50.75] * 100], 50),
    ([[1.25] * 900, [50.75] * 100], 95),
    ([[50.75] * 10, [1.25] * 990], 50),
    ([[9.5] * 30 + [2.25] * 300, [2.25] * 300 + [9.5] * 30], 50),
    ([[1.25] * 66 + [5.75] * 44, [5.75] * 60 + [9.5] * 40], 50),
    ([[9.5] * 60, [1.25] * 40], 20),
    ([[], [3.75] * 5], 50),
    ([[1.25] * 10, [2.5] * 10, [7.75] * 80], 50),
    ([[4.125, 1.5], [3.5, 2.5]], 100),
    ([[4.125, 1.5], [3.5, 1.5]], 10),
    (_UNEVEN, 50),
    (_UNEVEN, 90),
    (_UNEVEN, 99),
]


def around(parts: list[list[float]], percent: int) -> tuple[float, float, float]:
    """The percentile between its two neighbours: every way of counting ranks ends among them."""
    together = sorted(itertools.chain(*parts))
    rank = max(1, math.ceil(len(together) * percent / 100))
    if percent == 100:
        return together[-1], together[-1], together[-1]
    return together[max(0, rank - 2)], together[rank - 1], together[min(rank, len(together) - 1)]
