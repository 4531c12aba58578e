"""One bounded record for all views of a server, and none when nobody watches."""

import gc
import socket
from collections.abc import Callable
from typing import ClassVar

from sockkit.events import Connected, Disconnected, Reason, Received
from sockkit.sync import Client, Server
from sockkit.widgets.feed import KEEP, Feed, feed_of, watched

from ..waiting import until


class Silent:
    """A server that tells only what a test tells."""

    clients: ClassVar[dict[int, object]] = {}

    def observe(self, callback: Callable[[object], object]) -> Callable[[], None]:
        self.tell = callback
        return lambda: None


def test_views_of_one_server_share_a_feed(server: Server) -> None:
    first = feed_of(server)
    assert feed_of(server) is first


def test_two_servers_have_two_feeds(server: Server) -> None:
    with Server() as other:
        feeds = feed_of(server), feed_of(other)
        assert feeds[0] is not feeds[1]


def test_observes_only_while_somebody_holds_it() -> None:
    stopped: list[bool] = []

    class Watched(Silent):
        def observe(self, callback: Callable[[object], object]) -> Callable[[], None]:
            super().observe(callback)
            return lambda: stopped.append(True)

    feed = feed_of(Watched())
    assert watched() == 1
    assert not stopped
    del feed
    gc.collect()
    assert stopped == [True]
    assert watched() == 0


def test_records_come_in_order(server: Server, dial: Callable[[], socket.socket]) -> None:
    feed = feed_of(server)
    peer = dial()
    peer.sendall(b"one\n")
    until(lambda: feed.seen == 3)
    peer.sendall(b"two\n")
    until(lambda: feed.seen == 5)
    kinds = [type(entry.record).__name__ for entry in feed.entries()]
    assert kinds == ["Connected", "Received", "Sent", "Received", "Sent"]
    assert [entry.seq for entry in feed.entries()] == [1, 2, 3, 4, 5]
    assert {entry.thread for entry in feed.entries()} == {"sockkit-server"}


def test_a_flood_is_bounded_counted_and_hides_no_departure() -> None:
    server = Silent()
    feed = Feed(server)
    server.tell(Connected(0.0, 1, ("127.0.0.1", 1)))
    server.tell(Disconnected(0.0, 1, Reason.RESET))
    for _ in range(KEEP + 500):
        server.tell(Received(0.0, 2, "x"))
    assert len(feed.messages()) == KEEP
    assert feed.dropped == 500
    assert [type(entry.record) for entry in feed.lives()] == [Connected, Disconnected]


def test_a_large_message_is_cut_and_its_length_kept() -> None:
    server = Silent()
    feed = Feed(server)
    server.tell(Received(0.0, 1, "x" * 60_000))
    (entry,) = feed.messages()
    assert entry.size == 60_000
    assert len(entry.record.message) < 1_000


def test_a_message_of_any_type_is_kept(server: Server) -> None:
    quiet = Silent()
    feed = Feed(quiet)
    quiet.tell(Received(0.0, 1, {"a": 1}))
    assert feed.messages()[0].record.message == {"a": 1}


def test_a_client_sees_the_same_whether_watched_or_not(server: Server) -> None:
    feed = feed_of(server)
    with Client(server.address) as client:
        client.send("hello")
        assert client.recv() == "HELLO"
    until(lambda: any(isinstance(entry.record, Disconnected) for entry in feed.lives()))
