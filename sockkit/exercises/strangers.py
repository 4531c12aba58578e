"""Servers whose certificates are good or bad in one way each, for a check of a client's context.

Needs `trustme`. Authorities, certificates and keys are made anew each time, and thrown away.
"""

import contextlib
import datetime
import select
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HOST = "127.0.0.1"
_PATIENCE = 1.0  # seconds for one handshake between two ends in this process


class Shown(NamedTuple):
    """A server's certificate in words, the server's side of TLS, and whether it is good."""

    what: str
    context: ssl.SSLContext
    good: bool


@contextlib.contextmanager
def certificates() -> Iterator[tuple[str, list[Shown]]]:
    """The file of an authority's certificate, and servers that it vouches for, or does not."""
    import trustme

    now = datetime.datetime.now(datetime.UTC)
    long_ago, yesterday = now - datetime.timedelta(days=9), now - datetime.timedelta(days=1)
    authority, another = trustme.CA(), trustme.CA()
    late = authority.issue_cert(HOST, not_before=long_ago, not_after=yesterday)
    shown = [
        ("a certificate that your authority signed", authority.issue_cert(HOST), True),
        ("a certificate that another authority signed", another.issue_cert(HOST), False),
        (
            "your authority's certificate for example.org",
            authority.issue_cert("example.org"),
            False,
        ),
        ("a certificate that ran out yesterday", late, False),
    ]
    with tempfile.TemporaryDirectory() as folder:
        cafile = Path(folder, "authority.pem")
        authority.cert_pem.write_to_path(cafile)
        yield str(cafile), [Shown(what, _server_side(cert), good) for what, cert, good in shown]


def _server_side(certificate: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def shake_hands(
    context: ssl.SSLContext, theirs: socket.socket, server: ssl.SSLContext, mine: socket.socket
) -> tuple[bool, str]:
    """Whether a client with this context accepts the server; if not, what it says.

    Both ends belong to the caller, who need not wait for the other: they take turns here.
    """
    for sock in (theirs, mine):
        sock.setblocking(False)
    try:
        client_end = context.wrap_socket(
            theirs, server_hostname=HOST, do_handshake_on_connect=False
        )
    except (OSError, ValueError) as error:  # a context for servers, for example
        return False, str(error)
    server_end = server.wrap_socket(mine, server_side=True, do_handshake_on_connect=False)
    with client_end, server_end:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):  # it waits, or the client has refused it
                server_end.do_handshake()
            try:
                client_end.do_handshake()
                return True, ""
            except ssl.SSLWantReadError:
                select.select([client_end, server_end], [], [], 0.01)
            except OSError as error:
                return False, getattr(error, "verify_message", "") or str(error)
    return False, "the handshake did not come to its end"
