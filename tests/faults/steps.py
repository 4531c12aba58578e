"""The steps of the state machine: every way to come, to talk and to leave, and what is never so."""

import contextlib
import socket

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from sockkit import ClosedError, Reason, UnknownClient

from ..core.peers import read_until_gone, reset
from .machine import FLOOD, IDLE, LONGEST, MOST, TOKEN, UNFINISHED, Model, Peer

running = precondition(lambda self: self.running)
stopped = precondition(lambda self: not self.running)
somebody_here = precondition(lambda self: self.here)
somebody_between_messages = precondition(
    lambda self: any(peer.begun is None for peer in self.here.values())
)
somebody_at_the_door = precondition(lambda self: self.at_the_door)


class ServerMachine(Model):
    """Joins, messages, every way of leaving, kicks, every bound, time, stop and start."""

    @initialize(token=st.booleans(), coroutine=st.booleans(), observed=st.booleans())
    def begin(self, token: bool, coroutine: bool, observed: bool) -> None:
        self.make_server(token=token, coroutine=coroutine, observed=observed)
        self.start()

    def _peer(self, data: st.DataObject, *, between_messages: bool = False) -> Peer:
        peers = [p for p in self.here.values() if p.begun is None or not between_messages]
        return data.draw(st.sampled_from(sorted(peers, key=lambda peer: peer.number)))

    # Start and stop.

    @stopped
    @rule()
    def start(self) -> None:
        self.server.start()
        self.set_clock()
        self.running = True

    @running
    @rule()
    def start_what_is_started(self) -> None:
        address = self.server.address
        assert self.server.start().address == address

    @running
    @rule()
    def stop(self) -> None:
        self.server.stop()
        self.running = False
        for peer in list(self.here.values()):
            self.leaves(peer, Reason.SERVER_STOPPED)
        for stranger in self.at_the_door:
            assert read_until_gone(stranger.raw) == b""
            stranger.raw.close()
        self.at_the_door.clear()

    @stopped
    @rule()
    def call_a_stopped_server(self) -> None:
        self.server.stop()
        for call in (lambda: self.server.send(1, "x"), lambda: self.server.broadcast("x")):
            with contextlib.suppress(ClosedError):
                call()
                raise AssertionError("a stopped server took a call")

    @running
    @rule(steps=st.integers(1, IDLE + 1))
    def time_passes(self, steps: int) -> None:
        self.let_pass(steps)
        for peer in list(self.here.values()):
            unfinished = peer.begun is not None and self.now - peer.begun > UNFINISHED
            if unfinished or self.now - peer.heard > IDLE:
                self.leaves(peer, Reason.TIMED_OUT)
        for stranger in list(self.at_the_door):
            if self.now - stranger.heard > UNFINISHED:  # no token in time
                self.at_the_door.remove(stranger)
                self.turned_away(stranger, b"")

    # Coming in.

    @running
    @rule()
    def join(self) -> None:
        peer = self.dial()
        if self.token:
            peer.raw.sendall(f"{TOKEN}\n".encode())
        self.enters(peer)

    @precondition(lambda self: self.running and self.token)
    @rule(said=st.sampled_from([b"", b"open"]))
    def knock(self, said: bytes) -> None:
        stranger = self.dial()
        stranger.raw.sendall(said)
        stranger.begun = len(said)
        self.at_the_door.append(stranger)

    @somebody_at_the_door
    @rule(right=st.booleans())
    def say_a_token(self, right: bool) -> None:
        stranger = self.at_the_door.pop(0)
        rest = TOKEN.encode()[stranger.begun :]
        stranger.begun = None
        stranger.raw.sendall(rest + (b"\n" if right else b", please\n"))
        if right:
            self.enters(stranger)
        else:
            self.turned_away(stranger, b"refused\n")

    @somebody_at_the_door
    @rule(politely=st.booleans())
    def go_away_again(self, politely: bool) -> None:
        stranger = self.at_the_door.pop()
        if politely:
            stranger.raw.close()
        else:
            reset(stranger.raw)

    # Talking.

    @somebody_here
    @rule(data=st.data(), texts=st.lists(st.sampled_from(["a", "", "hello", "ü"]), max_size=4))
    def say(self, data: st.DataObject, texts: list[str]) -> None:
        peer = self._peer(data)
        lines = [text + "\n" for text in texts]
        if peer.begun is not None and texts:
            texts.insert(0, "begun")
            lines.insert(0, "\n")
            peer.begun = None
        peer.raw.sendall("".join(lines).encode())
        peer.expected += [("message", text) for text in texts]
        peer.replies += "".join(text + "\n" for text in texts).encode()
        if texts:
            peer.heard = self.now
        self.until(lambda: self.told[peer.number] == peer.expected)

    @somebody_between_messages
    @rule(data=st.data())
    def begin_a_message(self, data: st.DataObject) -> None:
        peer = self._peer(data, between_messages=True)
        connection = self.server.clients[peer.number]
        for piece in (b"be", b"gun"):
            before = connection.received_bytes
            peer.raw.sendall(piece)
            self.until(lambda: connection.received_bytes == before + len(piece))  # noqa: B023
        peer.begun = peer.heard = self.now

    @somebody_here
    @rule(data=st.data(), number=st.integers(0, 9))
    def broadcast(self, data: st.DataObject, number: int) -> None:
        left_out = data.draw(st.sets(st.sampled_from(sorted(self.here))))
        count = self.server.broadcast(str(number), exclude=left_out)
        assert count == len(self.here) - len(left_out)
        for peer in self.here.values():
            if peer.number not in left_out:
                peer.replies += f"{number}\n".encode()

    @running
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from([*self.here, self.joined, self.joined + 1]))
        try:
            self.server.send(number, "for you")
        except UnknownClient:
            assert number not in self.here
        else:
            self.here[number].replies += b"for you\n"

    @somebody_here
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        peer = self._peer(data)
        while peer.replies:
            received = peer.raw.recv(len(peer.replies))
            assert received
            assert peer.replies.startswith(received)
            peer.replies = peer.replies[len(received) :]

    # The ways to leave.

    @somebody_here
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        peer = self._peer(data)
        ways = [self._close_politely, self._reset, self._send_nonsense, self._be_kicked]
        if peer.replies:
            ways.append(self._close_with_bytes_unread)
        if peer.begun is None:
            ways += [self._be_closed, self._meet_an_error, self._flood]
        data.draw(st.sampled_from(ways))(peer)

    def _close_politely(self, peer: Peer) -> None:
        peer.raw.shutdown(socket.SHUT_WR)
        assert read_until_gone(peer.raw) == peer.replies
        self.leaves(peer, Reason.CLOSED)

    def _reset(self, peer: Peer) -> None:
        reset(peer.raw)
        self.leaves(peer, Reason.RESET)

    def _close_with_bytes_unread(self, peer: Peer) -> None:
        assert peer.raw.recv(1, socket.MSG_PEEK)
        peer.raw.close()
        self.leaves(peer, Reason.RESET)

    def _send_nonsense(self, peer: Peer) -> None:
        peer.raw.sendall(b"\xff\n" if self.now % 2 else b"x" * 2 * LONGEST)
        self.leaves(peer, Reason.PROTOCOL_ERROR)

    def _be_kicked(self, peer: Peer) -> None:
        self.server.disconnect(peer.number)
        self.leaves(peer, Reason.KICKED)

    def _ask(self, peer: Peer, word: str) -> None:
        peer.raw.sendall(f"{word}\nnever heard\n".encode())
        peer.expected.append(("message", word))

    def _be_closed(self, peer: Peer) -> None:
        self._ask(peer, "close me")
        self.leaves(peer, Reason.KICKED)

    def _meet_an_error(self, peer: Peer) -> None:
        self._ask(peer, "raise")
        self.leaves(peer, Reason.HANDLER_ERROR)

    def _flood(self, peer: Peer) -> None:
        self._ask(peer, "flood")
        self.until(lambda: Reason.TOO_SLOW in self.told[peer.number])
        peer.replies += f"{FLOOD}\n".encode() * self.flooded
        self.leaves(peer, Reason.TOO_SLOW)

    # What is always true.

    @invariant()
    def the_clients_are_those_of_the_model(self) -> None:
        clients = self.server.clients
        ours = {peer.raw.getsockname() for peer in self.here.values()}
        for connection in clients.values():
            known = connection.address in ours or connection.number in self.gone
            assert known, f"a stranger: {connection}"
        assert list(clients) == sorted(self.here)
        assert len(clients) <= MOST
        assert self.server.running is self.running

    @invariant()
    def the_refused_are_those_of_the_model(self) -> None:
        assert len(self.refusals) == (self.refused if self.observed else 0)

    @invariant()
    def nobody_who_has_gone_is_told_of_again(self) -> None:
        for number, expected in self.gone.items():
            assert self.told[number] == expected
