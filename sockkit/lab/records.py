"""A record of what happened that any thread may write and read, and that can't grow without bound.

The wire tap, the link and the peers keep what they saw in one of these. Python 3.11 and the
standard library, no sockets.
"""

import threading
from collections import deque
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Record(Generic[Entry]):
    """The newest entries, at most `max_entries` of them and `max_bytes` together. Any thread.

    Example:
        >>> record = Record(max_entries=2)
        >>> for word in ("one", "two", "three"):
        ...     record.add(word, len(word))
        >>> record.snapshot(), record.dropped
        (('two', 'three'), 1)
    """

    def __init__(self, max_entries: int = 10_000, max_bytes: int = 1_048_576) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: deque[tuple[Entry, int]] = deque()
        self._bytes = 0
        self._dropped = 0
        self._changed = threading.Condition()

    def add(self, entry: Entry, size: int = 0) -> None:
        """Append an entry that counts as `size` bytes; the oldest make room for it."""
        with self._changed:
            self._entries.append((entry, size))
            self._bytes += size
            while len(self._entries) > self._max_entries or (
                self._bytes > self._max_bytes and len(self._entries) > 1
            ):
                self._bytes -= self._entries.popleft()[1]
                self._dropped += 1
            self._changed.notify_all()

    def snapshot(self) -> tuple[Entry, ...]:
        """The entries that are kept, oldest first; it does not change any more."""
        with self._changed:
            return tuple(entry for entry, _ in self._entries)

    @property
    def dropped(self) -> int:
        """How many entries made room for newer ones."""
        with self._changed:
            return self._dropped

    def clear(self) -> None:
        """Forget every entry, and that any was dropped."""
        with self._changed:
            self._entries.clear()
            self._bytes = self._dropped = 0

    def wait_for(self, count: int, timeout: float = 5.0) -> tuple[Entry, ...]:
        """Wait until at least `count` entries were made; return those that are kept.

        Raises:
            TimeoutError: fewer came within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._made() >= count, timeout):
                raise TimeoutError(f"{self._made()} of {count} came within {timeout:g} s")
            return tuple(entry for entry, _ in self._entries)

    def _made(self) -> int:
        return len(self._entries) + self._dropped
