"""One server's place among others that act as one, whatever carries what they say."""

import asyncio
import math
from collections.abc import Iterable
from threading import get_ident
from typing import Any

from sockkit.attaching import Home, ToAllHere
from sockkit.backplane.frames import check_name
from sockkit.backplane.talk import Talk
from sockkit.backplane.wire import State, Wire
from sockkit.errors import ClosedError, UnknownClient
from sockkit.handover import Handover
from sockkit.text import plain


class Member:
    """What every backplane can do. A subclass says how to reach the carrier.

    Args:
        server: the name of this server; no other of the group may have it.
        group: servers of the same group act as one.
        expiry: seconds after which a server that says nothing counts as gone.

    Raises:
        ValueError: a name that is none, or an expiry that is no finite time.
    """

    def __init__(self, *, server: str, group: str = "sockkit", expiry: float = 3.0) -> None:
        check_name(server, "server")
        check_name(group, "group")
        if not 0 < expiry < math.inf:
            raise ValueError(f"expiry is a finite time above 0 seconds, not {expiry!r}")
        self.server = server
        self.group = group
        self.expiry = expiry
        self._home: Home | None = None
        self._talk: Talk | None = None  # while running

    async def connect(self) -> Wire:
        """Reach the carrier. From now on no frame may be missed.

        Raises:
            OSError: it can't be reached.
        """
        raise NotImplementedError

    # For anybody, on any thread.

    @property
    def state(self) -> State:
        """Whether the others can be reached."""
        talk = self._talk
        return talk.state if talk else State.STOPPED

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of all servers that are there, this one included."""
        return tuple(self._everybody())

    @property
    def clients(self) -> tuple[str, ...]:
        """All clients of all servers, each as `number@server`.

        Those of other servers are told some 50 ms late; while `state` is `alone` there are none.
        """
        found = self._everybody().items()
        return tuple(f"{number}@{server}" for server, numbers in found for number in numbers)

    def _everybody(self) -> dict[str, Iterable[int]]:
        talk, home = self._talk, self._home
        if talk is None or home is None:
            return {}
        found: dict[str, Iterable[int]] = {**talk.others.servers(), self.server: home.clients}
        return {server: found[server] for server in sorted(found)}

    def send(self, client: str, message: Any) -> None:
        """Accept a message for one client, wherever it is. Never waits.

        Returning means accepted here. Should the client, its server or the carrier be gone before
        the message is there, nobody is told.

        Args:
            client: `number@server`, as in `clients`.
            message: what to send.

        Raises:
            UnknownClient: there is no such client in `clients`.
            ConnectionLost: it was connected here, and went just now.
            ClosedError: the server is not running.
            TypeError, ProtocolError: from the framing.
        """
        talk, home = self._talk, self._home
        if talk is None or home is None:
            raise ClosedError("the server of this backplane is not running: call start()")
        digits, at, server = str(client).partition("@")
        known = at and digits.isascii() and digits.isdecimal() and len(digits) < 19
        number = int(digits) if known else 0
        if number and server == self.server:
            home.send(number, message)
        elif number and talk.others.has(server, number):
            data = talk.encode(message)
            if get_ident() == self._thread:
                talk.post("to", data, number, server)
            else:
                self._handover.submit(talk.post, "to", data, number, server)
        else:
            text = f"{self.server}, whose backplane is {talk.state}, knows of no client"
            raise UnknownClient(f"{text} {plain(repr(client))}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.server} in {self.group}: {self.state}>"

    # For the server, on its loop.

    def bind(self, home: Home, to_all_here: ToAllHere) -> None:
        """Belong to this server; see `Backplane`."""
        if self._home is not None:
            raise ValueError(f"the backplane {self.server!r} has a server: make one for each")
        self._home = home
        self._to_all_here = to_all_here

    async def start(self, changed: asyncio.Event) -> None:
        """Join the others, or keep trying; see `Backplane`."""
        assert self._home is not None
        if self._talk is None:
            self._handover = Handover(asyncio.get_running_loop())
            self._thread = get_ident()
            args = self.server, self.expiry, self.connect, self._home, self._to_all_here
            self._talk = Talk(*args)
            await self._talk.begin(changed)

    async def stop(self) -> None:
        """Say goodbye, if that is quick, and leave."""
        talk = self._talk
        if talk is not None:
            self._handover.close()
            await talk.end()
            self._talk = None

    def cut_off(self) -> None:
        """In a forked child: be a backplane that is not running."""
        if self._talk is not None:
            self._talk = None
            self._handover.cut_off()

    def broadcast(self, data: bytes) -> None:
        """Pass a message, encoded, to all other servers."""
        if self._talk is not None:
            self._talk.post("all", data)
