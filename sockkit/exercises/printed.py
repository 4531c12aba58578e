"""What an answer prints, and what is logged meanwhile, kept for the verdict and bounded."""

import io
import logging
from collections.abc import Callable

from sockkit.exercises.where import learners_traceback
from sockkit.text import plain

_KEPT = 2_000  # characters: a screenful, however much is printed
_LINES = 8


class Printed(io.TextIOBase):
    """Stands in for ``sys.stdout``: keeps the first characters and counts the rest. Any thread.

    Args:
        deaf: whether what is written now is not to be kept.
    """

    def __init__(self, deaf: Callable[[], bool] = lambda: False) -> None:
        super().__init__()
        self._deaf = deaf
        self._kept = ""
        self.count = 0

    def writable(self) -> bool:
        """Always true: this is what a stream says that one may print to."""
        return True

    def write(self, text: str) -> int:
        """Keep the text if there is room, count it in any case."""
        if self._deaf():
            return len(text)
        room = _KEPT - len(self._kept)
        if room > 0:
            self._kept += text[:room]
        self.count += len(text)
        return len(text)

    def lines(self) -> list[str]:
        """The first lines, made harmless to show; the last says how much is not shown."""
        lines = [plain(line) for line in self._kept.splitlines()]
        if len(lines) > _LINES or self.count > _KEPT:
            lines = [*lines[:_LINES], f"… {self.count:,} characters in all"]
        return lines


class Logged(logging.Handler):
    """Shows what is logged, and of an exception's traceback the learner's lines alone."""

    def __init__(self, shown: Printed) -> None:
        super().__init__(logging.WARNING)
        self._shown = shown

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record down."""
        error = record.exc_info[1] if record.exc_info else None
        lines = learners_traceback(error) if error else []
        self._shown.write("\n".join([record.getMessage(), *lines]) + "\n")
