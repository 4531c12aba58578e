"""Callbacks: on the server's own thread, in order for each client, and never one inside another."""

import asyncio
import functools
import gc
import socket
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from sockkit import AsyncServer, Client, Connection, Raw, Reason, Server, serving

from ..waiting import until
from .peers import Notes, dial, echo, fill, in_a_loop, read_to_end, slow_echo


def test_callbacks_come_in_order_and_on_the_servers_own_thread() -> None:
    threads = set()

    def note_thread(connection: Connection, text: str) -> None:
        threads.add(threading.current_thread())

    notes = Notes(note_thread)
    with Server(**notes.callbacks) as server, dial(server.address) as raw:
        raw.sendall(b"one\ntwo\nthree")
        raw.sendall(b"\n")
        raw.shutdown(socket.SHUT_WR)
        assert read_to_end(raw) == b""
        until(lambda: notes.ends)
    assert notes.entries == [
        ("connect", 1),
        ("message", 1, "one"),
        ("message", 1, "two"),
        ("message", 1, "three"),
        ("end", 1, Reason.CLOSED),
    ]
    [thread] = threads
    assert thread is not threading.current_thread()


def test_a_server_without_callbacks_listens_and_says_nothing() -> None:
    with Server() as server, dial(server.address) as raw:
        raw.sendall(b"hello\n")
        raw.shutdown(socket.SHUT_WR)
        assert read_to_end(raw) == b""


def test_the_end_is_never_told_inside_another_callback() -> None:
    inside: list[str] = []
    told_inside: list[list[str]] = []

    def on_message(connection: Connection, text: str) -> None:
        inside.append(text)
        if text == "leave":
            connection.close()
        elif text == "fail":
            inside.pop()
            raise ValueError
        inside.pop()

    def on_connect(connection: Connection) -> None:
        inside.append("connect")
        if len(server.clients) > 2:
            connection.close()
        inside.pop()

    def on_disconnect(connection: Connection, reason: Reason) -> None:
        told_inside.append(list(inside))

    server = Server(on_message, on_connect=on_connect, on_disconnect=on_disconnect)
    with server, dial(server.address) as one, dial(server.address) as two:
        one.sendall(b"leave\n")
        assert read_to_end(one) == b""
        two.sendall(b"hello\nleave\n")
        assert read_to_end(two) == b""
        until(lambda: not server.clients)
        with dial(server.address), dial(server.address), dial(server.address) as third:
            assert read_to_end(third) == b""
    assert told_inside == [[]] * 5


def test_a_kicked_client_says_no_more_even_in_what_was_received_already() -> None:
    def only_one(connection: Connection, text: str) -> None:
        connection.send(f"got {text}")
        connection.close()

    notes = Notes(only_one)
    with Server(**notes.callbacks) as server, dial(server.address) as raw:
        raw.sendall(b"one\ntwo\nthree\n")
        assert read_to_end(raw) == b"got one\n"
    assert notes.messages == ["one"]
    assert notes.ends == [Reason.KICKED]


# Coroutine functions.


def test_coroutine_callbacks_come_in_order_one_at_a_time() -> None:
    entries: list[Any] = []
    at_once = 0

    async def note(*entry: Any) -> None:
        nonlocal at_once
        at_once += 1
        assert at_once == 1
        await asyncio.sleep(0)
        entries.append(entry[1:])
        at_once -= 1

    with Server(note, on_connect=note, on_disconnect=note) as server, dial(server.address) as raw:
        for number in range(100):
            raw.sendall(b"%d\n" % number)
        raw.shutdown(socket.SHUT_WR)
        assert read_to_end(raw) == b""
        until(lambda: len(entries) == 102)
    assert entries == [(), *((str(number),) for number in range(100)), (Reason.CLOSED,)]


def test_a_client_whose_callback_waits_holds_up_nobody_else(gate: threading.Event) -> None:

    async def on_message(connection: Connection, text: str) -> None:
        if text == "wait":
            await asyncio.to_thread(gate.wait)
        connection.send(text)

    with Server(on_message) as server, Client(server.address) as one, Client(server.address) as two:
        one.send("wait")
        one.send("after")
        for number in range(100):
            two.send(str(number))
            assert two.recv() == str(number)
        with pytest.raises(TimeoutError):
            one.recv(timeout=0)
        gate.set()
        assert [one.recv(), one.recv()] == ["wait", "after"]


