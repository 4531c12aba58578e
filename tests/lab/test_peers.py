import errno
import select
import socket
import sys

import pytest

from sockkit import Reason
from sockkit.lab import sockopts
from sockkit.lab.garbage import endless_line, huge_length, not_text, random_bytes
from sockkit.lab.peers import (
    Dribbler,
    GarbageSender,
    NonReader,
    Peer,
    PoliteLeaver,
    Resetter,
    UnreadCloser,
    Vanisher,
)

from ..waiting import until

pytestmark = pytest.mark.usefixtures("nothing_left")

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs an option that Linux has")


@pytest.fixture
def address(listener):
    return listener.getsockname()


def everything(sock):
    data = b""
    while piece := sock.recv(65_536):
        data += piece
    return data


# What each does, seen from a bare server.


def test_a_polite_leaver_ends_with_an_empty_read_and_takes_what_was_still_coming(address, accept):
    with PoliteLeaver(address, say=b"hello\n") as peer:
        server = accept()
        server.sendall(b"an answer that nobody reads")
        server.shutdown(socket.SHUT_WR)
    assert everything(server) == b"hello\n"
    assert peer.to_text().endswith("closed its sending half: FIN")


def test_a_polite_leaver_does_not_wait_long_for_a_server_that_never_closes(address, accept):
    with PoliteLeaver(address) as peer:
        server = accept()
    assert server.recv(1) == b""
    assert peer.steps[-1].what == "the server did not close in return"


def test_a_resetter_breaks_the_connection(address, accept):
    with Resetter(address, say=b"hello\n"):
        server = accept()
        assert server.recv(100) == b"hello\n"
    with pytest.raises(ConnectionResetError):
        server.recv(1)


def test_an_unread_closer_makes_a_reset_of_an_ordinary_close(address, accept):
    with UnreadCloser(address) as peer:
        server = accept()
        server.sendall(b"unread")
        select.select([peer._socket], [], [], 5)
    with pytest.raises(ConnectionResetError):
        server.recv(1)
    assert peer.steps[-1].what == "closed with 6 bytes unread: RST"


def test_an_unread_closer_waits_for_something_to_leave_unread(address, accept):
    with UnreadCloser(address, timeout=0.05) as peer:
        server = accept()
    assert server.recv(1) == b""
    assert peer.steps[-1].what == "closed with 0 bytes unread"


def test_a_vanisher_says_nothing_more_while_its_block_lasts(address, accept):
    with Vanisher(address, say=b"hello\n"):
        server = accept()
        assert server.recv(100) == b"hello\n"
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.recv(1)
        server.settimeout(5)
    with pytest.raises(ConnectionResetError):
        server.recv(1)


@on_linux
def test_what_is_sent_to_a_vanisher_is_never_acknowledged(address, accept):
    with Vanisher(address) as peer:
        server = accept()
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 200)
        server.sendall(b"are you there?")
        with pytest.raises(TimeoutError) as caught:
            server.recv(1)
    assert not peer.acknowledges
    assert caught.value.errno == errno.ETIMEDOUT


def test_without_that_option_a_vanisher_admits_that_its_kernel_acknowledges(
    address, accept, monkeypatch
):
    monkeypatch.setattr(sys, "platform", "darwin")
    with Vanisher(address) as peer:
        accept()
    assert peer.acknowledges
    assert "its kernel still acknowledges" in peer.to_text()


def test_a_dribbler_by_hand_sends_a_byte_for_each_step(address, accept):
    with Dribbler(address, b"abc", interval=None) as peer:
        server = accept()
        assert [(peer.step(), server.recv(100)) for _ in range(3)] == [
            (True, b"a"),
            (True, b"b"),
            (False, b"c"),
        ]
        server.shutdown(socket.SHUT_WR)
    assert peer.sent == 3


def test_a_dribbler_waits_between_its_pieces(address, accept):
    waits = []
    with Dribbler(address, b"abcdefg", size=3, interval=None) as peer:
        server = accept()
        peer._interval = 7.0
        peer.run(wait=waits.append)
        server.shutdown(socket.SHUT_WR)
    assert waits == [7.0, 7.0]
    assert everything(server) == b"abcdefg"


def test_a_dribbler_with_an_interval_sends_by_itself(address, accept):
    with Dribbler(address, b"hello\n", interval=0.001) as peer:
        server = accept()
        assert peer.wait_sent()
        server.shutdown(socket.SHUT_WR)
    assert everything(server) == b"hello\n"


def test_a_dribbler_that_is_not_done_leaves_all_the_same(address, accept):
    with Dribbler(address, b"hello\n", interval=1000) as peer:
        server = accept()
        assert server.recv(100) == b"h"
        until(lambda: peer.sent == 1)
        with pytest.raises(TimeoutError, match="1 of 6"):
            peer.wait_sent(timeout=0.01)
        server.shutdown(socket.SHUT_WR)
    assert peer.sent == 1
    assert everything(server) == b""


