"""The misbehaving peers, seen from the kit's own server."""

import sys

import pytest

from sockkit import Limits, Reason
from sockkit.lab.garbage import endless_line, not_text
from sockkit.lab.peers import (
    GarbageSender,
    NonReader,
    PoliteLeaver,
    Resetter,
    UnreadCloser,
    Vanisher,
)

from ..waiting import until
from .loopback import serve, upper

pytestmark = pytest.mark.usefixtures("nothing_left")

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs an option that Linux has")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(PoliteLeaver, Reason.CLOSED), (Resetter, Reason.RESET), (UnreadCloser, Reason.RESET)],
)
def test_the_kit_tells_the_ways_to_leave_apart(kind, reason):
    reasons = []
    server = serve(
        upper,
        on_disconnect=lambda connection, reason: reasons.append(reason),
    )
    with server.start(), kind(server.address, say=b"hello\n"):
        server.wait_for_clients(1)
    assert reasons == [reason]


def test_the_kit_finds_a_vanisher_by_its_silence():
    reasons = []
    server = serve(
        on_disconnect=lambda connection, reason: reasons.append(reason),
        limits=Limits(idle_timeout=0.2),
    )
    with server.start(), Vanisher(server.address, say=b"hello\n"):
        server.wait_for_clients(1)
        until(lambda: reasons)
    assert reasons == [Reason.TIMED_OUT]


@on_linux
def test_the_kit_finds_a_vanisher_by_what_it_does_not_acknowledge():
    reasons = []
    server = serve(
        on_disconnect=lambda connection, reason: reasons.append(reason),
        limits=Limits(user_timeout=0.2),
    )
    with server.start(), Vanisher(server.address):
        server.wait_for_clients(1)
        server.broadcast("are you there?")
        until(lambda: reasons)
    assert reasons == [Reason.TIMED_OUT]


def test_the_kit_refuses_every_kind_of_garbage():
    reasons = []
    server = serve(
        on_disconnect=lambda connection, reason: reasons.append(reason),
        limits=Limits(max_message=100),
    )
    with server.start():
        for make in (not_text, endless_line):
            with GarbageSender(server.address, make) as peer:
                peer.send_garbage(1000)
                peer.wait_closed()
    assert reasons == [Reason.PROTOCOL_ERROR] * 2


def test_the_kit_drops_a_non_reader_that_is_too_slow():
    reasons = []
    server = serve(
        on_disconnect=lambda connection, reason: reasons.append(reason),
        limits=Limits(max_pending=10_000),
    )
    with server.start(), NonReader(server.address) as peer:
        server.wait_for_clients(1)
        while not reasons:
            server.broadcast("x" * 10_000)
        assert peer.wait_closed() is Reason.RESET
    assert reasons == [Reason.TOO_SLOW]
