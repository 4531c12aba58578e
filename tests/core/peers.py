"""The other side, as a test needs it: plain sockets, and callbacks that take notes."""

import asyncio
import contextlib
import functools
import signal
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, ParamSpec

import pytest

from sockkit import Connection, Reason

from ..waiting import until

P = ParamSpec("P")


class Notes:
    """Callbacks of a server that write down what they are told, in order.

    Attributes:
        entries: `("connect", number)`, `("message", number, message)`, `("end", number, reason)`.
    """

    def __init__(self, on_message: Callable[[Connection, Any], object] | None = None) -> None:
        self.entries: list[tuple[Any, ...]] = []
        self._on_message = on_message
        self.callbacks: dict[str, Callable[..., object]] = {
            "on_connect": self._connect,
            "on_message": self._message,
            "on_disconnect": self._disconnect,
        }

    def _connect(self, connection: Connection) -> None:
        self.entries.append(("connect", connection.number))

    def _message(self, connection: Connection, message: Any) -> object:
        self.entries.append(("message", connection.number, message))
        return self._on_message(connection, message) if self._on_message else None

    def _disconnect(self, connection: Connection, reason: Reason) -> None:
        self.entries.append(("end", connection.number, reason))

    @property
    def messages(self) -> list[Any]:
        """What came, from whomever."""
        return [entry[2] for entry in self.entries if entry[0] == "message"]

    @property
    def ends(self) -> list[Reason]:
        """Why clients went, in that order."""
        return [entry[2] for entry in self.entries if entry[0] == "end"]


def echo(connection: Connection, message: Any) -> None:
    connection.send(message)


async def slow_echo(connection: Connection, message: Any) -> None:
    await asyncio.sleep(0)
    connection.send(message)


def dial(address: tuple[str, int], receive_buffer: int | None = None) -> socket.socket:
    """A plain socket, connected. Its calls end after 20 seconds at the latest."""
    raw = socket.socket()
    if receive_buffer is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.settimeout(20)
    try:
        raw.connect(address)
    except BaseException:
        raw.close()
        raise
    return raw


def reset(raw: socket.socket) -> None:
    """Close with RST instead of FIN."""
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()


def fill(raw: socket.socket, piece: bytes, at_most: int = 1 << 30) -> int:
    """Send as much as is taken, until nothing has been for 0.2 seconds; return how many bytes."""
    raw.settimeout(0.2)
    taken = 0
    with contextlib.suppress(TimeoutError):
        while taken < at_most:
            taken += raw.send(piece)
    raw.settimeout(20)
    return taken


def until_sent(raw: socket.socket) -> None:
    """Wait until the other system has all that was sent.

    Who closes before that, with replies unread, takes back what did not leave yet. Only Linux says.
    """
    if sys.platform == "linux":
        import fcntl

        siocoutq = 0x5411
        until(lambda: fcntl.ioctl(raw, siocoutq, bytes(4)) == bytes(4))


def read_to_end(raw: socket.socket) -> bytes:
    """All that comes until FIN; a reset raises."""
    pieces = []
    while piece := raw.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def read_until_gone(raw: socket.socket) -> bytes:
    """All that comes until the connection ends, politely or not."""
    pieces = []
    try:
        while piece := raw.recv(1 << 16):
            pieces.append(piece)
    except ConnectionError:
        pass
    return b"".join(pieces)


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that is a coroutine function: runs it in an event loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


needs_signals = pytest.mark.skipif(
    sys.platform == "win32", reason="no thread of Windows can be sent a signal"
)


@contextlib.contextmanager
def interrupted_while_waiting(begun: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Ctrl-C (SIGINT) for this thread, the main one, once it waits in here, and that has begun."""
    main = threading.get_ident()

    def is_waiting() -> bool:
        names = [frame.name for frame in traceback.extract_stack(sys._current_frames()[main])]
        return names[-1] == "wait" and "_wait" in names  # for an answer, not for a thread to start

    def interrupt() -> None:
        until(lambda: begun() and is_waiting())
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        thread.join()
