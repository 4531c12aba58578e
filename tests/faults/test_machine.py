"""A server against a model of it: whatever clients do, each callback comes once and in order.

`hypothesis` draws the steps. Real sockets and a real server take them; the model says what the
callbacks must have been told by then, client by client.
"""

import contextlib
import socket
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sockkit import ClosedError, Connection, ConnectionLost, Limits, Reason, Server, UnknownClient

from ..core.peers import dial, read_until_gone, reset
from ..lab.loopback import HOST
from ..waiting import until
from .catalogue import size

MOST = 4  # clients at a time
LONGEST = 50  # bytes of a message


@dataclass
class Peer:
    """A client as the model knows it, with the socket that plays it."""

    number: int
    raw: socket.socket
    expected: list[object] = field(default_factory=lambda: ["connect"])
    replies: bytes = b""  # what it must have got
    begun: bool = False  # a message of which the rest has not come


class ServerMachine(RuleBasedStateMachine):
    """Joins, messages, every way of leaving, kicks, bounds, stop and start."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[int, list[object]] = {}
        self.running = False
        self.joined = 0  # numbers given
        self.here: dict[int, Peer] = {}
        self.gone: dict[int, list[object]] = {}
        limits = Limits(max_clients=MOST, max_message=LONGEST)
        self.server = Server(
            self._on_message,
            host=HOST,  # strangers who knock at an old port would be clients of no model
            on_connect=lambda connection: self._note(connection, "connect"),
            on_disconnect=self._note,
            limits=limits,
        )

    # The server's callbacks.

    def _note(self, connection: Connection, entry: object) -> None:
        self.told.setdefault(connection.number, []).append(entry)

    def _on_message(self, connection: Connection, text: str) -> None:
        self._note(connection, ("message", text))
        if text == "raise":
            raise ConnectionLost(Reason.RESET)  # of another connection: a fault of the handler
        if text == "close me":
            connection.close()
        else:
            connection.send(text)

    # What the model does with a client that leaves.

    def _leaves(self, peer: Peer, reason: Reason) -> None:
        del self.here[peer.number]
        peer.expected.append(reason)
        self.gone[peer.number] = peer.expected
        until(lambda: self.told.get(peer.number) == peer.expected)
        if reason not in (Reason.RESET, Reason.CLOSED):
            # We ended it. It gets all replies, unless a reset overtook them, and then the end.
            assert peer.replies.startswith(read_until_gone(peer.raw))
        peer.raw.close()

    def _peer(self, data: st.DataObject) -> Peer:
        return data.draw(st.sampled_from(sorted(self.here.values(), key=lambda p: p.number)))

    # The steps.

    @precondition(lambda self: not self.running)
    @rule()
    def start(self) -> None:
        self.server.start()
        self.running = True

    @precondition(lambda self: self.running)
    @rule()
    def stop(self) -> None:
        self.server.stop()
        self.running = False
        for peer in list(self.here.values()):
            self._leaves(peer, Reason.SERVER_STOPPED)

    @precondition(lambda self: not self.running)
    @rule()
    def call_a_stopped_server(self) -> None:
        for call in (lambda: self.server.send(1, "x"), lambda: self.server.broadcast("x")):
            with contextlib.suppress(ClosedError):
                call()
                raise AssertionError("a stopped server took a call")

    @precondition(lambda self: self.running)
    @rule()
    def join(self) -> None:
        raw = dial(self.server.address)
        if len(self.here) == MOST:
            assert read_until_gone(raw) == b"the server is full\n"
            raw.close()
            return
        self.joined += 1
        self.here[self.joined] = Peer(self.joined, raw)
        until(lambda: self.joined in self.server.clients)

    @precondition(lambda self: self.here)
    @rule(data=st.data(), texts=st.lists(st.sampled_from(["a", "", "hello", "ü"]), max_size=4))
    def say(self, data: st.DataObject, texts: list[str]) -> None:
        peer = self._peer(data)
        if peer.begun and texts:
            peer.raw.sendall(b"\n")
            peer.begun = False
            peer.expected.append(("message", "begun"))
            peer.replies += b"begun\n"
        peer.raw.sendall("".join(text + "\n" for text in texts).encode())
        peer.expected += [("message", text) for text in texts]
        peer.replies += "".join(text + "\n" for text in texts).encode()
        until(lambda: self.told[peer.number] == peer.expected)

    @precondition(lambda self: any(not peer.begun for peer in self.here.values()))
    @rule(data=st.data())
    def begin_a_message(self, data: st.DataObject) -> None:
        peer = self._peer(data)
        if not peer.begun:
            peer.raw.sendall(b"begun")
            peer.begun = True

    @precondition(lambda self: self.here)
    @rule(data=st.data(), number=st.integers(0, 9))
    def broadcast(self, data: st.DataObject, number: int) -> None:
        left_out = data.draw(st.sets(st.sampled_from(sorted(self.here))))
        count = self.server.broadcast(str(number), exclude=left_out)
        assert count == len(self.here) - len(left_out)
        for peer in self.here.values():
            if peer.number not in left_out:
                peer.replies += f"{number}\n".encode()

    @precondition(lambda self: self.running)
    @rule(number=st.integers(1, 12))
    def send(self, number: int) -> None:
        try:
            self.server.send(number, "for you")
        except UnknownClient:
            assert number not in self.here
        else:
            self.here[number].replies += b"for you\n"

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        peer = self._peer(data)
        while peer.replies:
            received = peer.raw.recv(len(peer.replies))
            assert received
            assert peer.replies.startswith(received)
            peer.replies = peer.replies[len(received) :]

    # The ways to leave.

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def close_politely(self, data: st.DataObject) -> None:
        peer = self._peer(data)
        peer.raw.shutdown(socket.SHUT_WR)
        assert read_until_gone(peer.raw) == peer.replies
        self._leaves(peer, Reason.CLOSED)

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def reset(self, data: st.DataObject) -> None:
        peer = self._peer(data)
        reset(peer.raw)
        self._leaves(peer, Reason.RESET)

    @precondition(lambda self: self.here)
    @rule(data=st.data(), nonsense=st.sampled_from([b"\xff\n", b"x" * 2 * LONGEST]))
    def send_nonsense(self, data: st.DataObject, nonsense: bytes) -> None:
        peer = self._peer(data)
        peer.raw.sendall(nonsense)
        self._leaves(peer, Reason.PROTOCOL_ERROR)

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def kick(self, data: st.DataObject) -> None:
        peer = self._peer(data)
        self.server.disconnect(peer.number)
        self._leaves(peer, Reason.KICKED)

    @precondition(lambda self: any(not peer.begun for peer in self.here.values()))
    @rule(data=st.data())
    def be_closed_by_the_handler(self, data: st.DataObject) -> None:
        peer = self._peer(data)
        if not peer.begun:
            peer.raw.sendall(b"close me\nnever heard\n")
            peer.expected.append(("message", "close me"))
            self._leaves(peer, Reason.KICKED)

    @precondition(lambda self: any(not peer.begun for peer in self.here.values()))
    @rule(data=st.data())
    def meet_an_error_in_the_handler(self, data: st.DataObject) -> None:
        peer = self._peer(data)
        if not peer.begun:
            peer.raw.sendall(b"raise\nnever heard\n")
            peer.expected.append(("message", "raise"))
            self._leaves(peer, Reason.HANDLER_ERROR)

    # What is always true.

    @invariant()
    def the_clients_are_those_of_the_model(self) -> None:
        assert list(self.server.clients) == sorted(self.here)
        assert self.server.running is self.running

    @invariant()
    def nobody_who_has_gone_is_told_of_again(self) -> None:
        for number, expected in self.gone.items():
            assert self.told[number] == expected

    def teardown(self) -> None:
        for peer in self.here.values():
            peer.raw.close()
        self.server.stop()
        for number in range(1, self.joined + 1):
            entries = self.told[number]
            assert entries.count("connect") == 1
            assert entries[0] == "connect"
            assert [isinstance(entry, Reason) for entry in entries].count(True) == 1
            assert isinstance(entries[-1], Reason)


@pytest.mark.timeout(240)
def test_every_callback_comes_once_and_in_order(log: object, at_full_speed: None) -> None:
    run_state_machine_as_test(
        ServerMachine,
        settings=settings(max_examples=size(400, 30), stateful_step_count=40, deadline=None),
    )