def test_a_dribbler_stops_when_the_server_has_had_enough(address, accept):
    with Dribbler(address, b"x" * 1_000_000, interval=0.001) as peer:
        server = accept()
        server.recv(1)
        sockopts.reset(server)
        assert not peer.wait_sent()
    assert peer.sent < 1_000_000


@pytest.mark.parametrize("kind", [Peer, NonReader])
def test_a_peer_can_look_without_waiting_whether_the_server_has_closed(address, accept, kind):
    told = "has not closed within 0 s"
    with kind(address) as peer, accept(), pytest.raises(TimeoutError, match=told):
        peer.wait_closed(timeout=0)


def test_a_non_reader_soon_blocks_the_server(address, accept):
    with NonReader(address) as peer:
        server = accept()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.sendall(bytes(1_000_000))
        with pytest.raises(TimeoutError):
            peer.wait_closed(timeout=0.01)
        sockopts.reset(server)
        assert peer.wait_closed() is Reason.RESET


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="no way to see a FIN without reading")
def test_a_non_reader_sees_a_fin_without_reading(address, accept):
    with NonReader(address) as peer:
        server = accept()
        server.sendall(b"unread")
        server.close()
        assert peer.wait_closed() is Reason.CLOSED


def test_a_non_reader_floods_until_nobody_takes_more(address, accept):
    with NonReader(address) as peer:
        server = accept()
        sent = peer.flood(b"0123456789", quiet=0.02)
        assert sent > 0
        server.setblocking(False)
        assert server.recv(20) == b"01234567890123456789"


def test_a_flood_has_an_end_even_if_everything_is_taken(address, accept):
    with NonReader(address) as peer:
        server = accept()
        assert peer.flood(b"x" * 1000, most=5000) == 5000
        assert len(server.recv(5000, socket.MSG_WAITALL)) == 5000


@pytest.mark.parametrize("make", [random_bytes, not_text, endless_line, huge_length])
def test_a_garbage_sender_sends_the_same_for_the_same_seed(make, address, accept):
    def garbage(seed):
        with GarbageSender(address, make, seed=seed) as peer:
            server = accept()
            sent = peer.send_garbage(100)
            assert server.recv(1000) == sent
            server.shutdown(socket.SHUT_WR)
        return sent

    assert garbage(1) == garbage(1) != garbage(2)


# What all of them can do.


def test_a_peer_says_and_hears_lines_and_bytes(address, accept):
    with Peer(address, say=b"one\n") as peer:
        server = accept()
        server.sendall(server.recv(100).upper() + b"rest")
        assert peer.receive_line() == b"ONE\n"
        assert peer.receive() == b"rest"
        server.shutdown(socket.SHUT_WR)
        assert peer.receive() == b""
    assert peer.to_text() == (
        "connected\nsent 4 bytes\nreceived 4 bytes\nreceived 4 bytes\nthe server closed: FIN\n"
        "closed its sending half: FIN"
    )


def test_the_steps_can_be_shown_with_their_times(address, accept):
    with Peer(address) as peer:
        accept().shutdown(socket.SHUT_WR)
    assert peer.to_text(times=True).splitlines()[0].endswith(" s  connected")


def test_a_line_ends_where_the_server_closes(address, accept):
    with Peer(address) as peer:
        server = accept()
        server.sendall(b"no newline")
        server.shutdown(socket.SHUT_WR)
        assert peer.receive_line() == b"no newline"


def test_a_peer_tells_how_the_server_ended_it(address, accept):
    with Peer(address) as peer:
        server = accept()
        server.sendall(bytes(100_000))
        server.close()
        assert peer.wait_closed() is Reason.CLOSED
    with Peer(address) as peer:
        sockopts.reset(accept())
        assert peer.wait_closed() is Reason.RESET
    with Peer(address) as peer:
        server = accept()
        with pytest.raises(TimeoutError):
            peer.wait_closed(timeout=0.01)
        server.shutdown(socket.SHUT_WR)


def test_leaving_twice_is_leaving_once(address, accept):
    peer = Resetter(address)
    accept()
    peer.leave()
    peer.leave()
    assert peer.gone
    assert repr(peer) == "<Resetter: connected, reset the connection: RST>"


def test_a_peer_leaves_when_the_block_fails(address, accept):
    peer = Resetter(address)
    server = accept()
    with pytest.raises(TimeoutError), peer:
        raise TimeoutError
    with pytest.raises(ConnectionResetError):
        server.recv(1)


def test_nobody_listening_is_an_error_that_leaves_nothing_open(listener):
    address = listener.getsockname()
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        Peer(address)
