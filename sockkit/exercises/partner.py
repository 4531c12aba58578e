"""The check's own end of a connection: no wait without an end, and everything written down."""

import contextlib
import select
import socket
import time
from collections.abc import Callable
from typing import Protocol

from sockkit.exercises.verdict import NotYet
from sockkit.lab import sockopts
from sockkit.text import plain

_SLICE = 0.05  # seconds between two looks at whether waiting makes sense
_SHOWN = 40  # bytes of each piece that the wire trace shows


class Clock(Protocol):
    """What a partner asks before and while it waits, and tells afterwards."""

    waited_in_vain: bool
    """Whether the last wait ended because its time was over."""

    def left(self, within: float) -> float:
        """Seconds of `within` that the check can still afford."""

    def hopeless(self) -> bool:
        """Whether the answer has failed already, so that waiting is in vain."""


class Partner:
    """One end of a TCP connection, held by a check; the learner's code has the other.

    Every method that waits returns after `within` seconds with what there is. What is sent and
    received goes to the wire trace of the verdict, as this end sees it.
    """

    def __init__(
        self, sock: socket.socket, clock: Clock, note: Callable[[str], None], name: str = ""
    ) -> None:
        self.socket = sock
        self.address: tuple[str, int] = sock.getsockname()[:2]
        self.ended = ""  # how the other side ended it: "", "finished" (FIN) or "reset" (RST)
        self._end_noted = False
        self._clock = clock
        self._note_line = note
        self._name = f"{name} " if name else ""
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes, within: float = 1.0) -> None:
        """Send all of it.

        Raises:
            NotYet: the other side has ended the connection, or does not read.
        """
        self._note(f"→ {_count(data)}  {_shown(data)}")
        view, deadline = memoryview(data), time.monotonic() + self._clock.left(within)
        while view:
            try:
                view = view[self.socket.send(view) :]
            except BlockingIOError:
                if time.monotonic() > deadline or self._clock.hopeless():
                    saw = f"You have stopped reading: {_count(view)} did not leave my side."
                    raise NotYet(saw, "you read what I send.") from None
                select.select([], [self.socket], [], _SLICE)
            except OSError:
                self.ended = "reset"
                self._note("← the connection was ended before this could be sent")
                raise NotYet(
                    "You ended the connection while I was still sending.",
                    "it stays open until I have finished.",
                ) from None

    def receive(self, count: int, within: float = 1.0) -> bytes:
        """The next bytes, until `count` are there, the other side ends, or the time is over."""
        return self._receive(lambda data: count - len(data), within)

    def receive_line(self, within: float = 1.0) -> bytes:
        """The next line with its newline, or what came of it."""
        return self._receive(lambda data: 0 if data.endswith(b"\n") else 1, within)

    def receive_all(self, within: float = 1.0) -> bytes:
        """Everything until the other side ends the connection; look at `ended` then."""
        return self._receive(lambda data: 65_536, within)

    def finish(self) -> None:
        """Say that nothing more comes (FIN), and go on receiving."""
        self._note("→ the end (FIN)")
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close this end. With unread bytes in it, that is a reset."""
        if self.socket.fileno() >= 0:
            self._note("→ closed")
        self.socket.close()

    def reset(self) -> None:
        """End the connection the hard way (RST)."""
        self._note("→ a reset (RST)")
        sockopts.reset(self.socket)

    def _receive(self, missing: Callable[[bytearray], int], within: float) -> bytes:
        data = bytearray()
        deadline = time.monotonic() + self._clock.left(within)
        self._clock.waited_in_vain = False
        while not self.ended and (count := missing(data)):
            piece = self._receive_some(count)
            data += piece
            if not piece and not self.ended:
                self._clock.waited_in_vain = time.monotonic() > deadline
                if self._clock.waited_in_vain or self._clock.hopeless():
                    break
                select.select([self.socket], [], [], _SLICE)
        self._note_received(bytes(data))
        return bytes(data)

    def _note_received(self, data: bytes) -> None:
        if data:
            self._note(f"← {_count(data)}  {_shown(data)}")
        elif not self.ended:
            self._note("← nothing")
        if self.ended and not self._end_noted:
            self._end_noted = True
            self._note("← the end (FIN)" if self.ended == "finished" else "← a reset (RST)")

    def _receive_some(self, count: int) -> bytes:
        try:
            data = self.socket.recv(min(count, 65_536))
        except BlockingIOError:
            return b""
        except OSError:
            self.ended = "reset"
            return b""
        if not data:
            self.ended = "finished"
        return data

    def _note(self, line: str) -> None:
        self._note_line(self._name + line)


def _count(data: bytes | memoryview) -> str:
    return f"{len(data):,} byte{'' if len(data) == 1 else 's'}"


def _shown(data: bytes) -> str:
    return f"b'{plain(data, _SHOWN)}'"
