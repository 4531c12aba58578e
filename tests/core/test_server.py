"""The life of a server: start, stop, and again; every mistake has a clear error, and none hangs."""

import asyncio
import concurrent.futures
import contextlib
import errno
import gc
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from sockkit import (
    AsyncClient,
    AsyncServer,
    Client,
    ClosedError,
    Connection,
    Lines,
    Reason,
    Server,
    Started,
    Stopped,
)
from sockkit import (
    server as server_module,
)

from ..faults.memory import Held, held
from ..waiting import until
from .peers import (
    Notes,
    dial,
    echo,
    in_a_loop,
    interrupted_while_waiting,
    needs_signals,
    read_to_end,
)


def test_start_returns_the_server_and_a_second_start_changes_nothing() -> None:
    server = Server(echo)
    assert not server.running
    assert server.start() is server
    address = server.address
    assert server.start() is server
    assert server.address == address
    assert server.running
    server.stop()
    assert not server.running


def test_with_starts_and_stops() -> None:
    with Server() as server:
        assert server.running
    assert not server.running


def test_stop_before_start_and_twice_does_nothing() -> None:
    server = Server()
    server.stop()
    server.start()
    server.stop()
    server.stop()


def test_a_stopped_server_starts_again_on_the_same_port_and_numbers_go_on() -> None:
    notes = Notes(echo)
    with Server(**notes.callbacks) as first:
        port = first.address[1]
    server = Server(**notes.callbacks, port=port)
    for expected in (1, 2, 3):
        with server, Client(server.address) as client:
            assert list(server.wait_for_clients(1)) == [expected]
            client.send("hello")
            assert client.recv() == "hello"
            assert server.address == ("127.0.0.1", port)
            server.stop()
            assert list(client) == []
            assert client.reason is Reason.CLOSED


def test_a_server_that_does_not_run_says_so() -> None:
    never, stopped = Server(), Server().start()
    stopped.stop()
    for server in (never, stopped):
        for call in (
            lambda server=server: server.address,
            lambda server=server: server.send(1, "x"),
            lambda server=server: server.broadcast("x"),
            lambda server=server: server.disconnect(1),
            lambda server=server: server.wait_for_clients(1),
        ):
            with pytest.raises(ClosedError, match="start"):
                call()
        assert server.clients == {}
        assert repr(server) == "<Server not running>"


@in_a_loop
async def test_so_does_one_in_a_loop_of_ones_own() -> None:
    server = AsyncServer()
    for call in (
        lambda: server.address,
        lambda: server.send(1, "x"),
        lambda: server.broadcast("x"),
        lambda: server.disconnect(1),
    ):
        with pytest.raises(ClosedError, match="start"):
            call()
    with pytest.raises(ClosedError, match="start"):
        await server.wait_for_clients(1)
    assert server.clients == {}
    assert repr(server) == "<AsyncServer not running>"


def test_a_port_in_use_is_said_to_be_so_and_the_first_server_lives_on() -> None:
    with Server(echo) as first, Client(first.address) as client:
        second = Server(port=first.address[1])
        for _ in range(2):
            with pytest.raises(OSError, match=r"your own .* has this port"):
                second.start()
            assert not second.running
        client.send("hello")
        assert client.recv() == "hello"
    second.start()  # now it is free
    second.stop()


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"host": "no.such.host.invalid"}, OSError, "cannot listen on no.such.host.invalid:0"),
        ({"port": 70_000}, ValueError, "from 0 to 65535, not 70000"),
        ({"on_message": 5}, TypeError, "a callback is a function; this is 5"),
        ({"on_connect": "x"}, TypeError, "a callback is a function; this is 'x'"),
        ({"framing": Lines}, TypeError, r"a framing is an object such as Lines\(\)"),
        ({"framing": "utf-8"}, TypeError, r"a framing is an object such as Lines\(\)"),
        ({"ssl": True}, TypeError, "ssl is an ssl.SSLContext; this is True"),
        ({"receive_buffer": 0}, ValueError, "at least 1 byte, not 0"),
        ({"receive_buffer": "big"}, TypeError, "not supported between"),
        ({"token": ""}, ValueError, "a token is one line"),
    ],
)
def test_a_wrong_argument_is_told_before_anybody_is_served(
    wrong: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        Server(**wrong).start()


@pytest.mark.parametrize("grace", ["soon", None])
def test_a_wrong_grace_is_an_error_that_stops_nothing(grace: Any) -> None:
    with Server(echo) as server, Client(server.address) as client:
        with pytest.raises(TypeError):
            server.stop(grace)
        client.send("hello")
        assert client.recv() == "hello"


@in_a_loop
async def test_nor_in_a_loop_of_ones_own() -> None:
    async with AsyncServer(echo) as server:
        with pytest.raises(TypeError):
            await server.stop(grace="soon")  # type: ignore[arg-type]
        async with AsyncClient(server.address) as client:
            client.send("hello")
            assert await client.recv() == "hello"
        assert server.running
    assert not server.running


def test_a_server_that_others_can_reach_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "is_loopback", lambda host: False)
    with pytest.warns(RuntimeWarning, match="without TLS and a token"), Server():
        pass
    with pytest.warns(RuntimeWarning, match="without TLS$"), Server(token="secret"):
        pass


