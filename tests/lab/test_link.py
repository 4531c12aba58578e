import contextlib
import random
import socket
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sockkit import ClosedError
from sockkit.lab import Faults, Link, sockopts
from sockkit.lab.peers import Peer
from sockkit.lab.pipe import Kind

from ..waiting import until

pytestmark = pytest.mark.usefixtures("asyncio_debug", "nothing_left")

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs an option that Linux has")


@contextlib.contextmanager
def linked(**options):
    """A link, and the two ends of one connection through it: `(link, client, server)`."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Link(listener.getsockname(), **options) as link,
        socket.create_connection(link.address, timeout=5) as client,
    ):
        listener.settimeout(5)
        server, _ = listener.accept()
        with server:
            server.settimeout(5)
            yield link, client, server


def exactly(sock, size):
    data = b""
    while len(data) < size and (piece := sock.recv(size - len(data))):
        data += piece
    return data


def everything(sock):
    data = b""
    while piece := sock.recv(65_536):
        data += piece
    return data


def silent(sock):
    sock.settimeout(0.05)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(5)
    return False


def send_for_ever(sock):
    while True:
        sock.sendall(bytes(1000))


def fill(sock):
    """Send until nobody takes more for the timeout of `sock`; return how many bytes went."""
    taken = 0
    with contextlib.suppress(TimeoutError):
        while True:
            taken += sock.send(bytes(1000))
    return taken


# Nothing is lost.

STREAM = random.Random(5082).randbytes(100_000)

ways = st.sampled_from(["up", "down", "both"])
fault = st.one_of(
    st.fixed_dictionaries({"split": st.sampled_from([1, 2, 100]), "gap": st.just(0.0)}),
    st.fixed_dictionaries({"glue": st.sampled_from([0.002, 0.01])}),
    st.fixed_dictionaries({"delay": st.sampled_from([0.001, 0.01])}),
    st.fixed_dictionaries({"rate": st.sampled_from([50_000, 1_000_000])}),
    st.fixed_dictionaries({"stall": st.booleans()}),
)
action = st.one_of(
    st.tuples(st.just("set"), ways, fault),
    st.tuples(st.just("send"), st.sampled_from(["up", "down"]), st.sampled_from([1, 2, 50, 2000])),
    st.tuples(st.just("heal"), ways, st.none()),
    st.tuples(st.just("wait"), ways, st.sampled_from([0.0, 0.001, 0.005])),
)


@settings(max_examples=100, deadline=None)
@given(
    first=st.lists(st.tuples(st.just("set"), ways, fault), max_size=4),
    script=st.lists(action, min_size=5, max_size=30),
)
def test_every_byte_arrives_in_order_whatever_the_faults(first, script):
    with linked() as (link, client, server):
        sent = {"up": 0, "down": 0}
        for what, way, value in first + script:
            if what == "set":
                link.set(way=way, **value)
            elif what == "heal":
                link.heal()
            elif what == "wait":
                time.sleep(value)  # gives the script a pace; nothing is waited for
            else:
                sender = client if way == "up" else server
                sender.sendall(STREAM[sent[way] : sent[way] + value])
                sent[way] += value
        link.set(stall=False)
        client.shutdown(socket.SHUT_WR)
        assert everything(server) == STREAM[: sent["up"]]
        server.shutdown(socket.SHUT_WR)
        assert everything(client) == STREAM[: sent["down"]]
        for way, size in sent.items():
            passed = b"".join(s.data for s in link.segments if s.way == way)
            assert passed == STREAM[:size]


@pytest.mark.parametrize(
    "faults",
    [
        {"split": 1, "gap": 0.0},
        {"glue": 0.01},
        {"delay": 0.01},
        {"rate": 100_000},
        {"split": 7, "gap": 0.0, "glue": 0.005, "delay": 0.005, "rate": 100_000},
    ],
    ids=lambda faults: "+".join(faults),
)
def test_what_is_sent_in_many_pieces_keeps_its_order(faults):
    with linked(**faults) as (_, client, server):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, 10_000, 100):
            client.sendall(STREAM[start : start + 100])
        client.shutdown(socket.SHUT_WR)
        assert everything(server) == STREAM[:10_000]


def test_a_link_without_faults_passes_much_both_ways_at_once():
    data = bytes(range(256)) * 16_000
    with linked() as (_, client, server):

        def send(sock):
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)

        senders = [threading.Thread(target=send, args=(sock,)) for sock in (client, server)]
        got = {}
        receivers = [
            threading.Thread(target=lambda s=sock: got.update({s: everything(s)}))
            for sock in (client, server)
        ]
        for thread in senders + receivers:
            thread.start()
        for thread in senders + receivers:
            thread.join()
        assert got == {client: data, server: data}


# Each fault.


def test_split_makes_single_bytes():
    with linked(split=1) as (link, client, server):
        client.sendall(b"hello")
        assert exactly(server, 5) == b"hello"
        assert [segment.data for segment in link.segments] == [b"h", b"e", b"l", b"l", b"o"]
        assert link.to_text().splitlines()[0] == "#1 → server  1 byte: h"


def test_the_pieces_of_a_split_have_a_gap_between_them():
    with linked(split=1, gap=0.02) as (_, client, server):
        start = time.monotonic()
        client.sendall(b"abc")
        assert exactly(server, 3) == b"abc"
        assert time.monotonic() - start >= 0.04


def test_split_one_way_leaves_the_other_whole():
    with linked() as (link, client, server):
        link.set(way="up", split=2)
        client.sendall(b"abcd")
        assert exactly(server, 4) == b"abcd"
        server.sendall(b"abcd")
        assert exactly(client, 4) == b"abcd"
        assert [segment.data for segment in link.segments] == [b"ab", b"cd", b"abcd"]


def test_glue_holds_what_comes_and_makes_one_piece_of_it():
    with linked(glue=1000) as (link, client, server):
        for piece, together in ((b"one\n", 4), (b"two\n", 8), (b"three\n", 14)):
            client.sendall(piece)
            until(lambda together=together: link.held == together)
        assert silent(server)
        link.heal()
        assert exactly(server, 14) == b"one\ntwo\nthree\n"
        assert len(link.segments) == 1


def test_glue_passes_on_when_its_time_is_over():
    with linked(glue=0.05) as (_, client, server):
        start = time.monotonic()
        client.sendall(b"held")
        assert exactly(server, 4) == b"held"
        assert time.monotonic() - start >= 0.05


def test_delay_makes_everything_late_the_end_too():
    with linked(delay=0.1) as (_, client, server):
        start = time.monotonic()
        client.sendall(b"late")
        client.shutdown(socket.SHUT_WR)
        assert everything(server) == b"late"
        assert time.monotonic() - start >= 0.1


def test_a_delay_that_is_switched_off_no_longer_holds_what_came_before():
    with linked(delay=1000) as (link, client, server):
        client.sendall(b"now")
        until(lambda: link.held == 3)
        link.heal()
        assert exactly(server, 3) == b"now"


def test_rate_limits_the_bytes_of_a_second():
    with linked(rate=10_000) as (_, client, server):
        start = time.monotonic()
        client.sendall(bytes(2000))
        assert len(exactly(server, 2000)) == 2000
        assert time.monotonic() - start >= 0.15


def test_stall_holds_everything_until_it_ends():
    with linked(stall=True) as (link, client, server):
        client.sendall(b"held")
        server.sendall(b"held too")
        until(lambda: link.held == 12)
        assert silent(server)
        assert silent(client)
        link.set(stall=False)
        assert exactly(server, 4) == b"held"
        assert exactly(client, 8) == b"held too"


def test_a_black_hole_swallows_and_does_not_tell():
    with linked() as (link, client, server):
        link.set(black_hole=True)
        client.sendall(b"into the void")
        client.shutdown(socket.SHUT_WR)
        assert {segment.dropped for segment in link.wait_for(2)} == {True}
        assert silent(server)
        assert "(into the black hole)" in link.to_text()


def test_what_lost_bytes_stays_silent_after_the_black_hole():
    with linked() as (link, client, server):
        link.set(way="up", black_hole=True)
        client.sendall(b"lost")
        link.wait_for(1)
        link.heal()
        client.sendall(b"after it")
        server.sendall(b"the other way is well")
        assert exactly(client, 21) == b"the other way is well"
        assert silent(server)


def test_who_comes_during_a_black_hole_never_reaches_the_server(listener):
    with Link(listener.getsockname(), black_hole=True) as link:
        with socket.create_connection(link.address) as client:
            until(lambda: link.connections)
            link.heal()
            client.sendall(b"anybody there?")
            assert silent(client)
            assert link.wait_for(1)[0].dropped
        listener.settimeout(0.05)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_reset_reaches_both_sides():
    with linked() as (link, client, server):
        link.reset()
        for sock in (client, server):
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        assert [segment.kind for segment in link.segments] == [Kind.RESET, Kind.RESET]


@on_linux
def test_over_a_cut_cable_nothing_is_acknowledged():
    with linked() as (link, _, server):
        link.cut()
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 200)
        server.sendall(b"are you there?")
        with pytest.raises(TimeoutError, match="timed out") as caught:
            server.recv(1)
        assert caught.value.errno is not None  # from the kernel, and not from settimeout


@on_linux
def test_a_cable_that_is_mended_in_time_has_lost_nothing():
    with linked() as (link, client, server):
        link.cut()
        client.sendall(b"during the cut")
        assert silent(server)
        link.heal()
        assert exactly(server, 14) == b"during the cut"


@on_linux
def test_what_the_link_holds_does_not_cross_a_cut_cable():
    with linked(delay=1000) as (link, client, server):
        client.sendall(b"under way")
        until(lambda: link.held == 9)
        link.cut()
        link.set(delay=0.0)
        assert silent(server)
        link.heal()
        assert exactly(server, 9) == b"under way"


@on_linux
def test_over_a_cut_cable_nobody_connects(listener):
    with Link(listener.getsockname()) as link:
        link.cut()
        with pytest.raises(TimeoutError):
            socket.create_connection(link.address, timeout=0.05)


def test_where_a_cable_can_not_be_cut_that_is_said(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with linked() as (link, client, server):
        with pytest.raises(NotImplementedError, match="black_hole"):
            link.cut()
        client.sendall(b"on we go")
        assert exactly(server, 8) == b"on we go"


# Ends and backpressure pass through.


def test_a_half_close_passes_and_the_other_half_goes_on():
    with linked() as (link, client, server):
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert everything(server) == b"question"
        server.sendall(b"answer")
        server.close()
        assert everything(client) == b"answer"
        assert [s.kind for s in link.wait_for(4)].count(Kind.FIN) == 2


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_reset_of_one_side_reaches_the_other_behind_the_bytes(side):
    with linked() as (link, client, server):
        near, far = (client, server) if side == "client" else (server, client)
        near.sendall(b"last words")
        link.wait_for(1)
        sockopts.reset(near)
        assert exactly(far, 10) == b"last words"
        with pytest.raises(ConnectionResetError):
            far.recv(1)


def test_who_sends_to_a_client_that_has_gone_is_reset():
    with linked() as (_, client, server):
        client.close()
        assert server.recv(1) == b""
        with pytest.raises(ConnectionError):  # a reset, or a broken pipe for the next send
            send_for_ever(server)


def test_backpressure_reaches_the_sender():
    with linked(buffer=8192) as (_, client, server):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.settimeout(0.2)
        taken = fill(client)
        assert taken < 2_000_000
        client.shutdown(socket.SHUT_WR)
        assert len(everything(server)) == taken


def test_a_stalled_link_holds_up_the_sender_too():
    with linked(buffer=8192, stall=True) as (_, client, _):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.sendall(bytes(2_000_000))


def test_no_server_is_a_reset_for_the_client(listener):
    address = listener.getsockname()
    listener.close()
    with Link(address) as link, pytest.raises(ConnectionResetError), Peer(link.address) as peer:
        peer.receive()


# The link itself.


def test_it_relays_many_clients_and_numbers_them(listener, accept):
    with Link(listener.getsockname()) as link, contextlib.ExitStack() as stack:
        for number in range(1, 11):
            client = stack.enter_context(socket.create_connection(link.address, timeout=5))
            client.sendall(bytes([number]))
            assert accept().recv(1) == bytes([number])
        assert link.connections == 10
        assert [(s.connection, s.data) for s in link.segments] == [
            (number, bytes([number])) for number in range(1, 11)
        ]
        assert repr(link) == "<Link: 10 connections>"


def test_faults_can_be_read_and_bad_ones_are_refused():
    with linked() as (link, _, _):
        link.set(way="up", split=3)
        assert link.faults == {"up": Faults(split=3), "down": Faults()}
        for wrong in ({"split": 0}, {"rate": 0}, {"delay": -1}):
            with pytest.raises(ValueError, match=next(iter(wrong))):
                link.set(**wrong)
        with pytest.raises(TypeError):
            link.set(spilt=1)
        assert link.faults["up"] == Faults(split=3)


def test_the_text_can_have_times_and_says_what_it_forgot():
    with linked(max_segments=2) as (link, client, server):
        for _ in range(3):
            client.sendall(b"\x1b[31m")
            server.recv(100)
        lines = link.to_text(times=True).splitlines()
        assert lines[0] == "(1 earlier segments are not kept)"
        assert lines[1].endswith(r" s  #1 → server  5 bytes: \x1b[31m")


def test_a_closed_link_is_closed_for_good(listener):
    link = Link(listener.getsockname())
    assert link.to_text() == "nothing has passed"
    link.close()
    link.close()
    with pytest.raises(ClosedError):
        link.set(split=1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(link.address)


def test_closing_a_link_closes_what_it_relays():
    with linked() as (link, client, server):
        link.close()
        assert client.recv(1) == b""
        assert server.recv(1) == b""


def test_a_host_that_is_not_there_is_an_error_at_once():
    with pytest.raises(OSError):  # noqa: PT011
        Link(("no-such-host.invalid", 1))
