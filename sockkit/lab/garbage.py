"""Bytes that are no message, in several kinds, made from a seed so that they can be made again.

Each function takes a `random.Random` and a size in bytes. `GarbageSender` in `peers` sends what
they make; a test of a decoder may use them without any socket.
"""

import random


def random_bytes(source: random.Random, size: int) -> bytes:
    """Anything at all, newlines and zeros included."""
    return source.randbytes(size)


def not_text(source: random.Random, size: int) -> bytes:
    """A line that is not UTF-8: bytes from 0x80 to 0xff, of which none can start with 0xff."""
    return b"\xff" + bytes(source.randrange(0x80, 0x100) for _ in range(size - 2)) + b"\n"


def endless_line(source: random.Random, size: int) -> bytes:
    """Letters, and never a newline."""
    return bytes(source.choices(b"abcdefghijklmnopqrstuvwxyz", k=size))


def huge_length(source: random.Random, size: int) -> bytes:
    """A length prefix that promises 4 GiB, and then random bytes."""
    return b"\xff\xff\xff\xff" + source.randbytes(size - 4)
