"""A callback that raises ends its own client, is told in the log, and hurts nobody else."""

import asyncio
import functools
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from sockkit import AsyncClient, AsyncServer, Client, ClosedError, Connection, Reason, Server

from ..waiting import until
from .peers import dial, read_to_end


class Outcome(BaseException):
    """No Exception, like what pytest.fail raises."""


ERRORS = [
    ZeroDivisionError("mine"),
    SystemExit(3),
    asyncio.CancelledError(),
    KeyboardInterrupt(),  # not Ctrl-C: that comes to the main thread alone
    Outcome(),
]


def errors_in(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelname == "ERROR"]


def plain(error: BaseException) -> Callable[..., object]:
    def fails(*_: Any) -> None:
        raise error

    return fails


def at_once(error: BaseException) -> Callable[..., object]:
    async def fails(*_: Any) -> None:
        raise error

    return fails


def after_waiting(error: BaseException) -> Callable[..., object]:
    async def fails(*_: Any) -> None:
        await asyncio.sleep(0)
        raise error

    return fails


@pytest.mark.parametrize("where", ["on_connect", "on_message", "on_disconnect"])
def test_a_callback_without_a_name_is_told_as_what_it_is(
    where: str, log: pytest.LogCaptureFixture
) -> None:
    callback: Any = functools.partial(plain(ERRORS[0]), "of mine")
    with Server(**{where: callback}) as server, dial(server.address) as raw:
        raw.sendall(b"hello\n")
        server.wait_for_clients(0)
        if where == "on_disconnect":
            raw.close()
        until(lambda: errors_in(log))
    assert errors_in(log) == [f"{callback!r} failed for client 1"]
    log.clear()


KINDS = pytest.mark.parametrize("kind", [plain, at_once, after_waiting])


@KINDS
@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("where", ["on_connect", "on_message"])
def test_a_callback_that_raises_ends_its_client_alone(
    where: str,
    error: BaseException,
    kind: Callable[[BaseException], Callable[..., object]],
    log: pytest.LogCaptureFixture,
) -> None:
    fails, ends, messages = kind(error), list[tuple[int, Reason]](), list[str]()
    name = f"test_a_callback_that_raises_ends_its_client_alone.<locals>.{where}"

    def on_connect(connection: Connection) -> object:
        return fails(connection) if where == "on_connect" and connection.number == 2 else None

    def on_message(connection: Connection, text: str) -> object:
        messages.append(text)
        connection.send(text)
        return fails() if connection.number == 2 else None

    def on_disconnect(connection: Connection, reason: Reason) -> None:
        ends.append((connection.number, reason))

    server = Server(on_message, on_connect=on_connect, on_disconnect=on_disconnect)
    with server, Client(server.address) as neighbour:
        neighbour.send("before")
        assert neighbour.recv() == "before"
        with dial(server.address) as raw:
            raw.sendall(b"one\ntwo\n")
            assert read_to_end(raw) == (b"" if where == "on_connect" else b"one\n")
        until(lambda: ends)
        neighbour.send("after")
        assert neighbour.recv() == "after"
        assert ends == [(2, Reason.HANDLER_ERROR)]
    assert ends[1:] == [(1, Reason.CLOSED)]
    assert errors_in(log) == [f"{name} failed for client 2"]
    assert log.records[0].exc_info is not None
    heard = ["one"] if where == "on_message" else []
    assert messages == ["before", *heard, "after"]


@KINDS
def test_on_disconnect_may_raise_and_the_server_goes_on(
    kind: Callable[[BaseException], Callable[..., object]], log: pytest.LogCaptureFixture
) -> None:
    with Server(on_disconnect=kind(ZeroDivisionError("mine"))) as server:
        for _ in range(3):
            dial(server.address).close()
        until(lambda: len(errors_in(log)) == 3)
        assert not server.clients
    assert sorted(errors_in(log)) == [
        f"{kind.__name__}.<locals>.fails failed for client {number}" for number in (1, 2, 3)
    ]


def test_raising_on_every_tenth_message_leaves_a_server_that_works(
    log: pytest.LogCaptureFixture,
) -> None:
    count = 0

    def on_message(connection: Connection, text: str) -> None:
        nonlocal count
        count += 1
        if count % 10 == 0:
            raise ValueError(text)
        connection.send(text)

    with Server(on_message) as server:
        for _ in range(20):
            with dial(server.address) as raw:
                raw.sendall(b"hello\n" * 10)
                assert read_to_end(raw) == b"hello\n" * 9
    assert len(errors_in(log)) == 20


