r"""Raw TCP clients, each of which misbehaves in exactly one way, against any server.

Each is connected from the line that makes it and gone at the end of its `with` block; `to_text()`
tells what it did. Bare sockets, no privileges. What `Peer` can do, all of them can.

| class | what it does | what the server sees |
| --- | --- | --- |
| `PoliteLeaver` | leaves with a FIN, having read what came | an empty read |
| `Resetter` | leaves with an RST | ECONNRESET; on Windows error 10054 |
| `UnreadCloser` | closes while bytes wait unread; the kernel makes an RST of it | ECONNRESET |
| `Vanisher` | says nothing more, like a machine without power | nothing, until its own timeout |
| `Dribbler` | sends a message a byte at a time | a message that does not get whole |
| `NonReader` | asks, and never reads the answers | its output piles up |
| `GarbageSender` | sends what is no message, from a seed | bytes that its framing must refuse |

Example, with any server at `address`:

    >>> with Resetter(address, say=b"hello\n") as peer:     # doctest: +SKIP
    ...     peer.receive_line()
    b'HELLO\n'
    >>> print(peer.to_text())                                # doctest: +SKIP
    connected
    sent 6 bytes
    received 6 bytes
    reset the connection: RST
"""

import contextlib
import random
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from sockkit.events import Reason
from sockkit.lab import sockopts
from sockkit.lab.garbage import endless_line, huge_length, not_text, random_bytes
from sockkit.lab.peer import Peer, Step, count_bytes

__all__ = [
    "Dribbler",
    "GarbageSender",
    "NonReader",
    "Peer",
    "PoliteLeaver",
    "Resetter",
    "Step",
    "UnreadCloser",
    "Vanisher",
    "endless_line",
    "huge_length",
    "not_text",
    "random_bytes",
]


class PoliteLeaver(Peer):
    """Leaves as one should: a FIN, then it reads what is still on its way, then it closes.

    On every platform the server's next read is empty.
    """


class Resetter(Peer):
    """Leaves with an RST (SO_LINGER 1, 0), as an impatient program does, or one killed on Windows.

    The server's next read or write fails: `ConnectionResetError`, on Windows error 10054. What
    this peer sent just before may be lost with it.
    """

    def _leave(self) -> None:
        sockopts.reset(self._socket)
        self._note("reset the connection: RST")


class UnreadCloser(Peer):
    """Closes while bytes from the server wait unread.

    RFC 1122 (4.2.2.13) asks the kernel to say so with an RST, and Linux does: an ordinary `close`,
    and yet the server sees ECONNRESET. `say` something that the server answers.
    """

    def _leave(self) -> None:
        try:
            waiting = len(self._socket.recv(65_536, socket.MSG_PEEK))
        except OSError:
            waiting = 0
        self._note(f"closed with {count_bytes(waiting)} unread" + (": RST" if waiting else ""))


class Vanisher(Peer):
    """Says `say`, and from then on nothing more: no FIN, no RST, as if its power was cut.

    On Linux it does not even acknowledge (see `sockopts`): what the server sends stays unanswered,
    so that its keepalive or TCP_USER_TIMEOUT fires as for a pulled cable. Elsewhere the kernel goes
    on acknowledging, as for a program that hangs: only a timeout of the server's own finds that.

    The kernel needs the socket while the silence lasts. So the silence ends with the `with` block,
    like a machine that comes back after a reboot: a server that still holds the connection is
    answered with an RST.

    Attributes:
        acknowledges: whether its kernel still answers for it. False on Linux.
    """

    def __init__(self, address: tuple[str, int], **options: Any) -> None:
        super().__init__(address, **options)
        self.acknowledges = not sockopts.cut(self._socket)
        still = "; its kernel still acknowledges" if self.acknowledges else ""
        self._note(f"went silent: neither FIN nor RST{still}")

    def _leave(self) -> None:
        sockopts.reset(self._socket)
        self._note("came back without a memory: RST")


