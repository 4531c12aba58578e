"""Faults that one socket option makes: an RST instead of a FIN, and a cut cable.

The cut: the kernel drops every packet that arrives for a socket, acknowledgements and keepalive
probes too, so the other end sees neither FIN nor RST but silence, and its data stays
unacknowledged. Mended, the connection goes on, since TCP sends again what was lost. It needs no
privileges, and Linux. It works through a check made for routers (RFC 5082): drop packets whose
time-to-live is below a bound. Loopback packets start with 64, so that the bound 255 drops them all.
"""

import contextlib
import socket
import struct
import sys

# Linux, named in ip(7) and linux/in6.h; Python's socket module does not have them.
_IP_MINTTL = 21
_IPV6_MINHOPCOUNT = 73


def reset(sock: socket.socket) -> None:
    """Close with an RST; what was not sent yet is thrown away. Any state, any platform."""
    end_with_reset(sock)
    sock.close()


def end_with_reset(sock: socket.socket) -> None:
    """Whenever this socket is closed, let that be an RST."""
    # SO_LINGER on, with zero seconds: two ints, but on Windows two shorts.
    layout = "hh" if sys.platform == "win32" else "ii"
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))


def cut(sock: socket.socket) -> bool:
    """Drop whatever arrives for this socket from now on; False where that can't be done."""
    return _set_least_ttl(sock, 255)


def mend(sock: socket.socket) -> bool:
    """Let packets through again; False where `cut` did nothing either."""
    return _set_least_ttl(sock, 0)


def _set_least_ttl(sock: socket.socket, ttl: int) -> bool:
    if sys.platform != "linux":
        return False  # the same numbers mean other options elsewhere
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MINHOPCOUNT, ttl)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_MINTTL, ttl)
    except OSError:
        return False
    return True
