r"""What really arrives: each receive of a connection, and the messages that were made of it.

`Tap` wraps a framing. Give it to a server or client in the framing's place, and every `feed` of its
decoders is recorded, with nothing changed on the way. Any thread may read the record at any time.

    wire = Tap(Lines())
    with Server(on_message, framing=wire) as server:
        ...
    print(wire.to_text())

    #1 receive of 8 bytes: one\n│two\n│  →  'one' 'two'
    #1 receive of 3 bytes: hel…  →  no message yet, 3 bytes waiting
    #1 receive of 3 bytes: …lo\n│  →  'hello'

The first line shows two messages glued together, the others one message in two pieces.

It works for any framing that has `encode`, `decoder` and `feed`, so for one of your own too.
"""

import itertools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from sockkit.errors import ProtocolError
from sockkit.framing import Decoder, Framing, decoder_factory
from sockkit.lab.records import Record
from sockkit.limits import Limits
from sockkit.text import plain


class Receive(NamedTuple):
    """One receive, and what the decoder made of it. Immutable; pass it to any thread."""

    time: float
    """Seconds since the tap was made, or last cleared."""

    connection: int
    """1, 2, 3, … in the order in which the decoders were made: for a server, order of arrival."""

    data: bytes
    """The bytes, as they came."""

    messages: tuple[Any, ...]
    """The messages that became whole with these bytes."""

    ends: tuple[int, ...]
    """For each message the offset in `data` just after its last byte. Empty when not known: the
    framing writes these messages in a different way from how they came."""

    waiting_before: int
    """Bytes of an unfinished message that waited when these came: over 0, `data` starts inside a
    message."""

    waiting: int
    """Bytes of an unfinished message that wait now: over 0, `data` ends inside a message."""

    error: str
    """Why the decoder refused these bytes; "" when it did not."""


class Tap:
    r"""A framing that wraps another one and records what its decoders are fed.

    One tap is for one side: a server and a client that share one would mix their connections.

    Args:
        framing: the framing that does the work.
        max_receives, max_bytes: what is kept; older receives make room, see `forgotten`.

    Example:
        >>> from sockkit.framing import Lines
        >>> wire = Tap(Lines())
        >>> decoder = wire.decoder()
        >>> decoder.feed(b"one\ntw"), decoder.feed(b"o\n")
        (['one'], ['two'])
        >>> [(receive.data, receive.messages) for receive in wire.receives]
        [(b'one\ntw', ('one',)), (b'o\n', ('two',))]
    """

    def __init__(
        self, framing: Framing, *, max_receives: int = 10_000, max_bytes: int = 1_048_576
    ) -> None:
        self.framing = framing
        self._record = Record[Receive](max_receives, max_bytes)
        self._numbers = itertools.count(1)
        self._start = time.monotonic()

    def encode(self, message: Any) -> bytes:
        """What the wrapped framing makes of the message."""
        return self.framing.encode(message)

    def decoder(self, max_message: int = Limits.max_message) -> "TapDecoder":
        """A decoder of the wrapped framing that records what it is fed."""
        inner = decoder_factory(self.framing, max_message)()
        return TapDecoder(next(self._numbers), inner, self.framing.encode, self._add)

    @property
    def receives(self) -> tuple[Receive, ...]:
        """A snapshot of the record, oldest first. Any thread."""
        return self._record.snapshot()

    @property
    def forgotten(self) -> int:
        """How many old receives the record has forgotten to make room for new ones."""
        return self._record.dropped

    def wait_for(self, count: int, timeout: float = 5.0) -> tuple[Receive, ...]:
        """Wait until at least `count` receives were recorded; return those that are kept.

        Raises:
            TimeoutError: fewer came within `timeout` seconds.
        """
        return self._record.wait_for(count, timeout)

    def clear(self) -> None:
        """Forget what was recorded; the time starts again, connection numbers go on."""
        self._record.clear()
        self._start = time.monotonic()

    def to_text(self) -> str:
        """One line for each receive: its bytes, message ends as ``│``, and the messages."""
        lines = [receive_to_text(receive) for receive in self.receives]
        if self.forgotten:
            lines.insert(0, f"({self.forgotten} earlier receives are not kept)")
        return "\n".join(lines) or "nothing was received"

    def _add(self, *fields: Any) -> None:
        receive = Receive(time.monotonic() - self._start, *fields)
        self._record.add(receive, len(receive.data))

    def __repr__(self) -> str:
        return f"Tap({self.framing!r})"


