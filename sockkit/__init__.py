"""Asynchronous sockets, made to be learnt: servers and clients over asyncio.

    from sockkit import Client, Server

    with Server(lambda connection, text: connection.send(text.upper())) as server:
        with Client(server.address) as client:
            client.send("hello")
            print(client.recv())

`Server` and `Client` work from any thread; `AsyncServer` and `AsyncClient` are the same inside your
own event loop. Start reading at `connection`, then `server`; each module says why it is there.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (who has an older one is to be told)
    # `python -m sockkit` tells it without a traceback, as the name is its own.
    raise ImportError(
        "sockkit needs Python 3.11 or newer, and this is Python {}.{}: install a newer one"
        " from python.org and run that".format(*sys.version_info),
        name=__name__,
    )

from sockkit.aio import AsyncClient, AsyncServer
from sockkit.connection import Connection
from sockkit.errors import (
    AuthenticationError,
    BufferFull,
    ClosedError,
    ConnectionLost,
    MessageTooLarge,
    ProtocolError,
    SockkitError,
    UnknownClient,
)
from sockkit.events import (
    Connected,
    Disconnected,
    Event,
    Reason,
    Received,
    Refused,
    Sent,
    Started,
    Stopped,
)
from sockkit.framing import Decoder, Framing, LengthPrefixed, Lines, Raw
from sockkit.limits import Limits
from sockkit.sync import Client, Server

__all__ = [
    "AsyncClient",
    "AsyncServer",
    "AuthenticationError",
    "BufferFull",
    "Client",
    "ClosedError",
    "Connected",
    "Connection",
    "ConnectionLost",
    "Decoder",
    "Disconnected",
    "Event",
    "Framing",
    "LengthPrefixed",
    "Limits",
    "Lines",
    "MessageTooLarge",
    "ProtocolError",
    "Raw",
    "Reason",
    "Received",
    "Refused",
    "Sent",
    "Server",
    "SockkitError",
    "Started",
    "Stopped",
    "UnknownClient",
]

__version__ = "0.1.0"
