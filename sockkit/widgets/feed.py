"""One bounded record of what a server did, shared by every view of that server.

The server's thread appends; the page's flusher reads. Nothing is recorded unless a view watches: a
feed observes its server for as long as some view holds it. Comings and goings are kept apart from
messages, so that a flood of messages never hides who left and why.
"""

import heapq
import threading
import weakref
from collections import deque
from typing import Any, NamedTuple

from sockkit.events import Connected, Disconnected, Event, Received, Sent

KEEP = 1_000
"""Records of each kind that a feed holds; older ones are dropped, and counted."""

CROWD = 300
"""Beyond so many clients a feed keeps no connections: each costs a snapshot of all of them."""

_KEEP_TEXT = 256  # of one message: more is never shown, and a flood of 64 KiB messages must not fit


class Entry(NamedTuple):
    """One record in the order of arrival.

    Attributes:
        seq: 1 for the first record of this feed, and so on.
        record: what the server told.
        size: length of the message, where there is one: the record itself may hold only its start.
        thread: name of the thread that told it.
    """

    seq: int
    record: Event
    size: int
    thread: str


class _Kept:
    """What the server's thread writes. Holds neither the server nor the feed."""

    def __init__(self, server: Any) -> None:
        self.seen = 0
        self.messages: deque[Entry] = deque(maxlen=KEEP)
        self.others: deque[Entry] = deque(maxlen=KEEP)
        self.met: dict[int, Any] = {}
        self._connected = 0
        self._server = weakref.ref(server)

    def take(self, record: Event) -> None:
        """Keep one record. Runs on the server's thread for every message, so it is quick."""
        self.seen += 1
        thread = threading.current_thread().name
        if isinstance(record, Received | Sent):
            record, size = _shortened(record)
            self.messages.append(Entry(self.seen, record, size, thread))
            return
        self.others.append(Entry(self.seen, record, 0, thread))
        if isinstance(record, Connected):
            self._connected += 1
            self._meet(record.number)
        elif isinstance(record, Disconnected):
            self._connected -= 1

    def _meet(self, number: int) -> None:
        """Keep the connection itself, for its counts, if it may be gone when somebody looks."""
        server = self._server()
        if server is None or self._connected > CROWD:
            return
        connection = server.clients.get(number)
        if connection is not None:
            self.met[number] = connection
        if len(self.met) > KEEP:
            del self.met[next(iter(self.met))]


class Feed:
    """What one server did since somebody began to watch. Reading is for any thread.

    Use `feed_of`: all views of a server share one feed. It ends when nobody holds it any more.
    """

    def __init__(self, server: Any) -> None:
        self._kept = _Kept(server)
        # Not at exit: a server that is still running then ends by its own rules.
        weakref.finalize(self, server.observe(self._kept.take)).atexit = False

    @property
    def seen(self) -> int:
        """How many records came, kept or not."""
        return self._kept.seen

    @property
    def dropped(self) -> int:
        """How many records came and are not held any more."""
        return self.seen - len(self._kept.messages) - len(self._kept.others)

    def met(self, number: int) -> Any:
        """The connection with this number, also when it has left; None if it was not kept."""
        return self._kept.met.get(number)

    def lives(self) -> list[Entry]:
        """Who came, who left, starts and stops: the records that are not messages, in order."""
        # list(deque) is one step of the interpreter: the server's thread can't append meanwhile.
        return list(self._kept.others)

    def messages(self) -> list[Entry]:
        """The messages, in order, received and sent."""
        return list(self._kept.messages)

    def entries(self) -> list[Entry]:
        """All that is held, in order."""
        return list(heapq.merge(self.messages(), self.lives(), key=lambda entry: entry.seq))


_lock = threading.Lock()
_feeds: weakref.WeakValueDictionary[Any, Feed] = weakref.WeakValueDictionary()  # by server


def feed_of(server: Any) -> Feed:
    """The feed of this server: a new one if nobody watches it yet. Any thread."""
    with _lock:
        feed = _feeds.get(server)
        if feed is None:
            feed = _feeds[server] = Feed(server)
        return feed


def watched() -> int:
    """How many servers are observed now."""
    return len(_feeds)


def _shortened(record: Received | Sent) -> tuple[Received | Sent, int]:
    message = record.message
    if not isinstance(message, str | bytes):
        return record, 0
    size = len(message)
    if size > _KEEP_TEXT:
        record = record._replace(message=message[:_KEEP_TEXT])
    return record, size
