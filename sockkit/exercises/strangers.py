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

from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

HOST = "127.0.0.1"
_PATIENCE = 1.0  # seconds for one handshake between two ends in this process


class Shown(NamedTuple):
    """A server's certificate in words, the server's side of TLS, and whether it is good."""

    what: str
    context: ssl.SSLContext
    good: bool
    then: str  # what to ask yourself if your client takes it for the opposite


Round = tuple[str, list[Shown]]
"""The file of an authority's certificate, and servers that it vouches for, or does not."""


@contextlib.contextmanager
def certificates() -> Iterator[list[Round]]:
    """Two rounds: in the second, those whom the first authority vouches for are strangers."""
    import trustme

    now = datetime.datetime.now(datetime.UTC)
    long_ago, yesterday = now - datetime.timedelta(days=9), now - datetime.timedelta(days=1)
    authority, another = trustme.CA(), trustme.CA()
    signed, others = (_server_side(each.issue_cert(HOST)) for each in (authority, another))
    elsewhere = _server_side(authority.issue_cert("example.org"))
    late = authority.issue_cert(HOST, not_before=long_ago, not_after=yesterday)
    which = "Which authorities does your context know?"
    part = "What does a certificate say, and which part of it did your context check?"
    again = "My second call had another `cafile`. Is there a context for each call?"
    first = [
        Shown("a certificate that your authority signed", signed, True, which),
        Shown("a certificate that another authority signed", others, False, part),
        Shown("your authority's certificate for example.org", elsewhere, False, part),
        Shown("a certificate that ran out yesterday", _server_side(late), False, part),
    ]
    second = [
        Shown("a certificate that the authority of my second `cafile` signed", others, True, again),
        Shown("a certificate that the authority of my first `cafile` signed", signed, False, again),
    ]
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder, "authority.pem"), Path(folder, "another.pem")
        for each, file in zip((authority, another), files, strict=True):
            each.cert_pem.write_to_path(file)
        yield [(str(files[0]), first), (str(files[1]), second)]


def _server_side(certificate: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def expect_fair(trial: Trial, context: ssl.SSLContext, shown: Shown) -> None:
    """A client with this context accepts the server if its certificate is good, and only then.

    Raises:
        NotYet: it does not.
    """
    partner, theirs = trial.pair()
    accepted, why = shake_hands(context, theirs, shown.context, partner.socket)
    if accepted == shown.good:
        return
    if accepted:
        saw = f"A server showed {shown.what}. Your client accepted it."
        raise NotYet(saw, "it refuses: this may be anybody.", shown.then)
    saw = f"A server showed {shown.what}. Your client refused it: {plain(why, 120)}."
    if context.protocol is ssl.PROTOCOL_TLS_SERVER:
        then = "This context is a server's. Which purpose does a client's have?"
        raise NotYet(saw, "a client's context.", then)
    raise NotYet(saw, "it accepts: your own authority vouches for this one.", shown.then)


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