class Callback:
    """A callable object that cannot be hashed."""

    __hash__ = None  # type: ignore[assignment]

    async def __call__(self, connection: Connection, text: str) -> None:
        await slow_echo(connection, text)


class PlainCallback(Callback):
    def __call__(self, connection: Connection, text: str) -> None:  # type: ignore[override]
        connection.send(text)


KINDS: dict[str, Callable[..., object]] = {
    "a plain function": echo,
    "a coroutine function": slow_echo,
    "a function that returns a coroutine": lambda *arguments: slow_echo(*arguments),
    "a function that returns a task": lambda *a: asyncio.ensure_future(slow_echo(*a)),
    "an object with an async call": Callback(),
    "an object that cannot be hashed": PlainCallback(),
    "a bound method": Callback().__call__,
    "a partial": functools.partial(slow_echo),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_callable_will_do(kind: str) -> None:
    with Server(KINDS[kind]) as server, Client(server.address) as client:
        for number in range(200):
            client.send(str(number))
        client.send_eof()
        assert list(client) == [str(number) for number in range(200)]


def test_messages_wait_until_on_connect_has_ended(gate: threading.Event) -> None:
    entries = list[str]()

    async def on_connect(connection: Connection) -> None:
        await asyncio.to_thread(gate.wait)
        entries.append("connected")

    with (
        Server(lambda _, text: entries.append(text), on_connect=on_connect) as server,
        dial(server.address) as raw,
    ):
        [connection] = server.wait_for_clients(1).values()
        raw.sendall(b"hello\n")
        until(lambda: connection.received)
        assert entries == []
        gate.set()
        until(lambda: len(entries) == 2)
    assert entries == ["connected", "hello"]


def test_what_asyncio_offers_to_a_task_works_in_a_callback() -> None:
    async def on_message(connection: Connection, text: str) -> None:
        assert asyncio.current_task() is not None
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            connection.send("timeout")
        async with asyncio.TaskGroup() as group:
            group.create_task(slow_echo(connection, "group"))
        await asyncio.gather(slow_echo(connection, "gather"), asyncio.sleep(0))
        connection.send(await asyncio.wait_for(asyncio.to_thread(str, text), 20))
        asyncio.current_task().set_name(text)  # type: ignore[union-attr]

    with Server(on_message) as server, Client(server.address) as client:
        for text in ("one", "two"):
            client.send(text)
            assert [client.recv() for _ in range(4)] == ["timeout", "group", "gather", text]


def test_a_handler_that_lags_stops_the_reading_and_memory_stays_flat(gate: threading.Event) -> None:

    async def on_message(connection: Connection, data: bytes) -> None:
        await asyncio.to_thread(gate.wait)

    with Server(on_message, framing=Raw()) as server, dial(server.address) as raw:
        taken = fill(raw, bytes(1 << 16))
        [connection] = server.clients.values()
        assert connection.received_bytes <= 2 * (1 << 16)
        assert connection.received_bytes < taken < 1 << 30
        gate.set()
        until(lambda: connection.received_bytes == taken)


# Callbacks that hold the loop.


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Takes the loop's time without giving it back; by a clock of the test's own."""
    now = 0.0

    def hold(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(serving, "perf_counter", lambda: now)
    return hold


@pytest.mark.parametrize("at", ["before the first await", "after it", "without any", "plainly"])
def test_a_callback_that_holds_the_loop_is_named(
    at: str, hold: Callable[[float], None], log: pytest.LogCaptureFixture
) -> None:
    async def holds_the_loop(connection: Connection, text: str) -> None:
        if at != "after it":
            hold(float(text))
        if at != "without any":
            await asyncio.sleep(0)
        if at == "after it":
            hold(float(text))
        connection.send(text)

    def holds_it_plainly(connection: Connection, text: str) -> None:
        hold(float(text))
        connection.send(text)

    callback = holds_it_plainly if at == "plainly" else holds_the_loop
    with Server(callback) as server, Client(server.address) as client:
        for seconds in ("0.09", "0.15", "0.2", "0.31"):  # only twice as long is worth another line
            client.send(seconds)
            assert client.recv() == seconds
    warnings = [record.getMessage() for record in log.records if record.name == "sockkit"]
    assert [warning.partition(";")[0] for warning in warnings] == [
        f"{callback.__qualname__} held the event loop for {seconds} s (client 1)"
        for seconds in ("0.15", "0.31")
    ]


def test_a_callback_that_waits_holds_nobody(
    hold: Callable[[float], None], log: pytest.LogCaptureFixture, gate: threading.Event
) -> None:
    waiting = threading.Event()

    async def on_message(connection: Connection, text: str) -> None:
        waiting.set()
        await asyncio.to_thread(gate.wait)
        connection.send(text)

    with Server(on_message) as server, Client(server.address) as client:
        client.send("hello")
        waiting.wait()
        server.wait_for_clients(1)  # the loop was given back by now
        hold(100)
        gate.set()
        assert client.recv() == "hello"
    assert [record for record in log.records if record.name == "sockkit"] == []


@in_a_loop
async def test_in_a_loop_of_ones_own_callbacks_run_on_that_loop() -> None:
    loops = []

    async def on_message(connection: Connection, text: str) -> None:
        loops.append(asyncio.get_running_loop())
        connection.send(text)

    async with AsyncServer(on_message) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()
    assert loops == [asyncio.get_running_loop()]


@pytest.mark.parametrize("kind", ["plain", "coroutine", "waiting"])
def test_what_a_callback_sets_in_a_context_variable_is_its_clients_own(
    kind: str,
) -> None:
    user = ContextVar("user", default="nobody")

    def on_connect(connection: Connection) -> None:
        if connection.number == 1:
            user.set("the first")

    def answer(connection: Connection, text: str) -> None:
        if text != "?":
            user.set(text)
        connection.send(user.get())

    async def answer_at_once(connection: Connection, text: str) -> None:
        answer(connection, text)

    async def answer_later(connection: Connection, text: str) -> None:
        await asyncio.sleep(0)
        answer(connection, text)

    callback = {"plain": answer, "coroutine": answer_at_once, "waiting": answer_later}[kind]
    with (
        Server(callback, on_connect=on_connect) as server,
        Client(server.address) as first,
        Client(server.address) as second,
    ):
        for client, name in ((first, "the first"), (second, "nobody")):
            client.send("?")
            assert client.recv() == name
        for text in ("alice", "?", "?"):
            first.send(text)
            assert first.recv() == "alice"
            second.send("?")
            assert second.recv() == "nobody"


@pytest.mark.parametrize("text", ["hello\n", "hello\nand a message begun"])
@pytest.mark.parametrize("answer", [echo, slow_echo])
def test_a_client_in_a_context_variable_is_not_kept_when_it_has_gone(
    answer: Callable[..., object], text: str
) -> None:
    class Kept:
        """What a callback keeps of its client: what has gone with it, has gone."""

    current: ContextVar[Connection] = ContextVar("current")
    kept: list[weakref.ref[Kept]] = []

    def on_connect(connection: Connection) -> None:
        current.set(connection)
        connection.state.kept = Kept()
        kept.append(weakref.ref(connection.state.kept))

    gc.disable()  # no collector has to come
    try:
        with Server(answer, on_connect=on_connect) as server, dial(server.address) as raw:
            raw.sendall(text.encode())
            assert raw.recv(100) == b"hello\n"
            raw.close()
            until(lambda: kept[0]() is None)
    finally:
        gc.enable()


@pytest.mark.parametrize("waits", [False, True])
def test_one_function_may_be_told_of_messages_and_of_the_end(waits: bool) -> None:
    told: list[Any] = []

    async def note(connection: Connection, what: Any) -> None:
        if waits:
            await asyncio.sleep(0)
        told.append(what)

    with Server(note, on_disconnect=note) as server, Client(server.address) as client:
        client.send("hello")
        until(lambda: told)
        server.disconnect(1)
        until(lambda: len(told) == 2)
    assert told == ["hello", Reason.KICKED]


def test_what_a_callback_returned_is_awaited_though_its_client_was_closed() -> None:
    done: list[str] = []

    async def note(text: str) -> None:
        done.append(text)

    def close_and_go_on(connection: Connection, text: str) -> object:
        connection.close()
        return note(text)

    with Server(close_and_go_on) as server, dial(server.address) as raw:
        raw.sendall(b"one\ntwo\n")
        assert read_to_end(raw) == b""
        until(lambda: done)
    assert done == ["one"]
