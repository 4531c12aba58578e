"""What the kit's log says, kept as lines that a cell can show, instead of on the page at any time.

A record of the log is written by whatever thread has something to say, and would be shown in
whichever cell is running then.
"""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def logged() -> Iterator[list[str]]:
    """Keep what the log `sockkit` says within the block, one string a record, from any thread.

    Only the message is kept, without a traceback. Other handlers of the log hear it as well; where
    there are none, nothing is printed.

    Example:
        >>> with logged() as lines:
        ...     logging.getLogger("sockkit").warning("too many clients: %d", 31)
        >>> lines
        ['too many clients: 31']
    """
    keeper = _Keeper()
    log = logging.getLogger("sockkit")
    log.addHandler(keeper)
    try:
        yield keeper.lines
    finally:
        log.removeHandler(keeper)


class _Keeper(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
