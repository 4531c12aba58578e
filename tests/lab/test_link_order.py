"""Whatever does not lose the connection loses nothing; ends and backpressure pass through."""

import contextlib
import random
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sockkit.lab import Link, sockopts
from sockkit.lab.peers import Peer
from sockkit.lab.pipe import Kind

from .loopback import HOST
from .relayed import everything, exactly, linked

pytestmark = pytest.mark.usefixtures("asyncio_debug", "nothing_left")

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


# Ends and backpressure.


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
    with (
        Link(address, host=HOST) as link,
        pytest.raises(ConnectionResetError),
        Peer(link.address) as peer,
    ):
        peer.receive()
