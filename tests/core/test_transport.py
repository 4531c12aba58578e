"""The transport of the server's channels does what asyncio's own would do."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from sockkit import AsyncServer, Limits, Raw, Reason, door
from sockkit.poller import Poller, Readers
from sockkit.transport import SocketTransport

from ..waiting import turns_until
from .peers import Notes, dial, echo, in_a_loop, reset
from .secure import client_side, server_side

BIG = bytes(range(256)) * 40_000  # more than the kernel's buffers hold
RECEIVE_BUFFER = 1000


class Told(asyncio.Protocol):
    """A protocol that writes down what it is told."""

    def __init__(self, keep_open: bool = True) -> None:
        self.told: list[Any] = []
        self.keep_open = keep_open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> bool:
        self.told.append("eof")
        return self.keep_open

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.told.append(("lost", exc))


@pytest.fixture(autouse=True, params=[True, False], ids=["by a poller", "by the loop"])
def read_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs twice: on Linux, and as where there is no epoll."""
    if request.param and not door.HAS_EPOLL:
        pytest.skip("there is no epoll here")
    monkeypatch.setattr(door, "HAS_EPOLL", request.param)


@contextlib.contextmanager
def readers_of(loop: asyncio.AbstractEventLoop) -> Iterator[Readers]:
    """What a door would take."""
    if not door.HAS_EPOLL:
        yield loop
        return
    poller = Poller(loop)
    yield poller
    poller.close()


