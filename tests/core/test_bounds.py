"""What one client may use up, and what happens beyond it: to that client, and to no other."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from sockkit import (
    AsyncServer,
    Client,
    Connection,
    ConnectionLost,
    LengthPrefixed,
    Limits,
    Lines,
    Raw,
    Reason,
    Server,
)

from ..waiting import turns_until, until
from .clock import clock, run_with_clock
from .peers import Notes, dial, echo, fill, read_to_end, read_until_gone, slow_echo

# Messages that are none.

BAD_LINES = {
    "an endless line": b"x" * 200,
    "no text": b"\xff\xfe\n",
    "a long line": b"x" * 101 + b"\n",
}


@pytest.mark.parametrize("handler", [echo, slow_echo])
@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_message_ends_its_sender_and_no_other_notices(handler: Any, kind: str) -> None:
    notes = Notes(handler)
    with (
        Server(**notes.callbacks, limits=Limits(max_message=100)) as server,
        Client(server.address) as neighbour,
        dial(server.address) as raw,
    ):
        neighbour.send("before")
        assert neighbour.recv() == "before"
        raw.sendall(b"good\n" + BAD_LINES[kind] + b"never seen\n")
        assert read_to_end(raw) == b"good\n"
        neighbour.send("after")
        assert neighbour.recv() == "after"
        until(lambda: notes.ends)
        assert notes.ends == [Reason.PROTOCOL_ERROR]
    assert sorted(notes.messages) == ["after", "before", "good"]


def test_a_length_beyond_the_limit_is_not_waited_for() -> None:
    notes = Notes()
    with Server(**notes.callbacks, framing=LengthPrefixed()) as server:
        with dial(server.address) as raw:
            raw.sendall(LengthPrefixed().encode(b"good") + b"\xff\xff\xff\xff")
            assert read_to_end(raw) == b""
        until(lambda: notes.ends)
    assert notes.messages == [b"good"]
    assert notes.ends == [Reason.PROTOCOL_ERROR]


def test_garbage_behind_a_waiting_callback_is_not_even_read(gate: threading.Event) -> None:
    ends = list[Reason]()

    async def on_message(connection: Connection, text: str) -> None:
        await asyncio.to_thread(gate.wait)

    left = lambda _, reason: ends.append(reason)  # noqa: E731
    server = Server(on_message, on_disconnect=left, limits=Limits(max_message=100))
    with server, dial(server.address) as raw:
        raw.sendall(b"wait\n")
        until(lambda: server.clients and server.clients[1].received)
        [connection] = server.clients.values()
        assert fill(raw, b"\xff" * 100_000) < 1 << 30
        assert connection.received_bytes < 500_000
        gate.set()
        until(lambda: ends)
    assert ends == [Reason.PROTOCOL_ERROR]


def test_the_client_has_the_same_bound() -> None:
    with (
        Server(lambda connection, _: connection.send("x" * 101)) as server,
        Client(server.address, limits=Limits(max_message=100)) as client,
    ):
        client.send("go")
        with pytest.raises(ConnectionLost) as raised:
            client.recv()
    assert raised.value.reason is Reason.PROTOCOL_ERROR


# Slow readers.


def test_a_slow_reader_goes_and_the_others_get_everything() -> None:
    notes = Notes()
    limits = Limits(max_pending=200_000)
    with (
        Server(**notes.callbacks, limits=limits) as server,
        Client(server.address) as reader,
        dial(server.address, receive_buffer=4096) as slow,
    ):
        slow_one = server.wait_for_clients(2)[2]
        most_pending = count = 0
        while slow_one.reason is None:
            count += 1
            server.broadcast(f"{count} " + "x" * 10_000)
            most_pending = max(most_pending, slow_one.pending)
            assert reader.recv().startswith(f"{count} ")
        assert slow_one.reason is Reason.TOO_SLOW
        assert most_pending <= limits.max_pending + 10_010
        assert server.broadcast("goodbye") == 1
        assert reader.recv() == "goodbye"
        until(lambda: notes.ends)
        assert notes.ends == [Reason.TOO_SLOW]
        with pytest.raises(ConnectionResetError):  # it must not take this for the end
            read_to_end(slow)


def test_sending_to_a_slow_reader_raises_when_it_goes(log: pytest.LogCaptureFixture) -> None:
    raised: list[ConnectionLost] = []

    def on_message(connection: Connection, data: bytes) -> None:
        try:
            while True:
                connection.send(bytes(10_000))
        except ConnectionLost as error:
            raised.append(error)
            raise

    notes = Notes(on_message)
    with (
        Server(**notes.callbacks, framing=Raw(), limits=Limits(max_pending=100_000)) as server,
        dial(server.address, receive_buffer=4096) as slow,
    ):
        slow.sendall(b"go")
        until(lambda: notes.ends)
    assert [error.reason for error in raised] == notes.ends == [Reason.TOO_SLOW]
    assert not [record for record in log.records if record.levelname == "ERROR"]


def test_one_message_larger_than_the_bound_passes() -> None:
    message = "x" * 5_000_000
    limits = Limits(max_pending=1000, max_message=5_000_000)
    with (
        Server(echo, limits=limits) as server,
        Client(server.address, limits=limits, timeout=20) as client,
    ):
        client.send(message)
        assert client.recv() == message
        client.send("and the next")
        assert client.recv() == "and the next"


def test_many_messages_beyond_the_bound_in_one_turn_pass_to_who_reads() -> None:
    def on_message(connection: Connection, text: str) -> None:
        for number in range(1000):
            connection.send(f"{number} " + "x" * 500)

    with (
        Server(on_message, limits=Limits(max_pending=300_000)) as server,
        Client(server.address) as client,
    ):
        client.send("go")
        assert [client.recv().partition(" ")[0] for _ in range(1000)] == [
            str(number) for number in range(1000)
        ]


# Time limits, by a clock that is put forward.


async def _hears(reader: asyncio.StreamReader, nothing: bool = False) -> bytes:
    if nothing:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await reader.read(1)
        return b""
    return await reader.readline()


async def _silence() -> None:
    notes = Notes(echo)
    server = AsyncServer(**notes.callbacks, limits=Limits(idle_timeout=300))
    async with server:
        reader, writer = await asyncio.open_connection(*server.address)
        await server.wait_for_clients(1)
        for _ in range(3):  # whoever speaks in time may stay for ever
            await clock().advance(299)
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
        await clock().advance(299)
        assert server.clients
        await clock().advance(1.1)
        assert await reader.read() == b""
        assert notes.ends == [Reason.TIMED_OUT]
        writer.close()


def test_silence_for_too_long_is_timed_out() -> None:
    run_with_clock(_silence)


async def _unheard_is_not_silent() -> None:
    notes, many = Notes(), 150  # more than are read in one turn
    server = AsyncServer(**notes.callbacks, limits=Limits(idle_timeout=3000))
    async with server:
        peers = [await asyncio.open_connection(*server.address) for _ in range(many)]
        await server.wait_for_clients(many)
        await clock().advance(2900)
        for _, writer in peers:
            writer.write(b"hello\n")
        clock().hold(200)
        await turns_until(lambda: len(notes.messages) == many)
        assert len(server.clients) == many
        await clock().advance(2900)
        assert len(server.clients) == many
        peers.pop()[1].close()  # FIN is not silence, either
        clock().hold(200)
        await turns_until(lambda: len(notes.ends) == many)
        assert notes.ends.count(Reason.CLOSED) == 1
        for _, writer in peers:
            writer.close()


def test_a_client_is_not_called_silent_before_it_was_listened_to() -> None:
    run_with_clock(_unheard_is_not_silent)


async def _busy_is_not_silent() -> None:
    gate = asyncio.Event()

    async def on_message(connection: Connection, text: str) -> None:
        await gate.wait()
        connection.send(text)

    server = AsyncServer(on_message, limits=Limits(idle_timeout=10, message_timeout=10))
    async with server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"hello\nbegun")
        [connection] = (await server.wait_for_clients(1)).values()
        while not connection.received:
            await asyncio.sleep(0)
        await clock().advance(1000)
        assert server.clients
        gate.set()
        assert await reader.readline() == b"hello\n"
        await clock().advance(9)
        assert server.clients
        await clock().advance(1.1)
        assert await reader.read() == b""
        assert connection.reason is Reason.TIMED_OUT
        writer.close()


def test_a_client_that_we_do_not_listen_to_is_not_called_silent() -> None:
    run_with_clock(_busy_is_not_silent)


async def _dribble() -> None:
    notes = Notes()
    server = AsyncServer(**notes.callbacks, limits=Limits(message_timeout=60))
    async with server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"whole\n")
        [connection] = (await server.wait_for_clients(1)).values()
        while not notes.messages:
            await asyncio.sleep(0)
        await clock().advance(1000)  # nothing is begun: no limit
        for second in range(60):
            writer.write(b"x")
            while connection.received_bytes < 6 + second + 1:
                await asyncio.sleep(0)
            assert connection.reason is None
            await clock().advance(1)
        await clock().advance(0.1)
        assert await reader.read() == b""
        assert notes.ends == [Reason.TIMED_OUT]
        assert notes.messages == ["whole"]
        writer.close()


def test_a_begun_message_must_be_whole_in_time() -> None:
    run_with_clock(_dribble)


async def _without_limit() -> None:
    limits = Limits(message_timeout=None)
    async with AsyncServer(echo, limits=limits, token="secret") as server:
        reader, writer = await asyncio.open_connection(*server.address)
        for part in (b"sec", b"ret\n", b"hel", b"lo\n"):
            writer.write(part)
            await clock().advance(1_000_000)
        assert await reader.readline() + await reader.readline() == b"welcome\nhello\n"
        writer.close()


def test_without_that_limit_there_is_all_the_time_in_the_world() -> None:
    run_with_clock(_without_limit)


async def _whole_in_time() -> None:
    server = AsyncServer(echo, limits=Limits(message_timeout=60))
    async with server:
        reader, writer = await asyncio.open_connection(*server.address)
        for _ in range(5):
            writer.write(b"beg")
            while not server.clients or server.clients[1].received_bytes % 6 != 3:
                await asyncio.sleep(0)
            await clock().advance(59)
            writer.write(b"un\n")
            assert await reader.readline() == b"begun\n"
        writer.write(b"beg")
        while server.clients[1].received_bytes % 6 != 3:
            await asyncio.sleep(0)
        await clock().advance(59)
        writer.write(b"un\nbeg")  # whole, and another begun in the same piece
        assert await reader.readline() == b"begun\n"
        await clock().advance(59)
        assert server.clients
        await clock().advance(1.1)
        assert await reader.read() == b""
        writer.close()


def test_each_message_has_its_own_time() -> None:
    run_with_clock(_whole_in_time)


async def _rate() -> None:
    notes = Notes()
    server = AsyncServer(**notes.callbacks, framing=Lines(), limits=Limits(rate=10))
    async with server:
        _, writer = await asyncio.open_connection(*server.address)
        [connection] = (await server.wait_for_clients(1)).values()
        for number in range(20):  # a second ahead, and another for good measure
            writer.write(b"%d\n" % number)
            while connection.received <= number:
                await asyncio.sleep(0)
                if connection.received == number:
                    await clock().advance(0.01)
        assert len(notes.messages) == 20
        began = clock().time()
        for number in range(20, 120):
            writer.write(b"%d\n" % number)
            while connection.received <= number:
                await clock().advance(0.01)
        assert 9.5 < clock().time() - began < 11
        assert notes.messages == [str(number) for number in range(120)]
        writer.close()


def test_who_is_faster_than_the_rate_is_read_no_sooner() -> None:
    run_with_clock(_rate)


async def _rate_and_end() -> None:
    notes = Notes()
    server = AsyncServer(**notes.callbacks, limits=Limits(rate=1, idle_timeout=5))
    async with server:
        _, writer = await asyncio.open_connection(*server.address)
        writer.write(b"\n" * 100)
        await server.wait_for_clients(1)
        while len(notes.messages) < 100:
            await asyncio.sleep(0)
        await clock().advance(98)  # held for all that time, and so not silent
        assert server.clients
        server.disconnect(1)
        await clock().advance(10)
        assert notes.ends == [Reason.KICKED]
        writer.close()


def test_a_client_that_is_held_can_still_be_ended() -> None:
    run_with_clock(_rate_and_end)


def test_one_receive_returns_no_more_than_the_receive_buffer() -> None:
    notes = Notes()
    with Server(**notes.callbacks, framing=Raw(), receive_buffer=7) as server:
        with dial(server.address) as raw:
            raw.sendall(b"x" * 100)
            raw.shutdown(socket.SHUT_WR)
            assert read_until_gone(raw) == b""
        until(lambda: notes.ends)
    assert {len(piece) for piece in notes.messages} == {7, 2}
