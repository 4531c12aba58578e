"""Where memory grows, if it does: Python's own account of who asked for it, line by line."""

import tracemalloc
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWN = 15  # places

_LEFT_OUT = (
    tracemalloc.Filter(False, tracemalloc.__file__),
    tracemalloc.Filter(False, __file__),
)


class Trace:
    """Compares the memory of one low water with that of a later one."""

    def __init__(self, depth: int = 1) -> None:
        tracemalloc.start(depth)
        self._first: tracemalloc.Snapshot | None = None

    def begin(self) -> None:
        """Compare with this moment, unless there is an earlier one."""
        if self._first is None:
            self._first = self._snapshot()

    def to_text(self) -> str:
        """The places that hold more now than then, with the calls that led there."""
        if self._first is None:
            return "nothing to compare with"
        lines = []
        for found in self._snapshot().compare_to(self._first, "traceback")[:SHOWN]:
            where = "\n".join(f"        {frame}" for frame in found.traceback)
            text = f"{found.size_diff:+,} bytes in {found.count_diff:+,} blocks\n{where}"
            lines.append(text.replace(f"{ROOT}/", ""))
        return "\n".join(lines)

    def stop(self) -> None:
        """No more account."""
        tracemalloc.stop()

    def _snapshot(self) -> tracemalloc.Snapshot:
        return tracemalloc.take_snapshot().filter_traces(_LEFT_OUT)
