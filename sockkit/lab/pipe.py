"""One direction of a relayed connection: bytes come in at one socket, and go out at another.

`link` builds on it, nobody else. Everything here runs on the event loop of one link.
"""

import asyncio
import contextlib
import socket
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from sockkit.lab.faults import Faults

RECEIVE = 65_536  # bytes that one receive may return
_SMOOTH = 0.02  # with a limited rate: seconds of data that may go as one piece


class Kind(StrEnum):
    """What a segment carries: bytes, or one of the two ends of a stream."""

    DATA = "data"
    FIN = "FIN"
    RESET = "RST"


class Pipe:
    """Carries one direction of a connection, by `read` and `write`, which run as two tasks.

    Args:
        source, target: non-blocking sockets.
        faults: what to do to the bytes. May be replaced at any time, followed by `wake`.
        room: bytes to hold before reading stops; TCP then holds up the sender.
        note: called as `note(kind, data, dropped)` for each piece when it leaves.
        ended: called with how it ended, when nothing can follow.
    """

    back: "Pipe"  # the other direction, set by whoever made both

    def __init__(
        self,
        source: socket.socket,
        target: socket.socket,
        faults: Faults,
        room: int,
        note: Callable[[Kind, bytes, bool], None],
        ended: Callable[[Kind], None],
    ) -> None:
        self.faults = faults
        self.cut = False  # a cut cable: nothing moves
        self.lost = False  # bytes are missing, so that nothing may follow them
        self.finished = False  # the end was passed on
        self.held = 0  # bytes in the queue
        self._source = source
        self._target = target
        self._room = room
        self._note = note
        self._ended = ended
        self._queue: deque[tuple[float, Kind, bytes | memoryview]] = deque()  # first: arrival
        self._not_before = 0.0  # when the next piece may leave, for `gap` and `rate`
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Look again: faults, cut or the queue have changed."""
        self._changed.set()

    async def _change(self, timeout: float | None = None) -> None:
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._changed.wait()

    # In.

    async def read(self) -> None:
        """Queue what arrives, until the source ends."""
        loop = asyncio.get_running_loop()
        while True:
            while self.held >= self._room:
                await self._change()
            try:
                data = await loop.sock_recv(self._source, RECEIVE)
            except OSError:
                self.append(Kind.RESET)
                return
            if not data:
                self.append(Kind.FIN)
                return
            self.append(Kind.DATA, data)

    def append(self, kind: Kind, data: bytes = b"") -> None:
        """Queue what arrived. The end of a stream travels behind its last bytes."""
        if self.finished:
            self._ended(kind)
        elif not self._glue(kind, data):
            self._queue.append((time.monotonic(), kind, data))
        self.held += len(data)
        self.wake()

    def _glue(self, kind: Kind, data: bytes) -> bool:
        if not self.faults.glue or not self._queue:
            return False
        arrived, last, held = self._queue[-1]
        together = kind is last is Kind.DATA and time.monotonic() < self._due(arrived)
        if together:
            self._queue[-1] = (arrived, kind, bytes(held) + data)
        return together

    # Out.

    async def write(self) -> None:
        """Pass on what was queued, as the faults of the moment will have it. Never returns."""
        while True:
            if self.lost or self.faults.black_hole:
                self._drop()
            wait = self._time_to_wait()
            if wait is None or wait > 0:
                await self._change(wait)
            else:
                await self._pass_on()

    def _time_to_wait(self) -> float | None:
        # 0 or less: the next piece may go now. None: not before something changes.
        if not self._queue or self.cut or self.faults.stall:
            return None
        return max(self._due(self._queue[0][0]), self._not_before) - time.monotonic()

    def _due(self, arrived: float) -> float:
        return arrived + self.faults.delay + self.faults.glue

    async def _pass_on(self) -> None:
        kind, piece = self._take()
        self._note(kind, piece, False)  # before it leaves: who has received it finds it recorded
        try:
            if kind is Kind.DATA:
                await asyncio.get_running_loop().sock_sendall(self._target, piece)
            elif kind is Kind.FIN:
                self._target.shutdown(socket.SHUT_WR)
        except OSError:
            # The target is gone: its reset travels back, behind what it sent before.
            self.lost = True
            self.back.append(Kind.RESET)
            return
        if kind is not Kind.DATA:
            self.finished = True
            self._ended(kind)
        await asyncio.sleep(0)  # a send that succeeds at once gives no other task a turn

    def _take(self) -> tuple[Kind, bytes]:
        faults = self.faults
        arrived, kind, data = self._queue.popleft()
        by_rate = max(1, faults.rate * _SMOOTH) if faults.rate else len(data)
        size = int(min(len(data), faults.split or len(data), by_rate))  # the rate may be infinite
        if size < len(data):
            # A view, because copying the rest for each single byte would be quadratic.
            self._queue.appendleft((arrived, kind, memoryview(data)[size:]))
        pause = max(faults.gap if faults.split else 0.0, size / faults.rate if faults.rate else 0.0)
        self._not_before = time.monotonic() + pause
        self.held -= size
        self.wake()  # there is room for `read`
        return kind, bytes(data[:size])

    def _drop(self) -> None:
        while self._queue:
            _, kind, data = self._queue.popleft()
            self._note(kind, bytes(data), True)
            self.lost = True
            self.held -= len(data)
        self.wake()
