"""What one message looks like on its way to a peer, and what its reply must look like."""

import socket
import string
from typing import NamedTuple

_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Wire(NamedTuple):
    """A request and its reply, as bytes, and what is said before the first of them."""

    request: bytes
    reply: bytes
    greeting: bytes = b""

    def open(self, connection: socket.socket) -> None:
        """Say the greeting, and wait for the end of the answer."""
        if self.greeting:
            connection.sendall(self.greeting)
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += connection.recv(4096)


def line_of(size: int) -> Wire:
    """A line of `size` bytes, its newline among them."""
    text = _letters(size - 1)
    return Wire(text + b"\n", text.upper() + b"\n")


def frame_of(size: int) -> Wire:
    """A WebSocket message that carries as much text as such a line (RFC 6455, section 5.2)."""
    text = _letters(size - 1)
    no_mask = bytes(4)  # a client must mask what it sends; with zeros nothing changes
    request = b"\x81" + _length(len(text), 0x80) + no_mask + text
    return Wire(request, b"\x81" + _length(len(text), 0) + text.upper(), _HANDSHAKE)


def _letters(count: int) -> bytes:
    letters = string.ascii_lowercase.encode()
    return (letters * (count // len(letters) + 1))[:count]


def _length(size: int, masked: int) -> bytes:
    if size < 126:
        return bytes([masked | size])
    return bytes([masked | 126]) + size.to_bytes(2, "big")