def test_where_the_warning_is_an_error_nothing_is_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "is_loopback", lambda host: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning):
            Server().start()


# Stopping.


def test_stop_tells_every_client_and_every_callback() -> None:
    notes = Notes()
    server = Server(**notes.callbacks)
    with server, dial(server.address) as one, dial(server.address) as two:
        server.wait_for_clients(2)
        server.stop()
        assert read_to_end(one) == read_to_end(two) == b""
    assert notes.ends == [Reason.SERVER_STOPPED] * 2


def test_what_was_accepted_before_a_stop_is_delivered() -> None:
    with Server() as server, dial(server.address) as raw:
        server.wait_for_clients(1)
        for number in range(10_000):
            server.send(1, str(number))
        received: list[bytes] = []
        reader = threading.Thread(target=lambda: received.append(read_to_end(raw)))
        reader.start()
        server.stop()
        reader.join()
    assert b"".join(received) == b"".join(b"%d\n" % number for number in range(10_000))


def test_callbacks_at_work_have_the_time_of_grace() -> None:
    async def on_message(connection: Connection, text: str) -> None:
        await asyncio.sleep(0.1)
        connection.send(text)

    with Server(on_message) as server, Client(server.address) as client:
        client.send("hello")
        [connection] = server.wait_for_clients(1).values()
        until(lambda: connection.received)
        server.stop(grace=20)
        assert list(client) == ["hello"]


def test_replies_that_nobody_takes_are_dropped_when_the_grace_is_over() -> None:
    with Server() as server, dial(server.address, receive_buffer=4096) as raw:
        [connection] = server.wait_for_clients(1).values()
        server.send(1, "x" * 50_000_000)
        until(lambda: connection.pending)
        started = time.monotonic()
        server.stop(grace=0.1)
        assert time.monotonic() - started < 0.1 + 2
        with pytest.raises(ConnectionResetError):  # not half of it, and then the end
            read_to_end(raw)


def test_stop_from_32_threads_at_once_returns_to_all_of_them() -> None:
    for _ in range(10):
        notes = Notes()
        server = Server(**notes.callbacks).start()
        barrier = threading.Barrier(32)

        def stop(server: Server, barrier: threading.Barrier) -> None:
            barrier.wait()
            server.stop()

        with (
            dial(server.address),
            concurrent.futures.ThreadPoolExecutor(32) as pool,
        ):
            server.wait_for_clients(1)
            for stopping in [pool.submit(stop, server, barrier) for _ in range(32)]:
                stopping.result(timeout=20)
        assert notes.ends == [Reason.SERVER_STOPPED]


def test_start_and_stop_from_many_threads_in_any_order_end_in_a_working_server() -> None:
    server = Server(echo)

    def change(number: int) -> None:
        for _ in range(5):
            server.start() if number % 2 else server.stop()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for change_done in [pool.submit(change, number) for number in range(8)]:
            change_done.result(timeout=20)
    with server, Client(server.address) as client:
        client.send("hello")
        assert client.recv() == "hello"


def test_whoever_waits_for_clients_hears_of_the_stop() -> None:
    with Server() as server, concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(server.wait_for_clients, 1, 20)
        until(lambda: waiting.running())
        server.stop()
        with pytest.raises(ClosedError):
            waiting.result(timeout=20)


def test_sends_that_cross_a_stop_are_accepted_or_refused() -> None:
    for _ in range(20):
        with Server() as server, dial(server.address):
            server.wait_for_clients(1)
            over = threading.Event()

            def send_on(server: Server, over: threading.Event) -> str:
                while not over.is_set():
                    try:
                        server.send(1, "x")
                        server.broadcast("y")
                    except (ClosedError, LookupError, ConnectionError):
                        return "refused"
                return "never refused"

            with concurrent.futures.ThreadPoolExecutor() as pool:
                sending = [pool.submit(send_on, server, over) for _ in range(4)]
                server.stop()
                over.set()
                assert {thread.result(20) for thread in sending} <= {"refused", "never refused"}


def test_newcomers_who_cross_a_stop_leave_nothing_open() -> None:
    for _ in range(20):
        with Server() as server:
            raws = [dial(server.address) for _ in range(50)]
            server.stop()
        for raw in raws:
            with contextlib.suppress(ConnectionError):
                assert raw.recv(1) == b""
            raw.close()
    gc.collect()  # names whoever was not closed