@contextlib.contextmanager
def carried(protocol: Told) -> Iterator[tuple[SocketTransport, socket.socket]]:
    """A transport with that protocol, and the other end; both are closed afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname(), timeout=20)
        connection, _ = listener.accept()
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    with peer, connection, readers_of(loop) as readers:
        transport = SocketTransport(loop, connection, protocol, readers, RECEIVE_BUFFER)
        yield transport, peer
        transport.abort()
        peer.close()


@in_a_loop
async def test_no_receive_returns_more_than_was_asked_for() -> None:
    protocol = Told()
    with carried(protocol) as (_, peer):
        peer.sendall(BIG[:2500])
        await turns_until(lambda: sum(map(len, protocol.told[1:])) == 2500)
        assert max(map(len, protocol.told[1:])) == RECEIVE_BUFFER
        assert b"".join(protocol.told[1:]) == BIG[:2500]


@in_a_loop
async def test_it_reads_and_writes_until_both_have_closed() -> None:
    protocol = Told(keep_open=False)
    with carried(protocol) as (transport, peer):
        assert transport.is_reading()
        peer.sendall(b"hello")
        await turns_until(lambda: b"hello" in protocol.told)
        transport.write(b"hi")
        assert peer.recv(10) == b"hi"
        peer.shutdown(socket.SHUT_WR)
        await turns_until(lambda: ("lost", None) in protocol.told)
        assert peer.recv(10) == b""
        assert transport.is_closing()
        transport.write(b"nobody")
        transport.close()
    assert protocol.told == ["made", b"hello", "eof", ("lost", None)]


@in_a_loop
async def test_what_does_not_fit_waits_and_leaves_in_order_before_the_end() -> None:
    protocol = Told()
    with carried(protocol) as (transport, peer):
        transport.write(BIG)
        waiting = transport.get_write_buffer_size()
        assert protocol.told == ["made", "pause"]
        transport.write(b"the last word")
        assert transport.get_write_buffer_size() == waiting + 13
        transport.close()
        received = bytearray()
        while data := await asyncio.to_thread(peer.recv, 1 << 20):
            received += data
        assert bytes(received) == BIG + b"the last word"
        await turns_until(lambda: ("lost", None) in protocol.told)
        assert transport.get_write_buffer_size() == 0
    assert protocol.told == ["made", "pause", "resume", ("lost", None)]
    await asyncio.get_running_loop().shutdown_default_executor()


@in_a_loop
async def test_an_abort_drops_what_waits() -> None:
    protocol = Told()
    with carried(protocol) as (transport, _):
        transport.write(BIG)
        transport.abort()
        assert transport.get_write_buffer_size() == 0
        await turns_until(lambda: ("lost", None) in protocol.told)


@in_a_loop
async def test_a_reset_is_told_by_its_error_whether_it_reads_or_writes() -> None:
    for waiting in (b"", BIG):
        protocol = Told()
        with carried(protocol) as (transport, peer):
            transport.write(waiting)
            if waiting:
                transport.pause_reading()
            reset(peer)
            await turns_until(lambda told=protocol.told: isinstance(told[-1], tuple))
        assert isinstance(protocol.told[-1][1], ConnectionError)


@in_a_loop
async def test_fin_is_told_once_however_often_it_is_told_to_read_on() -> None:
    protocol = Told()
    with carried(protocol) as (transport, peer):
        peer.shutdown(socket.SHUT_WR)
        await turns_until(lambda: "eof" in protocol.told)
        for _ in range(3):
            transport.pause_reading()
            transport.resume_reading()
            await asyncio.sleep(0)
        transport.write(b"still open")
        assert peer.recv(20) == b"still open"
    assert protocol.told == ["made", "eof"]


@in_a_loop
async def test_what_came_while_it_did_not_read_is_read_later() -> None:
    protocol = Told()
    with carried(protocol) as (transport, peer):
        transport.pause_reading()
        peer.sendall(b"later")
        for _ in range(5):
            await asyncio.sleep(0)
        assert protocol.told == ["made"]
        transport.resume_reading()
        await turns_until(lambda: protocol.told == ["made", b"later"])


def test_a_protocol_that_fails_loses_its_connection_and_is_told_of(
    log: pytest.LogCaptureFixture,
) -> None:
    class Failing(Told):
        def data_received(self, data: bytes) -> None:
            raise ValueError("as the test wants it")

    async def main() -> None:
        protocol = Failing()
        with carried(protocol) as (_, peer):
            peer.sendall(b"hello")
            await turns_until(lambda: isinstance(protocol.told[-1], tuple))
            assert isinstance(protocol.told[-1][1], ValueError)

    asyncio.run(main())
    assert "a protocol failed" in log.text


def test_a_socket_that_cannot_be_watched_is_lost(log: pytest.LogCaptureFixture) -> None:
    class Exhausted:
        def add_reader(self, fd: int, callback: object) -> None:
            raise OSError(errno.ENOSPC, "the system watches no more for this user")

        def remove_reader(self, fd: int) -> None:
            raise AssertionError("it was not watched")

    async def main() -> None:
        protocol, loop = Told(), asyncio.get_running_loop()
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            dial(listener.getsockname()) as peer,
        ):
            SocketTransport(loop, listener.accept()[0], protocol, Exhausted(), 100)
            await turns_until(lambda: isinstance(protocol.told[-1], tuple))
            assert peer.recv(100) == b""

    asyncio.run(main())
    assert "a socket cannot be watched" in log.text


def test_one_that_cannot_be_watched_for_writing_is_lost_and_no_other(
    log: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        notes, loop = Notes(), asyncio.get_running_loop()
        limits = Limits(max_pending=len(BIG))
        async with AsyncServer(**notes.callbacks, framing=Raw(), limits=limits) as server:
            with dial(server.address), dial(server.address) as other:
                await server.wait_for_clients(2)
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(loop, "add_writer", exhausted)
                    server.send(1, BIG)
                    server.send(2, b"hello")  # in the same turn
                    await turns_until(lambda: notes.ends)
                assert other.recv(100) == b"hello"
                assert (notes.ends, list(server.clients)) == ([Reason.RESET], [2])

    def exhausted(fd: int, callback: object) -> None:
        raise OSError(errno.ENOSPC, "the system watches no more for this user")

    asyncio.run(main())
    assert "a socket cannot be watched" in log.text


@in_a_loop
async def test_over_tls_the_loop_brings_its_own() -> None:
    for ssl, ours in ((None, True), (server_side(), False)):
        async with AsyncServer(echo, framing=Raw(), ssl=ssl) as server:
            client = client_side() if ssl else None
            _, writer = await asyncio.open_connection(
                *server.address, ssl=client, server_hostname="127.0.0.1" if ssl else None
            )
            [connection] = (await server.wait_for_clients(1)).values()
            assert isinstance(connection._channel.transport, SocketTransport) is ours
            writer.close()


class Abrupt(Told):
    """A protocol that has had enough as soon as it may write again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport = transport

    def resume_writing(self) -> None:
        super().resume_writing()
        self.transport.abort()  # type: ignore[attr-defined]


@in_a_loop
async def test_an_end_in_the_midst_of_writing_on_leaves_no_writer_behind() -> None:
    loop, protocol = asyncio.get_running_loop(), Abrupt()
    with carried(protocol) as (transport, peer):
        handle = transport.get_extra_info("socket").fileno()
        transport.write(BIG)
        peer.setblocking(False)
        while protocol.told[-1] != ("lost", None):
            with contextlib.suppress(BlockingIOError):
                peer.recv(1 << 20)
            await asyncio.sleep(0)
        assert not loop.remove_writer(handle), "it would be called without a protocol"