class TapDecoder:
    """Passes everything to the wrapped decoder, and tells the tap what came of it."""

    def __init__(
        self,
        connection: int,
        inner: Decoder,
        encode: Callable[[Any], bytes],
        add: Callable[..., None],
    ) -> None:
        self._connection = connection
        self._inner = inner
        self._encode = encode
        self._add = add
        self._waiting = 0

    @property
    def buffered(self) -> int:
        """Bytes held for a message that is not whole yet, if the wrapped decoder can tell."""
        count: int = self._inner.buffered  # type: ignore[attr-defined]  # some decoders have it
        return count

    def feed(self, data: bytes) -> list[Any]:
        """What the wrapped decoder returns or raises; recorded either way."""
        try:
            messages = self._inner.feed(data)
        except Exception as error:
            good = error.messages if isinstance(error, ProtocolError) else []
            self._note(bytes(data), good, str(error) or type(error).__name__)
            raise
        self._note(bytes(data), messages, "")
        return messages

    def _note(self, data: bytes, messages: list[Any], error: str) -> None:
        before = self._waiting
        ends = self._ends(messages, len(data)) if messages else ()
        after = 0 if error else self._left(len(data), messages, ends)
        if ends and not error and len(data) - ends[-1] != after:
            ends = ()
        self._waiting = after
        self._add(self._connection, data, tuple(messages), ends, before, after, error)

    def _left(self, size: int, messages: list[Any], ends: tuple[int, ...]) -> int:
        # What the decoder says it holds; of one that does not say, what must be left over.
        if hasattr(self._inner, "buffered"):
            return self.buffered
        if messages:
            return size - ends[-1] if ends else 0
        return self._waiting + size

    def _ends(self, messages: list[Any], size: int) -> tuple[int, ...]:
        # If each message was as long as its encoded form, and that adds up, its end is known.
        try:
            sizes = [len(self._encode(message)) for message in messages]
        except Exception:  # the framing under test may be anybody's, and may raise anything
            return ()
        ends = tuple(itertools.accumulate(sizes, initial=-self._waiting))[1:]
        return ends if ends[0] > 0 and ends[-1] <= size else ()


def receive_to_text(receive: Receive, limit: int = 60) -> str:
    """One receive as a line of text; about `limit` bytes of it are shown, and ten messages."""
    before = "…" if receive.waiting_before else ""
    after = "…" if receive.waiting else ""
    head = f"#{receive.connection} receive of {_bytes(len(receive.data))}"
    return f"{head}: {before}{_cut(receive, limit)}{after}  →  {_outcome(receive)}"


def _cut(receive: Receive, limit: int) -> str:
    shown, start = "", 0
    for end in receive.ends:
        if start >= limit:
            return shown + "…"
        shown += plain(receive.data[start:end], limit) + "│"
        start = end
    return shown + plain(receive.data[start:], limit)


def _outcome(receive: Receive) -> str:
    made = [plain(repr(message), 60) for message in receive.messages[:10]]
    if len(receive.messages) > 10:
        made.append(f"and {len(receive.messages) - 10} more")
    if receive.error:
        made.append(f"refused: {plain(receive.error)}")
    elif not made:
        made.append(f"no message yet, {_bytes(receive.waiting)} waiting")
    return " ".join(made)


def _bytes(count: int) -> str:
    return f"{count} byte{'' if count == 1 else 's'}"
