"""One connected client, as a handler sees it: who it is, how to answer, and why it ended."""

import time
from threading import get_ident
from types import SimpleNamespace
from typing import Any

from sockkit.channel import Channel
from sockkit.events import Address, Reason
from sockkit.text import plain
from sockkit.views import connection_html


class Connection:
    """A client of a server. Everything here may be used from any thread.

    Attributes:
        number: 1, 2, 3, … in the order of arrival; never used again, not even after a restart.
        address: `(host, port)` of the client's end.
        name: a label for people. What a client calls itself is untrusted text, never its identity.
        connected_at: seconds since the epoch.
    """

    __slots__ = ("_channel", "_state", "address", "connected_at", "name", "number")

    def __init__(self, channel: Channel, number: int, address: Address) -> None:
        self._channel = channel
        self._state: SimpleNamespace | None = None
        self.number = number
        self.address = address
        self.name = ""
        self.connected_at = time.time()

    def send(self, message: Any) -> None:
        """Accept a message for this client. Never waits.

        Returning means accepted here, not delivered there: no protocol below yours can tell that.
        Messages of one thread leave in the order in which that thread sent them.

        Raises:
            ConnectionLost: the client has gone, or went now because it is `TOO_SLOW`.
            TypeError: not what the server's framing carries (`Lines`: str).
            ProtocolError: the framing can't write this message (`Lines`: a newline in it).
        """
        # Written out for speed: in most servers these are the lines that run most often.
        channel = self._channel
        data = channel.encode(message)
        if get_ident() == channel.group.thread:
            size = channel.out_bytes + len(data)
            if size < channel.limit:
                channel.out_bytes = size
                channel.out.append(data)
            else:
                channel.write(message, data)
        else:
            channel.hand_over(message, data)

    def close(self) -> None:
        """End this connection, reason `KICKED`; messages already accepted still leave."""
        self._channel.request_end(Reason.KICKED)

    @property
    def state(self) -> SimpleNamespace:
        """Yours: keep here what the handler wants to know about this client next time."""
        if self._state is None:  # made on first use: most clients of most servers have none
            self._state = SimpleNamespace()
        return self._state

    @property
    def reason(self) -> Reason | None:
        """Why it ended; None while it is connected."""
        return self._channel.reason

    @property
    def received(self) -> int:
        """Messages that came from this client."""
        return self._channel.received

    @property
    def received_bytes(self) -> int:
        """Bytes that came from this client."""
        return self._channel.received_bytes

    @property
    def sent(self) -> int:
        """Messages accepted for this client."""
        return self._channel.sent

    @property
    def sent_bytes(self) -> int:
        """Bytes on their way to this client, once a turn of the loop has passed them on."""
        return self._channel.sent_bytes

    @property
    def pending(self) -> int:
        """Bytes accepted for this client that the kernel has not taken yet."""
        return self._channel.pending

    def __repr__(self) -> str:
        name = f" {plain(self.name, 40)!r}" if self.name else ""
        host, port = self.address
        state = "connected" if self.reason is None else str(self.reason)
        return f"<Connection {self.number}{name} {host}:{port} {state}>"

    def _repr_html_(self) -> str:
        return connection_html(self)
