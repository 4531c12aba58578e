"""Clients by the hundred for a check: all connected at once, and each with its own line."""

import contextlib
import errno
import selectors
import socket
import time
from collections.abc import Callable
from typing import TypeVar

from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.lab import sockopts
from sockkit.text import plain

T = TypeVar("T")

_BATCH = 50  # connect at the same time: fewer than a usual backlog holds
_PATIENCE = 1.0  # seconds without any answer, after which none is expected
_SLICE = 0.05
_AT_ONCE = 5  # with one more, as many as a backlog of 5 holds, which older books ask for
_FULL = (
    f"Up to {_BATCH} come at once, and wait until your listener accepts them. How many may wait in "
    "its backlog?"
)
_EARLY, _ROUNDS = 100, 400  # resets before any answer that are enough; and who never manages


class Crowd:
    """Clients that come in batches and stay. Each says one line and waits for it in upper case."""

    def __init__(self, trial: Trial, address: tuple[str, int]) -> None:
        self.clients: list[socket.socket] = []
        self._trial = trial
        self._address = address

    def come(self, most: int, least: int, seconds: float) -> None:
        """Grow to `most` clients, or to as many as come in `seconds`, but to `least` in any case.

        Raises:
            NotYet: one of them is not served.
        """
        until = time.monotonic() + seconds
        while len(self.clients) < most:
            if len(self.clients) >= least and time.monotonic() > until:
                return
            self._come(min(_BATCH, most - len(self.clients)))

    def leave(self) -> None:
        """All close."""
        for sock in self.clients:
            sock.close()

    def _come(self, count: int) -> None:
        waiting: dict[socket.socket, bytes] = {}
        with selectors.DefaultSelector() as selector:
            for _ in range(count):
                sock = self._connected()
                self.clients.append(sock)
                line = f"client {len(self.clients)}\n".encode()
                _attempt(lambda sock=sock, line=line: sock.send(line))  # type: ignore[misc]
                selector.register(sock, selectors.EVENT_READ)
                waiting[sock] = line.upper()
            deadline = time.monotonic() + self._trial.left(_PATIENCE)
            while waiting:
                for key, _ in selector.select(_SLICE):
                    assert isinstance(key.fileobj, socket.socket)
                    waiting[key.fileobj] = self._rest(key.fileobj, waiting[key.fileobj])
                    if not waiting[key.fileobj]:
                        selector.unregister(key.fileobj)
                        del waiting[key.fileobj]
                        deadline = time.monotonic() + self._trial.left(_PATIENCE)
                if waiting and (time.monotonic() > deadline or self._trial.hopeless()):
                    raise NotYet(
                        f"{len(self.clients):,} clients were connected and had sent one line each. "
                        f"{len(waiting):,} of them got no answer within {_PATIENCE:g} s.",
                        "each gets its line.",
                        "What does your server wait for while they wait for it?",
                    )

    def _connected(self) -> socket.socket:
        def connect() -> socket.socket:
            return socket.create_connection(self._address, timeout=self._trial.left(_PATIENCE))

        sock = self._trial.own(_attempt(connect, _FULL))
        sock.setblocking(False)
        return sock

    def _rest(self, sock: socket.socket, expected: bytes) -> bytes:
        """What of its answer this client still misses after one receive."""
        got = _attempt(lambda: sock.recv(1024))
        if got and expected.startswith(got):
            return expected[len(got) :]
        what = f"got `{plain(got.rstrip(), 40)}`" if got else "was disconnected"
        raise NotYet(
            f"One of {len(self.clients):,} clients at once {what}.",
            f"`{plain(expected.rstrip(), 40)}`.",
            "What do your clients share that each should have for itself?",
        )


def come_and_reset(trial: Trial, address: tuple[str, int]) -> int:
    """Clients connect and reset at once, every other one after a line; return how many.

    Whether the server still works is for others to see. They come faster than it can serve them,
    and the latest reset first. Then one waits for a word, so that it has done with all of them.
    While the server has answered most of them before they reset, they come again: on a busy machine
    it may be the faster one.
    """
    came = early = 0
    while early < _EARLY and came < _ROUNDS * _AT_ONCE:
        hasty = [socket.socket() for _ in range(_AT_ONCE)]
        for number, sock in enumerate(hasty):
            sockopts.end_with_reset(sock)
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.connect_ex(address)
                if number % 2:
                    sock.send(b"so long\n")
        came += len(hasty)
        while hasty:
            with hasty.pop() as sock, contextlib.suppress(OSError):
                early += not _has_answer(sock)
        with (
            contextlib.suppress(OSError),
            socket.create_connection(address, timeout=trial.left(_PATIENCE)) as sock,
        ):
            sock.sendall(b"your turn\n")
            sock.recv(100)
        if trial.hopeless():
            break
    trial.wire.append(f"{came} clients → a reset (RST), as soon as they had come")
    return came


def _has_answer(sock: socket.socket) -> bool:
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


def _attempt(action: Callable[[], T], if_too_late: str = "") -> T:
    try:
        return action()
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise NotYet(
            f"One client of many could not talk to your server: {name}.",
            "it is accepted, and stays connected.",
            if_too_late if isinstance(error, TimeoutError) else "",
        ) from None
