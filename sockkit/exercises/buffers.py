"""The server's own end of a connection, and how to make its buffer small: for who does not read."""

import socket
from typing import Any

from sockkit.connection import Connection

NARROW = 4096  # bytes of a buffer: what a kernel takes for a sleeper is soon over


def end_of(its: Connection) -> Any:
    """The server's own socket of this connection."""
    return its._channel.transport.get_extra_info("socket")


def narrow(sock: Any) -> None:
    """Have the kernel take little for whoever does not read."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, NARROW)