@KINDS
def test_ctrl_c_inside_a_callback_ends_a_program_with_its_own_loop(
    kind: Callable[[BaseException], Callable[..., object]], log: pytest.LogCaptureFixture
) -> None:
    ends: list[Reason] = []

    async def main() -> None:
        server = AsyncServer(
            kind(KeyboardInterrupt()), on_disconnect=lambda _, reason: ends.append(reason)
        )
        async with server, AsyncClient(server.address) as client:
            client.send("hello")
            await client.recv()

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert time.monotonic() - started < 1, "its callback was waited for, but is over"
    gc.collect()  # asyncio tells of the task whose exception this was
    assert ends == [Reason.CLOSED]
    assert [record for record in log.records if record.name == "sockkit"] == []


# Callbacks that do not return.


class Stubborn:
    """Coroutine callbacks that do not end when they are told to."""

    def __init__(self) -> None:
        self.over = False

    async def never_ends(self, connection: Connection, text: str) -> None:
        while not self.over:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue


def test_stop_ends_in_time_and_names_a_coroutine_that_never_returns(
    log: pytest.LogCaptureFixture,
) -> None:
    stubborn = Stubborn()
    with Server(stubborn.never_ends) as server, Client(server.address) as client:
        [connection] = server.wait_for_clients(1).values()
        client.send("hello")
        until(lambda: connection.received)
        started = time.monotonic()
        server.stop(grace=0.1)
        assert time.monotonic() - started < 0.1 + 2
    assert errors_in(log) == ["Stubborn.never_ends never returned for client 1; given up"]
    assert not server.running
    stubborn.over = True


def test_a_coroutine_that_can_be_cancelled_is_and_the_end_is_told(
    log: pytest.LogCaptureFixture,
) -> None:
    entries: list[Any] = []

    async def waits(connection: Connection, text: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            entries.append("cleaned up")

    async def on_disconnect(connection: Connection, reason: Reason) -> None:
        entries.append(reason)

    server = Server(waits, on_disconnect=on_disconnect)
    with server, Client(server.address) as client:
        [connection] = server.wait_for_clients(1).values()
        client.send("hello")
        client.send("never handled")
        until(lambda: connection.received)
        server.stop(grace=0.1)
    assert entries == ["cleaned up", Reason.SERVER_STOPPED]
    assert errors_in(log) == []
    assert "was still busy with client 1: cancelled" in log.text


def test_stop_names_a_callback_that_waits_in_a_client_of_ours(
    log: pytest.LogCaptureFixture,
) -> None:
    def asks_another_server(connection: Connection, text: str) -> None:
        other.recv(timeout=20)

    with (
        Server() as silent,
        Client(silent.address) as other,
        Server(asks_another_server) as server,
        Client(server.address) as client,
    ):
        connection = server.wait_for_clients(1)[1]
        client.send("hello")
        until(lambda: connection.received)
        server.stop(grace=0.1)
        [told] = errors_in(log)
        assert told.startswith("stop: asks_another_server does not return (line ")
        silent.broadcast("at last")
    log.clear()


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_stop_names_a_callback_that_holds_the_thread_itself(
    kind: str, gate: threading.Event, log: pytest.LogCaptureFixture
) -> None:
    def holds_the_thread(connection: Connection, text: str) -> None:
        if text == "hold":
            gate.wait()

    async def holds_the_thread_too(connection: Connection, text: str) -> None:
        holds_the_thread(connection, text)

    ends: list[Reason] = []
    left = lambda _, reason: ends.append(reason)  # noqa: E731
    callback = holds_the_thread if kind == "plain" else holds_the_thread_too
    server = Server(callback, on_disconnect=left)
    with server, dial(server.address) as raw:
        [connection] = server.wait_for_clients(1).values()
        raw.sendall(b"hold\n")
        until(lambda: connection.received)
        started = time.monotonic()
        server.stop(grace=0.1)
        assert time.monotonic() - started < 0.1 + 2
        [told] = errors_in(log)
        assert told.startswith(f"stop: {callback.__name__} does not return (line ")

        # Until the callback returns, this is a stopped server that cannot be started again.
        assert repr(server) == "<Server not running>"
        assert not server.running
        assert server.clients == {}
        for call in (
            lambda: server.address,
            lambda: server.send(1, "x"),
            lambda: server.broadcast("x"),
            lambda: server.disconnect(1),
            lambda: server.wait_for_clients(1),
        ):
            with pytest.raises(ClosedError):
                call()
        server.stop()
        with pytest.raises(RuntimeError, match="has still not returned"):
            server.start()

        gate.set()
        assert read_to_end(raw) == b""
    until(lambda: ends)
    assert ends == [Reason.SERVER_STOPPED]
    until(lambda: can_start(server))
    with server, Client(server.address):
        assert list(server.wait_for_clients(1)) == [2]


def can_start(server: Server) -> bool:
    try:
        server.start()
    except RuntimeError:
        return False
    return True
