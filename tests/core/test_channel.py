"""What only a look at the channel itself can show: names for its end, and turns of its loop."""

import asyncio
import errno
import socket
import ssl
from collections import deque
from typing import Any

import pytest

from sockkit import AsyncClient, AsyncServer, Connection, Raw, Reason, Server
from sockkit.channel import reason_of
from sockkit.limits import Limits

from ..waiting import until
from .clock import clock, run_with_clock
from .peers import Notes, dial, echo, in_a_loop, reset
from .secure import client_side, server_side


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (None, Reason.CLOSED),
        (BrokenPipeError(errno.EPIPE, "broken pipe"), Reason.CLOSED),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Reason.RESET),
        (ConnectionAbortedError(errno.ECONNABORTED, "aborted"), Reason.RESET),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), Reason.TIMED_OUT),
        (OSError(errno.EHOSTUNREACH, "no route"), Reason.TIMED_OUT),
        (OSError(errno.ENETUNREACH, "no network"), Reason.TIMED_OUT),
        (OSError(errno.ENETDOWN, "network down"), Reason.TIMED_OUT),
        (ssl.SSLError(1, "bad record"), Reason.PROTOCOL_ERROR),
        (OSError(errno.EIO, "anything else"), Reason.RESET),
        (RuntimeError("anything else"), Reason.RESET),
    ],
)
def test_each_error_of_the_system_means_one_end(
    error: BaseException | None, reason: Reason
) -> None:
    assert reason_of(error) is reason


def test_over_tls_a_kicked_client_says_no_more_either() -> None:
    inside = 0

    def on_message(connection: Connection, text: str) -> None:
        nonlocal inside
        assert inside == 0, "one callback inside another"
        inside += 1
        connection.close()  # asyncio reads the next record while it closes
        inside -= 1

    notes = Notes(on_message)
    server = Server(**notes.callbacks, ssl=server_side(), receive_buffer=4)
    with (
        server,
        client_side().wrap_socket(dial(server.address), server_hostname="127.0.0.1") as raw,
    ):
        raw.sendall(b"one\ntwo\nsix\n")
        until(lambda: notes.ends)
    assert notes.messages == ["one"]
    assert notes.ends == [Reason.KICKED]


def test_over_tls_a_coroutine_still_at_work_when_the_client_leaves_may_end() -> None:
    entries: list[Any] = []

    async def on_message(connection: Connection, text: str) -> None:
        while connection.reason is None:
            await asyncio.sleep(0)
        entries.append(connection.reason)

    left = lambda _, reason: entries.append(reason)  # noqa: E731
    with Server(on_message, on_disconnect=left, ssl=server_side()) as server:
        raw = client_side().wrap_socket(dial(server.address), server_hostname="127.0.0.1")
        raw.sendall(b"hello\n")
        [connection] = server.wait_for_clients(1).values()
        until(lambda: connection.received)
        raw.close()
        until(lambda: len(entries) == 2)
    assert entries in ([Reason.CLOSED] * 2, [Reason.RESET] * 2)


@in_a_loop
async def test_over_tls_it_may_end_while_asyncio_closes_by_itself() -> None:
    ends: list[Reason] = []

    async def on_message(connection: Connection, text: str) -> None:
        while not connection._channel.transport.is_closing():
            await asyncio.sleep(0)
        assert connection.reason is None

    left = lambda _, reason: ends.append(reason)  # noqa: E731
    async with AsyncServer(on_message, on_disconnect=left, ssl=server_side()) as server:
        _, writer = await asyncio.open_connection(
            *server.address, ssl=client_side(), server_hostname="127.0.0.1"
        )
        writer.write(b"hello\n")
        [connection] = (await server.wait_for_clients(1)).values()
        while not connection.received:
            await asyncio.sleep(0)
        writer.close()
        while not ends:
            await asyncio.sleep(0)
    assert ends == [Reason.CLOSED]


@in_a_loop
async def test_what_is_sent_and_ended_in_one_turn_leaves_whole() -> None:
    async with AsyncServer(echo) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        [connection] = (await server.wait_for_clients(1)).values()
        connection.send("one")
        connection.send("two")
        connection.close()
        assert await reader.read() == b"one\ntwo\n"
        assert (connection.sent, connection.sent_bytes) == (2, 8)
        writer.close()


@in_a_loop
async def test_a_client_wakes_its_reader_once_however_often_it_is_told_to_read_on() -> None:
    async with AsyncServer(echo) as server, AsyncClient(server.address) as client:
        channel = client._channel
        assert channel is not None
        channel._read_on()  # as two threads do that have taken the last message together
        client.send("hello")
        assert await client.recv() == "hello"


