"""One connection through a link, and what the tests do at its two ends."""

import contextlib
import socket

from sockkit.lab import Link

from .loopback import HOST


@contextlib.contextmanager
def linked(**options):
    """A link, and the two ends of one connection through it: `(link, client, server)`."""
    with (
        socket.create_server((HOST, 0)) as listener,
        Link(listener.getsockname(), host=HOST, **options) as link,
        socket.create_connection(link.address, timeout=5) as client,
    ):
        listener.settimeout(5)
        server, _ = listener.accept()
        with server:
            server.settimeout(5)
            yield link, client, server


def exactly(sock, size):
    data = b""
    while len(data) < size and (piece := sock.recv(size - len(data))):
        data += piece
    return data


def everything(sock):
    data = b""
    while piece := sock.recv(65_536):
        data += piece
    return data


def silent(sock):
    sock.settimeout(0.05)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(5)
    return False
