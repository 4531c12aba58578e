"""How long things took, in words."""

import math
from collections.abc import Sequence


def percentile(seconds: Sequence[float], share: float) -> float:
    """The value below or at which this share of them lies (nearest rank)."""
    ordered = sorted(seconds)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(seconds: Sequence[float]) -> str:
    """The middle, the 99th percentile and the slowest, in milliseconds."""
    middle, high = percentile(seconds, 0.5), percentile(seconds, 0.99)
    return f"median {ms(middle)}, p99 {ms(high)}, slowest {ms(max(seconds))}"


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"


def mib(count: float) -> str:
    return f"{count / 2**20:.3g} MiB"
