import asyncio
import contextlib
import math
import socket
import sys
import time

import pytest

from sockkit import ClosedError
from sockkit.lab import Faults, Link
from sockkit.lab.pipe import Kind
from sockkit.lab.relay import Relay

from ..waiting import until
from .loopback import HOST
from .relayed import everything, exactly, linked, silent

pytestmark = pytest.mark.usefixtures("asyncio_debug", "nothing_left")

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs an option that Linux has")


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


def test_an_infinite_rate_is_no_limit():
    with linked(rate=math.inf) as (_, client, server):
        client.sendall(bytes(2000))
        assert len(exactly(server, 2000)) == 2000


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
    with Link(listener.getsockname(), host=HOST, black_hole=True) as link:
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
    with Link(listener.getsockname(), host=HOST) as link:
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


# The link itself.


def test_it_relays_many_clients_and_numbers_them(listener, accept):
    with Link(listener.getsockname(), host=HOST) as link, contextlib.ExitStack() as stack:
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
        for wrong in ({"split": 0}, {"rate": 0}, {"rate": math.nan}, {"delay": -1}):
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
    link = Link(listener.getsockname(), host=HOST)
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


@pytest.mark.parametrize("turns", range(5))
def test_who_comes_while_it_closes_is_let_go(turns: int, caplog: pytest.LogCaptureFixture) -> None:
    def nothing(*_: object) -> None:
        pass

    async def close_on_a_newcomer(target: tuple[str, int]) -> None:
        relay = Relay(target, HOST, 65_536, {"up": Faults(), "down": Faults()}, nothing)
        relay.start()
        await asyncio.sleep(0)
        with socket.create_connection(relay.listener.getsockname()) as client:
            for _ in range(turns):
                await asyncio.sleep(0)
            await relay.close()
            client.settimeout(10)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
        assert relay.connections == {}

    with socket.create_server((HOST, 0)) as server:
        asyncio.run(close_on_a_newcomer(server.getsockname()))
    assert caplog.records == []
