"""Small buffers, and a sender that fills them: how a check sees who is read, and who is not."""

import socket
import time
from typing import Any

from sockkit.connection import Connection
from sockkit.exercises.partner import Partner
from sockkit.exercises.trial import Trial

NARROW = 4096  # bytes of a send buffer: what a kernel takes for a sleeper is soon over
_QUIET = 0.2  # seconds in which nothing moves


def end_of(its: Connection) -> Any:
    """The server's own socket of this connection."""
    return its._channel.transport.get_extra_info("socket")


def narrow(sock: Any, room: int = NARROW) -> None:
    """Have the kernel take little for whoever does not read."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)


def flood(trial: Trial, sender: Partner, its: Connection, data: bytes, sent: int) -> int:
    """Send until no more is taken; return how much of `data` has gone in all."""
    quiet_since, seen = time.monotonic(), -1
    while time.monotonic() - quiet_since < _QUIET and not trial.hopeless():
        try:
            sent += sender.socket.send(data[sent : sent + 16_384])
        except BlockingIOError:
            time.sleep(0.001)
        except OSError:
            sender.ended = "reset"
            break
        if sent + its.received_bytes != seen:
            quiet_since, seen = time.monotonic(), sent + its.received_bytes
        elif sent == len(data):
            time.sleep(0.001)
    return sent
