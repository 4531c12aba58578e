"""A TCP client on a bare socket that does what you tell it, and tells what happened.

`Peer` is the base of the misbehaving ones in `peers`, and useful alone: to test a server without
trusting any client library. No framework and no thread of its own.
"""

import contextlib
import socket
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from sockkit.events import Reason


class Step(NamedTuple):
    """One thing that a peer did or saw."""

    time: float
    """Seconds since the peer was made."""

    what: str
    """In words, for example ``sent 6 bytes``."""


class Peer:
    r"""A client that does what you tell it. It leaves politely, with a FIN.

    It is connected from the line that makes it, and gone at the end of its `with` block.
    Use it in one thread. Nothing waits longer than `timeout`, except where a method says so.

    Args:
        address: `(host, port)` of any TCP server.
        say: bytes to send at once.
        timeout: seconds that connecting, sending and receiving may take.
        receive_buffer: SO_RCVBUF in bytes, set before connecting; None: the system's choice.

    Raises:
        OSError: nobody listens there; `TimeoutError` if nobody answers.

    Example:
        with Peer(address, say=b"hello\n") as peer:
            print(peer.receive())
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        say: bytes = b"",
        timeout: float = 5.0,
        receive_buffer: int | None = None,
    ) -> None:
        self._start = time.monotonic()
        self._steps: deque[Step] = deque(maxlen=1000)
        self._socket = _connect(address, timeout, receive_buffer)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self._note("connected")
        with self._closed_on_error():
            if say:
                self.send(say)

    def send(self, data: bytes) -> None:
        """Send all of these bytes.

        Raises:
            ConnectionError: the server has ended the connection.
            TimeoutError: the server does not read, and every buffer on the way is full.
        """
        self._socket.sendall(data)
        self._note(f"sent {count_bytes(len(data))}")

    def receive(self, size: int = 65_536) -> bytes:
        """Up to `size` bytes that came; `b""` once the server has closed.

        Raises:
            ConnectionError: the server has reset the connection.
            TimeoutError: nothing came.
        """
        data = self._socket.recv(size)
        self._note(f"received {count_bytes(len(data))}" if data else "the server closed: FIN")
        return data

    def receive_line(self) -> bytes:
        """One line with its newline, or what there was of it when the server closed.

        Raises:
            ConnectionError: the server has reset the connection.
            TimeoutError: nothing more came.
        """
        line = b""
        while not line.endswith(b"\n") and (byte := self._socket.recv(1)):
            line += byte
        self._note(f"received {count_bytes(len(line))}")
        return line

    def half_close(self) -> None:
        """Send a FIN and stay: this end says no more, and still receives."""
        self._socket.shutdown(socket.SHUT_WR)
        self._note("closed its sending half: FIN")

    def wait_closed(self, timeout: float = 5.0) -> Reason:
        """Read, and throw away, until the server ends the connection.

        Returns:
            How the server ended it: `Reason.CLOSED` with a FIN, `Reason.RESET` with an RST.

        Raises:
            TimeoutError: the server still holds the connection after `timeout` seconds.
        """
        try:
            self._read_to_end(timeout)
        except (TimeoutError, BlockingIOError):  # the latter where `timeout` is 0
            raise TimeoutError(f"the server has not closed within {timeout:g} s") from None
        except ConnectionError:
            self._note("the server reset the connection: RST")
            return Reason.RESET
        self._note("the server closed: FIN")
        return Reason.CLOSED

    def _read_to_end(self, timeout: float) -> None:
        usual = self._socket.gettimeout()
        deadline = time.monotonic() + timeout
        try:
            self._socket.settimeout(timeout)
            while self._socket.recv(65_536):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._socket.settimeout(left)
        finally:
            self._socket.settimeout(usual)

    # The end.

    def leave(self) -> None:
        """Do what this peer is for, once; then it is gone. The end of the `with` block does it."""
        if not self.gone:
            try:
                self._leave()
            finally:
                self._socket.close()

    def _leave(self) -> None:
        # Bytes left unread would turn the close into a reset: say FIN, then read to the end. A
        # server that never closes in return gets one second; the FIN has long reached it.
        try:
            self.half_close()
            self._read_to_end(1.0)
        except TimeoutError:
            self._note("the server did not close in return")
        except OSError:
            self._note("the server had already gone")

    @property
    def gone(self) -> bool:
        """Whether it has left."""
        return self._socket.fileno() < 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()

    @contextlib.contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._socket.close()
            raise

    # What happened.

    @property
    def steps(self) -> tuple[Step, ...]:
        """What it did and saw, in order; the newest thousand. Any thread."""
        return tuple(self._steps)

    def to_text(self, *, times: bool = False) -> str:
        """The steps, one a line; with `times`, the seconds before each."""
        return "\n".join(f"{s.time:8.3f} s  {s.what}" if times else s.what for s in self.steps)

    def _note(self, what: str) -> None:
        self._steps.append(Step(time.monotonic() - self._start, what))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(step.what for step in self.steps[-6:])}>"


def count_bytes(count: int) -> str:
    """A number of bytes in words: ``1 byte``, ``2 bytes``."""
    return f"{count} byte{'' if count == 1 else 's'}"


def _connect(address: tuple[str, int], timeout: float, receive_buffer: int | None) -> socket.socket:
    # socket.create_connection can't set a receive buffer in time to shape the window it offers.
    failure: OSError | None = None
    for family, kind, protocol, _, target in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(timeout)
            if receive_buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(target)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    assert failure is not None  # getaddrinfo returns at least one address, or raises
    raise failure