def test_a_thousand_starts_and_stops_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYTHONASYNCIODEBUG")  # it costs more than all of them
    server = Server(echo)

    def cycle(count: int) -> tuple[int, Held]:
        for _ in range(count):
            with server, dial(server.address) as raw:
                raw.sendall(b"hello\n")
                assert raw.recv(10) == b"hello\n"
        return threading.active_count(), held()

    cycle(200)
    threads, memory = cycle(100)
    threads_later, memory_later = cycle(700)
    assert threads_later == threads
    assert memory_later.blocks - memory.blocks < 700  # less than one for each of them
    # A loop is some 50 KB, a receive buffer 64 KiB.
    assert memory_later.allocated - memory.allocated < 2_000_000
    # open descriptors are compared after every test


# Inside callbacks.


def test_what_would_wait_for_itself_raises_at_once_inside_a_callback() -> None:
    raised: list[str] = []

    def on_message(connection: Connection, text: str) -> None:
        for call in (server.start, server.stop, lambda: server.wait_for_clients(1)):
            try:
                call()
            except RuntimeError as error:
                raised.append(str(error))
        connection.send(str(server.broadcast(text)))

    async def on_message_too(connection: Connection, text: str) -> None:
        await asyncio.sleep(0)
        on_message(connection, text)

    for callback in (on_message, on_message_too):
        server = Server(callback)
        with server, Client(server.address) as client:
            client.send("hello")
            assert [client.recv(), client.recv()] == ["hello", "1"]
    assert len(raised) == 6
    assert all("would wait for the very thread" in text for text in raised)


@in_a_loop
async def test_in_a_loop_of_ones_own_a_callback_may_stop_its_server() -> None:
    entries: list[Any] = []

    async def on_message(connection: Connection, text: str) -> None:
        await server.stop()
        entries.append("stopped")

    async def on_disconnect(connection: Connection, reason: Reason) -> None:
        entries.append(reason)

    server = AsyncServer(on_message, on_disconnect=on_disconnect)
    async with server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"stop\n")
        async with asyncio.timeout(5):  # much less than if it waited for itself
            assert await reader.read() == b""
            while len(entries) < 2:
                await asyncio.sleep(0)
        writer.close()
    assert entries == ["stopped", Reason.SERVER_STOPPED]


@in_a_loop
async def test_several_callbacks_may_stop_their_server_at_once() -> None:
    stopped: list[int] = []

    async def on_message(connection: Connection, text: str) -> None:
        await server.stop(grace=1000)
        stopped.append(connection.number)

    server = AsyncServer(on_message)
    async with server:
        clients = [await AsyncClient(server.address).connect() for _ in range(3)]
        for client in clients:
            client.send("stop")
        async with asyncio.timeout(20):  # much less than if they waited for each other
            while len(stopped) < 3:
                await asyncio.sleep(0)
        for client in clients:
            await client.close()
    assert not server.running


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_server_whose_loop_was_closed_says_that_it_is_lost() -> None:
    server = AsyncServer()
    asyncio.run(server.start())
    for call in (server.start, server.stop):
        with pytest.raises(RuntimeError, match=r"was closed before stop\(\)"):
            asyncio.run(call())
    server._door._listener.close()


def test_a_stop_may_have_all_the_time_in_the_world() -> None:
    async def wait_a_little(connection: Connection, text: str) -> None:
        await asyncio.sleep(0.05)
        connection.send("done")

    with Server(wait_a_little) as server, Client(server.address) as client:
        [connection] = server.wait_for_clients(1).values()
        client.send("hello")
        until(lambda: connection.received)
        server.stop(grace=float("inf"))
        assert not server.running
        assert client.recv() == "done"


@in_a_loop
async def test_starting_and_stopping_at_the_same_time_is_sorted_out() -> None:
    server = AsyncServer(echo)
    records: list[Any] = []
    server.observe(records.append)
    await asyncio.gather(server.start(), server.start(), server.start())
    await asyncio.gather(server.stop(), server.start(), server.stop(), server.start())
    assert server.running
    await asyncio.gather(server.stop(), server.stop())
    assert not server.running
    assert [type(record) for record in records] == [Started, Stopped] * 2


@needs_signals
def test_an_interrupt_while_waiting_for_clients_leaves_the_server_alive() -> None:
    with Server(echo) as server, Client(server.address) as client:
        with pytest.raises(KeyboardInterrupt), interrupted_while_waiting():
            server.wait_for_clients(100, timeout=20)
        client.send("hello")
        assert client.recv() == "hello"


@contextlib.contextmanager
def server_with_much_to_send() -> Iterator[Server]:
    with Server() as server, dial(server.address, receive_buffer=4096):
        [connection] = server.wait_for_clients(1).values()
        server.send(1, "x" * 50_000_000)
        until(lambda: connection.pending)
        yield server