class Dribbler(Peer):
    r"""Sends `data` a little at a time, like a slow line or the attack called slow loris.

    With an interval, a thread of its own sends while the `with` block runs; `wait_sent` waits for
    it. With `interval=None` nothing is sent until you call `step`, so a test needs no clock.

    Args:
        data: all that is to be sent.
        size: bytes sent at a time.
        interval: seconds between two pieces; None to step by hand.

    Example:
        with Dribbler(address, b"hello\n", interval=None) as peer:
            while peer.step():
                ...  # look at the server: it still has no message
    """

    def __init__(
        self,
        address: tuple[str, int],
        data: bytes,
        *,
        size: int = 1,
        interval: float | None = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(address, **options)
        self.sent = 0
        self._data = data
        self._size = size
        self._interval = interval
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def step(self) -> bool:
        """Send the next piece; return whether more is left.

        Raises:
            ConnectionError: the server has ended the connection.
        """
        piece = self._data[self.sent : self.sent + self._size]
        self._socket.sendall(piece)
        self.sent += len(piece)
        return self.sent < len(self._data)

    def run(self, wait: Callable[[float], object] = time.sleep) -> None:
        """Send piece after piece, with `wait(interval)` between two, to the end or until it leaves.

        Raises:
            ConnectionError: the server has ended the connection.
        """
        while not self._stop.is_set() and self.step():
            wait(self._interval or 0)

    def wait_sent(self, timeout: float = 5.0) -> bool:
        """Wait for the thread that sends; return whether all was sent.

        Raises:
            TimeoutError: it still has something to send after `timeout` seconds.
        """
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                raise TimeoutError(f"sent {self.sent} of {len(self._data)} in {timeout:g} s")
        return self.sent == len(self._data)

    def __enter__(self) -> Self:
        if self._interval is not None:
            self._thread = threading.Thread(target=self._run, name="dribbler", daemon=True)
            self._thread.start()
        return self

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # the server had enough: `sent` says how much it took
            self.run(self._stop.wait)

    def _leave(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._note(f"sent {self.sent} of {count_bytes(len(self._data))}, {self._size} at a time")
        super()._leave()


class NonReader(Peer):
    """Asks, and never reads an answer, behind a receive buffer of a few kilobytes.

    The kernel takes what fits there, then the server's output has to wait in the server. At the
    end it closes with unread bytes, which is an RST.

    Args:
        receive_buffer: SO_RCVBUF in bytes; Linux doubles it, and has a least value of its own.
    """

    def __init__(
        self, address: tuple[str, int], *, receive_buffer: int = 4096, **options: Any
    ) -> None:
        super().__init__(address, receive_buffer=receive_buffer, **options)

    def flood(self, data: bytes, *, quiet: float = 0.2, most: int = 1 << 28) -> int:
        """Send `data` again and again until no more is taken for `quiet` seconds.

        A server that answers each request, and stops reading when its answers do not leave, takes
        no more once every buffer on the way is full.

        Returns:
            How many bytes went; at most about `most`.
        """
        sent = 0
        usual = self._socket.gettimeout()
        self._socket.settimeout(quiet)
        with contextlib.suppress(OSError):  # no room for so long, or the server has had enough
            while sent < most:
                sent += self._socket.send(data[sent % len(data) :])
        self._socket.settimeout(usual)
        self._note(f"sent {count_bytes(sent)} until no more was taken")
        return sent

    def wait_closed(self, timeout: float = 5.0) -> Reason:
        """Wait, without reading, until the server ends the connection; return how.

        A FIN waits behind the bytes that are not read, so expect a reset or a timeout. Where the
        platform has no `poll` (Windows), this has to read.

        Raises:
            TimeoutError: the server still holds the connection after `timeout` seconds.
        """
        if not hasattr(select, "poll"):
            return super().wait_closed(timeout)
        poll = select.poll()
        poll.register(self._socket, getattr(select, "POLLRDHUP", 0))
        ready = poll.poll(timeout * 1000)
        if not ready:
            raise TimeoutError(f"the server has not closed within {timeout:g} s")
        if ready[0][1] & (select.POLLERR | select.POLLHUP):
            self._note("the server reset the connection: RST")
            return Reason.RESET
        self._note("the server closed: FIN")
        return Reason.CLOSED

    def _leave(self) -> None:
        self._note("closed without having read")


class GarbageSender(Peer):
    """Sends bytes that are no message. The same seed sends the same bytes.

    Args:
        make: what kind: `random_bytes`, `not_text`, `endless_line`, `huge_length`, or your own.
        seed: of the random numbers that `make` gets.

    Example:
        with GarbageSender(address, not_text, seed=7) as peer:
            peer.send_garbage(1000)
            print(peer.wait_closed())
    """

    def __init__(
        self,
        address: tuple[str, int],
        make: Callable[[random.Random, int], bytes] = random_bytes,
        *,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(address, **options)
        self._make = make
        self._random = random.Random(seed)

    def send_garbage(self, size: int = 256) -> bytes:
        """Send `size` bytes of it; return them.

        Raises:
            ConnectionError: the server has ended the connection.
        """
        data = self._make(self._random, size)
        self.send(data)
        return data
