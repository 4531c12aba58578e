"""A server and a model of it, side by side: what a client does, and what must be told of it.

`hypothesis` draws the steps. Real sockets and a real server take them; the model says what the
callbacks must have been told by then, client by client. Only the time is what the model says it is.
"""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from sockkit import Connection, ConnectionLost, Limits, Reason, Server
from sockkit.events import Refused

from ..core.peers import dial, read_until_gone
from ..lab.loopback import HOST
from ..waiting import PATIENCE, until

MOST = 4  # clients at a time
LONGEST = 50  # bytes of a message
# The clock goes in steps of a hundred seconds. What an example really takes, on the busiest of
# machines, is less than fifty, so that it is always certain which limits are over.
STEP, DRIFT = 100, 50
IDLE, UNFINISHED = 4, 2  # steps that a client may be silent, and a message unfinished
TOKEN = "open sesame"
FLOOD = "x" * 60_000
FULL = b"the server is full\n"


@dataclass(eq=False)
class Peer:
    """A client as the model knows it, with the socket that plays it."""

    raw: socket.socket
    heard: int  # the step at which it said something, last
    number: int = 0  # 0: it has said no token yet
    expected: list[object] = field(default_factory=lambda: ["connect"])
    replies: bytes = b""  # what it must have got
    begun: int | None = None  # since when a message is unfinished


class Model(RuleBasedStateMachine):
    """What the steps have in common. `patience` is how long a callback may take."""

    patience = PATIENCE

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[int, list[object]] = {}
        self.refusals: list[str] = []
        self.running = False
        self.now = 0  # steps
        self.joined = 0  # numbers given
        self.here: dict[int, Peer] = {}
        self.at_the_door: list[Peer] = []
        self.gone: dict[int, list[object]] = {}
        self.refused = 0  # who must have been told so
        self.flooded = 0  # messages accepted for whoever flooded last
        self._ahead = 0.0

    def make_server(self, *, token: bool, coroutine: bool, observed: bool) -> None:
        """The server, in one of its kinds."""
        self.token = token
        self.server = Server(
            self._on_message_later if coroutine else self._on_message,
            host=HOST,  # nobody else in this machine knows this address
            on_connect=lambda connection: self._note(connection, "connect"),
            on_disconnect=self._note,
            limits=Limits(
                max_clients=MOST,
                max_message=LONGEST,
                max_pending=100_000,
                idle_timeout=IDLE * STEP + DRIFT,
                message_timeout=UNFINISHED * STEP + DRIFT,
            ),
            token=TOKEN if token else None,
        )
        self.observed = observed
        if observed:
            self.server.observe(self._observe)

    # The server's callbacks.

    def _note(self, connection: Connection, entry: object) -> None:
        self.told.setdefault(connection.number, []).append(entry)

    def _on_message(self, connection: Connection, text: str) -> None:
        self._note(connection, ("message", text))
        if text == "raise":
            raise ConnectionLost(Reason.RESET)  # of another connection: a fault of the handler
        if text == "close me":
            connection.close()
        elif text == "flood":
            self.flooded = 0
            for _ in range(1000):  # many times what any kernel takes
                connection.send(FLOOD)  # raises once it is too much, which is nobody's fault
                self.flooded += 1
        else:
            connection.send(text)

    async def _on_message_later(self, connection: Connection, text: str) -> None:
        await asyncio.sleep(0)
        self._on_message(connection, text)

    def _observe(self, record: object) -> None:
        if isinstance(record, Refused):
            self.refusals.append(record.why)

    # The time.

    def set_clock(self) -> None:
        """Have the server's new loop go by the model's time."""
        loop = self._call(asyncio.get_running_loop)
        clock = loop.time
        loop.time = lambda: clock() + self._ahead

    def let_pass(self, steps: int) -> None:
        """So much time passes."""
        self.now += steps

        async def advance() -> None:
            for _ in range(20):  # turns, for whoever stands at the door already
                await asyncio.sleep(0)
            self._ahead += steps * STEP

        self.server._portal.run(advance)
        self._call(lambda: None)

    def _call(self, function: Any) -> Any:
        return self.server._portal.call(function)

    # What the model does with those who come and go.

    def dial(self) -> Peer:
        """Somebody new."""
        peer = Peer(dial(self.server.address), self.now)
        peer.raw.settimeout(self.patience)
        return peer

    def until(self, condition: Any) -> None:
        """Wait for what must come."""
        until(condition, self.patience)

    def enters(self, peer: Peer) -> None:
        """Nothing stands between this peer and a number any more."""
        if self.token:
            peer.replies += b"welcome\n"
        peer.heard = self.now
        if len(self.here) == MOST:
            self.turned_away(peer, peer.replies + FULL)
            return
        self.joined += 1
        peer.number = self.joined
        self.here[peer.number] = peer
        self.until(lambda: peer.number in self.server.clients)
        assert self.server.clients[peer.number].address == peer.raw.getsockname()
        self.until(lambda: self.told.get(peer.number) == peer.expected)

    def turned_away(self, peer: Peer, answer: bytes) -> None:
        """It hears this, and the end; no callback is told of it, and no number used."""
        self.refused += 1
        try:
            assert read_until_gone(peer.raw) == answer
        finally:
            peer.raw.close()
        self.until(lambda: not self.observed or len(self.refusals) >= self.refused)

    def leaves(self, peer: Peer, reason: Reason) -> None:
        """It is gone, for this reason: the server must have been told, and if need be the peer."""
        del self.here[peer.number]
        peer.expected.append(reason)
        self.gone[peer.number] = peer.expected
        try:
            self.until(lambda: self.told.get(peer.number) == peer.expected)
            if reason not in (Reason.RESET, Reason.CLOSED):
                # We ended it. It gets all replies, unless a reset overtook them, and then the end.
                assert peer.replies.startswith(read_until_gone(peer.raw))
        finally:
            peer.raw.close()

    # How it ends.

    def teardown(self) -> None:
        """Everybody leaves; then each was told of once, in order."""
        if not hasattr(self, "server"):
            return
        for peer in (*self.here.values(), *self.at_the_door):
            peer.raw.close()
        self.server.stop()
        for number in range(1, self.joined + 1):
            entries = self.told.get(number, [])
            assert entries.count("connect") == 1
            assert entries[0] == "connect"
            assert [isinstance(entry, Reason) for entry in entries].count(True) == 1
            assert isinstance(entries[-1], Reason)
        with contextlib.suppress(ValueError):
            assert max(self.told) <= self.joined, "a stranger was given a number"