@needs_signals
def test_an_interrupt_while_stopping_leaves_a_server_that_can_be_stopped() -> None:
    with server_with_much_to_send() as server:
        with pytest.raises(KeyboardInterrupt), interrupted_while_waiting():
            server.stop(grace=1000)
        server.stop(grace=0)
        assert not server.running


@needs_signals
def test_a_signals_handler_may_stop_a_server_that_is_being_stopped() -> None:
    with server_with_much_to_send() as server:
        before = signal.signal(signal.SIGINT, lambda *_: server.stop(grace=0))
        try:
            with interrupted_while_waiting():
                server.stop(grace=1000)
        finally:
            signal.signal(signal.SIGINT, before)
        assert not server.running


@needs_signals
def test_it_may_even_start_it_again() -> None:
    def start_again(*_: object) -> None:
        server.stop(grace=0)
        server.start()

    with server_with_much_to_send() as server:
        before = signal.signal(signal.SIGINT, start_again)
        try:
            with interrupted_while_waiting():
                server.stop(grace=1000)
        finally:
            signal.signal(signal.SIGINT, before)
        assert server.running
    assert not server.running


@in_a_loop
async def test_the_first_to_lose_its_patience_counts() -> None:
    server = AsyncServer()
    async with server:
        _, writer = await asyncio.open_connection(*server.address)
        await server.wait_for_clients(1)
        server.send(1, "x" * 50_000_000)
        waiting = [asyncio.create_task(server.stop(grace)) for grace in (1000, 2000)]
        await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await server.stop(grace=0)
            await asyncio.gather(*waiting)
        writer.close()


def test_among_threads_too_the_first_to_lose_its_patience_counts() -> None:
    with server_with_much_to_send() as server:
        patient = threading.Thread(target=server.stop, args=(1000,))
        patient.start()
        until(lambda: server._server._stopping)
        server.stop(grace=0)
        assert not server.running
        patient.join()


def test_who_has_no_patience_does_not_wait_for_a_callback_that_holds_the_thread(
    gate: threading.Event, log: pytest.LogCaptureFixture
) -> None:
    held = threading.Event()

    def hold(connection: Connection, text: str) -> None:
        held.set()
        gate.wait()

    with Server(hold) as server, dial(server.address) as raw:
        raw.sendall(b"hello\n")
        held.wait()
        patient = threading.Thread(target=server.stop, args=(1000,))
        patient.start()
        until(lambda: server._portal and server._portal._unanswered)  # it waits for the thread
        server.stop(grace=0)
        assert "does not return" in log.text
        gate.set()
        patient.join()
        assert not server.running
    log.clear()


def test_a_port_that_a_server_of_ours_has_is_told_with_its_name() -> None:
    with Server(echo) as first:
        port = first.address[1]
        with pytest.raises(OSError, match=f"your own <Server 127.0.0.1:{port}, 0 clients>") as told:
            Server(echo, port=port).start()
        assert told.value.errno == errno.EADDRINUSE
        assert first.running
    with Server(echo, port=port):  # as it said: stop() first
        pass


def test_a_port_that_a_stranger_has_is_told_as_such() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as stranger,
        Server(echo),
        pytest.raises(OSError, match=r"in use\. Another server has this port"),
    ):
        Server(echo, port=stranger.getsockname()[1]).start()


# Forgotten.


def test_a_forgotten_server_warns_and_its_port_becomes_free() -> None:
    servers = [Server(echo).start()]
    address = servers[0].address
    with dial(address) as raw:
        with pytest.warns(ResourceWarning, match="forgotten, and now stopped: <Server 127"):
            servers.clear()
        assert read_to_end(raw) == b""
    until(lambda: is_free(address))


def test_so_it_does_where_that_warning_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: raised.append(args.exc_type))
    servers = [Server(echo).start()]
    address = servers[0].address
    servers.clear()
    assert raised == [ResourceWarning]
    until(lambda: is_free(address))


def test_the_log_tells_of_it_where_that_warning_is_hidden(caplog: pytest.LogCaptureFixture) -> None:
    servers = [Server(echo).start()]
    address = servers[0].address
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        servers.clear()
    (told,) = caplog.messages
    assert told.startswith("forgotten, and now stopped: <Server 127.0.0.1:")
    until(lambda: is_free(address))


def test_the_log_does_not_repeat_the_warning_where_it_is_seen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    servers = [Server(echo).start()]
    address = servers[0].address
    with pytest.warns(ResourceWarning):
        servers.clear()
    assert caplog.messages == []
    until(lambda: is_free(address))


def is_free(address: tuple[str, int]) -> bool:
    try:
        socket.create_server(address).close()
    except OSError:
        return False
    return True