class Around:
    """A transport, and what a test does in its place."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


@in_a_loop
async def test_what_waits_can_be_asked_from_a_thread_while_asyncio_writes() -> None:
    pieces = deque([b"one", b"two", b"three"])

    class Writing(Around):
        def get_write_buffer_size(self) -> int:
            """As asyncio does since 3.12; and the first time, its thread comes in between."""
            sizes = map(len, pieces)
            if len(pieces) == 3:
                pieces.popleft()
            return sum(sizes)

    async with AsyncServer(echo) as server, AsyncClient(server.address) as client:
        channel = client._channel
        assert channel is not None
        channel.transport = Writing(channel.transport)  # type: ignore[assignment]
        assert client.pending == 8


@in_a_loop
async def test_what_the_kernel_is_just_taking_waits_still() -> None:
    waiting: list[int] = []

    class Watched(Around):
        def write(self, data: bytes) -> None:
            waiting.append(client.pending)
            self._transport.write(data)

    async with AsyncServer(echo) as server, AsyncClient(server.address) as client:
        channel = client._channel
        assert channel is not None
        channel.transport = Watched(channel.transport)  # type: ignore[assignment]
        client.send("hello")
        assert await client.recv() == "hello"
        assert waiting == [6]
        assert client.pending == 0


@pytest.mark.parametrize("half", [True, False])
@in_a_loop
async def test_a_reset_that_comes_just_before_the_end_does_no_harm(half: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with AsyncClient(listener.getsockname()) as client:
            peer, _ = listener.accept()
            reset(peer)  # the system knows, and our loop has had no turn to hear of it
            if half:
                client.send_eof()
                while client.reason is None:
                    await asyncio.sleep(0)
                assert client.reason is Reason.RESET
            else:
                await client.close()
                assert not client.connected


@in_a_loop
async def test_after_a_reset_there_is_no_half_to_close() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with AsyncClient(listener.getsockname()) as client:
            peer, _ = listener.accept()
            reset(peer)
            while client.reason is None:
                await asyncio.sleep(0)
            client.send_eof()
            await asyncio.sleep(0)
            assert client.reason is Reason.RESET


@in_a_loop
async def test_a_second_start_while_a_name_is_looked_up_is_the_first_one() -> None:
    server = AsyncServer(host="localhost")
    await asyncio.gather(*(server.start() for _ in range(5)))
    address = server.address
    assert await server.start() is server
    assert server.address == address
    await server.stop()
    await asyncio.get_running_loop().shutdown_default_executor()


# Last words that were taken late, after a part of them had waited.

LONG = "x" * 8_000_000  # more than the kernel's buffers hold
PATIENT = Limits(max_pending=1 << 30)


async def _last_words_taken_late() -> None:
    async with AsyncServer(limits=PATIENT) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        [connection] = (await server.wait_for_clients(1)).values()
        connection.send(LONG)
        connection.close()
        assert connection.pending
        assert len(await reader.read()) == len(LONG) + 1
        writer.close()
        await clock().advance(2 * PATIENT.linger)


def test_the_time_for_last_words_ends_without_a_word_if_they_were_taken() -> None:
    run_with_clock(_last_words_taken_late)  # the log is looked at by a fixture


@in_a_loop
async def test_stop_gives_up_a_callback_whose_client_took_its_last_words_late() -> None:
    async def waits(connection: Connection, text: str) -> None:
        connection.send(LONG)
        connection.close()
        await asyncio.Event().wait()

    async with AsyncServer(waits, limits=PATIENT) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"hello\n")
        assert len(await reader.read()) == len(LONG) + 1
        writer.close()
        await server.stop(grace=0)


@in_a_loop
async def test_what_is_read_after_a_broken_write_comes_in_pieces_of_a_receive() -> None:
    messages: list[bytes] = []
    server = AsyncServer(lambda _, data: messages.append(data), framing=Raw(), receive_buffer=4)
    async with server:
        raw = dial(server.address)
        [connection] = (await server.wait_for_clients(1)).values()
        raw.sendall(b"0123456789")
        reset(raw)
        connection.send(b"nobody will read this")
        while connection.reason is None:
            connection._channel.flush()  # before the loop looks at what came
            await asyncio.sleep(0)
    assert b"".join(messages) == b"0123456789"
    assert max(map(len, messages)) == 4
