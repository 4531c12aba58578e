"""A client: clear errors, no message lost by a wait that was given up, and a polite end."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sockkit import (
    AsyncClient,
    AsyncServer,
    AuthenticationError,
    BufferFull,
    Client,
    ClosedError,
    Connection,
    ConnectionLost,
    LengthPrefixed,
    Limits,
    Lines,
    Raw,
    Reason,
    Server,
    inbox,
)

from ..waiting import turns_until, until
from .peers import Notes, echo, fill, in_a_loop, interrupted_while_waiting, needs_signals, reset


class Desk:
    """A listening socket of the test's own, and whom it has accepted."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.address: tuple[str, int] = self._listener.getsockname()
        self._accepted: list[socket.socket] = []

    def accept(self) -> socket.socket:
        connection, _ = self._listener.accept()
        connection.settimeout(20)
        self._accepted.append(connection)
        return connection

    def close(self) -> None:
        for connection in (*self._accepted, self._listener):
            connection.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(echo) as server:
        yield server


# Connecting.


def test_connect_returns_the_client_and_a_second_one_changes_nothing(server: Server) -> None:
    client = Client(server.address)
    assert not client.connected
    assert client.connect() is client
    address = client.local_address
    assert client.connect() is client
    assert client.local_address == address
    assert client.connected
    client.close()
    assert not client.connected
    assert client.reason is Reason.CLOSED


def test_a_closed_client_may_connect_again(server: Server) -> None:
    client = Client(server.address)
    for number in (1, 2, 3):
        with client:
            client.send(str(number))
            assert client.recv() == str(number)
            assert number in server.clients


def test_one_that_was_lost_may_too(server: Server) -> None:
    with Client(server.address) as client:
        for number in (1, 2, 3):
            [connection] = server.wait_for_clients(1).values()
            assert connection.number == number
            connection.close()
            with pytest.raises(ConnectionLost):
                client.recv()
            until(lambda: not server.clients)
            client.connect()
        client.send("hello")
        assert client.recv() == "hello"


@pytest.mark.parametrize("name", ["send", "recv", "drain", "send_eof", "local_address"])
def test_what_needs_a_connection_says_so(name: str, server: Server) -> None:
    def use(client: Client) -> None:
        member = getattr(client, name)
        member("x") if name == "send" else member()

    never = Client(server.address)
    with pytest.raises(ClosedError, match=r"not connected: call connect\(\)"):
        use(never)
    never.close()
    if name not in ("drain", "local_address"):
        with Client(server.address) as closed:
            closed.close()
            with pytest.raises(ClosedError):
                use(closed)


def test_nobody_listening_is_a_refusal_with_a_hint(desk: Desk) -> None:
    desk.close()
    text = f"cannot connect to 127.0.0.1:{desk.address[1]}: .*is the server started"
    with pytest.raises(ConnectionRefusedError, match=text):
        Client(desk.address).connect()


def test_a_bad_host_is_named() -> None:
    with pytest.raises(OSError, match=r"cannot connect to no\.such\.host\.invalid:1"):
        Client(("no.such.host.invalid", 1)).connect()


@pytest.mark.parametrize("host", ["127.0.0..1", "n" * 300])
def test_what_is_no_name_of_a_host_is_told_like_a_host_that_is_not_there(host: str) -> None:
    with pytest.raises(socket.gaierror, match=f"to {host}:1: that can't be the name of a host"):
        Client((host, 1)).connect()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("port", [-1, 65_536, 500_000])
def test_a_number_that_is_no_port_is_refused_and_not_taken_for_another(
    host: str, port: int
) -> None:
    with pytest.raises(ValueError, match=f"a port is a number from 0 to 65535, not {port}"):
        Client((host, port)).connect()


@pytest.mark.parametrize("address", ["localhost:80", 5, None, ("127.0.0.1",), ("a", 1, 2)])
def test_an_address_is_a_pair(address: Any) -> None:
    with pytest.raises(TypeError, match=r"an address is a pair \(host, port\)"):
        Client(address)


@pytest.mark.parametrize("framing", [Lines, "utf-8"])
def test_a_framing_is_an_object(framing: Any, server: Server) -> None:
    with pytest.raises(TypeError, match="a framing is an object"):
        Client(server.address, framing=framing).connect()


def test_a_server_that_does_not_answer_the_token_in_time(desk: Desk) -> None:
    with pytest.raises(TimeoutError, match=r"no answer from 127\.0\.0\.1:\d+ within 0\.05 s"):
        Client(desk.address, token="secret", timeout=0.05).connect()


@in_a_loop
async def test_a_system_that_gives_up_connecting_says_so_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def give_up(*_: Any, **__: Any) -> None:
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", give_up)
    with pytest.raises(TimeoutError, match=r"cannot connect to 127.*: Connection timed out"):
        await AsyncClient(("127.0.0.1", 1)).connect()


def test_who_cannot_connect_again_can_still_be_closed(server: Server) -> None:
    with Client(server.address) as client:
        server.stop()
        until(lambda: client.reason)
        with pytest.raises(ConnectionRefusedError):
            client.connect()


@contextlib.contextmanager
def on_ctrl_c(handler: Callable[..., object]) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@needs_signals
def test_a_signals_handler_may_close_a_client_that_is_being_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client(listener.getsockname(), limits=Limits(linger=20)).connect()
        peer, _ = listener.accept()

        def close(*_: object) -> None:
            peer.close()
            client.close()

        with on_ctrl_c(close), interrupted_while_waiting():
            client.close()
        assert not client.connected
        client.connect()
        listener.accept()[0].close()
        client.close()


@needs_signals
def test_a_signals_handler_may_close_a_client_that_is_connecting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client(listener.getsockname(), token="secret", timeout=20)

        def close(*_: object) -> None:
            client.close()  # nothing is connected yet
            listener.accept()[0].close()

        with (
            pytest.raises(AuthenticationError),
            on_ctrl_c(close),
            interrupted_while_waiting(),
        ):
            client.connect()


@needs_signals
def test_an_interrupt_while_connecting_leaves_nothing_behind(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = AsyncClient.connect

    async def connect_and_linger(client: AsyncClient) -> None:
        await connect(client)
        await asyncio.Event().wait()

    client = Client(server.address)
    with monkeypatch.context() as patch:
        patch.setattr(AsyncClient, "connect", connect_and_linger)
        with pytest.raises(KeyboardInterrupt), interrupted_while_waiting():
            client.connect()
    assert not client.connected
    with client:
        client.send("hello")
        assert client.recv() == "hello"


# Receiving.


def test_a_wait_that_was_given_up_loses_nothing(server: Server) -> None:
    with Client(server.address) as client:
        with pytest.raises(TimeoutError, match=r"no message within 0\.01 s"):
            client.recv(timeout=0.01)
        client.send("hello")
        assert client.recv() == "hello"
        with pytest.raises(TimeoutError, match="no message within 0 s"):
            client.recv(timeout=0)


def test_without_a_time_limit_it_waits_as_long_as_it_takes(desk: Desk) -> None:
    with Client(desk.address, timeout=None) as client:
        peer = desk.accept()
        threading.Timer(0.05, peer.sendall, [b"late\n"]).start()
        assert client.recv() == "late"


@needs_signals
def test_an_interrupt_while_receiving_loses_nothing(server: Server) -> None:
    with Client(server.address) as client:
        for number in range(5):
            with pytest.raises(KeyboardInterrupt), interrupted_while_waiting():
                client.recv(timeout=20)
            client.send(str(number))
            assert client.recv() == str(number)


def test_what_came_before_the_end_is_received_before_the_end_is_told(desk: Desk) -> None:
    with Client(desk.address) as client:
        peer = desk.accept()
        peer.sendall(b"one\ntwo\nnot who")
        peer.close()
        until(lambda: client.reason)
        assert [client.recv(), client.recv()] == ["one", "two"]
        for _ in range(2):
            with pytest.raises(ConnectionLost) as raised:
                client.recv()
            assert raised.value.reason is Reason.CLOSED
        with pytest.raises(ConnectionLost):
            client.send("x")


def test_so_is_what_came_before_a_write_failed(desk: Desk) -> None:
    with Client(desk.address) as client:
        peer = desk.accept()
        client.send("never read")
        peer.sendall(b"".join(b"%d\n" % number for number in range(10_000)))
        peer.close()  # with something unread: a reset
        while client.reason is None:
            try:
                client.send("x")
            except ConnectionLost:
                break
        assert [client.recv() for _ in range(10_000)] == [str(n) for n in range(10_000)]


def test_iteration_ends_with_a_polite_close(desk: Desk) -> None:
    with Client(desk.address) as client:
        peer = desk.accept()
        peer.sendall(b"one\ntwo\n")
        peer.close()
        assert list(client) == ["one", "two"]


def test_and_with_an_error_otherwise(desk: Desk) -> None:
    with Client(desk.address, timeout=0.05) as client:
        peer = desk.accept()
        peer.sendall(b"one\n")
        assert next(client) == "one"
        with pytest.raises(TimeoutError):
            next(client)
        reset(peer)
        with pytest.raises(ConnectionLost) as raised:
            next(client)
        assert raised.value.reason is Reason.RESET


@pytest.mark.parametrize(
    ("framing", "sent", "error"),
    [(Lines(), b"\xff\n", "protocol error"), (LengthPrefixed(), b"\xff" * 4, "protocol error")],
)
def test_what_is_no_message_ends_the_connection(
    framing: Any, sent: bytes, error: str, desk: Desk
) -> None:
    with Client(desk.address, framing=framing) as client:
        desk.accept().sendall(sent)
        with pytest.raises(ConnectionLost, match=error):
            client.recv()


def test_an_inbox_that_nobody_empties_holds_up_the_sender(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MAX_WAITING", 10)
    with Client(desk.address, framing=Raw(), timeout=20) as client:
        peer = desk.accept()
        sent = fill(peer, bytes(1 << 16))
        received = 0
        while received < sent:
            received += len(client.recv())
        assert received == sent < 1 << 30


def test_one_that_is_emptied_just_before_it_holds_up_the_sender_is_filled_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Emptied(deque[Any]):
        """All of it is taken by another thread as soon as it was found to hold too much."""

        def __len__(self) -> int:
            size = super().__len__()
            if size > inbox.MAX_WAITING:
                taking = threading.Thread(target=take, args=(size,))
                taking.start()
                taking.join()
            return size

    def take(count: int) -> None:
        for _ in range(count):
            taken.append(client.recv())

    monkeypatch.setattr(inbox, "MAX_WAITING", 10)
    taken: list[Any] = []
    with Client(desk.address) as client:
        channel: Any = client._client._channel
        channel._inbox = Emptied()
        peer = desk.accept()
        peer.sendall(b"a line\n" * 11)
        until(lambda: len(taken) == 11)
        peer.sendall(b"another\n")
        assert client.recv() == "another"


@pytest.mark.parametrize("leaver", ["close", "reset"])
def test_one_that_is_held_up_still_hears_of_the_end(
    leaver: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MAX_WAITING", 10)
    with Client(desk.address) as client:
        peer = desk.accept()
        for number in range(1000):
            peer.sendall(b"%d\n" % number)
        peer.close() if leaver == "close" else reset(peer)
        numbers: list[str] = []
        with pytest.raises(ConnectionLost):
            numbers.extend(iter(client.recv, None))
    assert numbers == [str(number) for number in range(len(numbers))]
    assert leaver == "reset" or len(numbers) == 1000


def test_many_threads_may_receive_and_each_message_goes_to_one(server: Server) -> None:
    received: list[str] = []

    def receive() -> None:
        try:
            while True:
                received.append(client.recv())
        except ConnectionLost:
            pass

    with Client(server.address, timeout=20) as client:
        threads = [threading.Thread(target=receive) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(2000):
            client.send(str(number))
        client.send_eof()
        for thread in threads:
            thread.join()
    assert sorted(received, key=int) == [str(number) for number in range(2000)]


# Sending.


def test_too_much_for_a_slow_server_is_refused_and_then_accepted_again(desk: Desk) -> None:
    with Client(desk.address, framing=Raw(), limits=Limits(max_pending=100_000)) as client:
        peer = desk.accept()
        accepted: list[bytes] = []

        def send_on() -> None:
            while True:
                client.send(bytes(10_000))
                accepted.append(bytes(10_000))

        with pytest.raises(BufferFull, match="more than 100000 bytes wait"):
            send_on()
        received = 0
        while received < 10_000 * len(accepted):
            received += len(peer.recv(1 << 20))
        client.drain()
        assert client.pending == 0
        client.send(b"the end")
        assert peer.recv(100) == b"the end"
        peer.close()


def test_a_thread_that_is_faster_than_the_loop_cannot_exceed_the_bound(desk: Desk) -> None:
    limits = Limits(max_pending=1_000_000, linger=0.05)
    with Client(desk.address, framing=Raw(), limits=limits) as client:
        desk.accept()

        def send_on() -> None:
            while True:
                client.send(bytes(100_000))

        def filled() -> bool:
            with pytest.raises(BufferFull):
                send_on()
            return client.pending > 1_000_000  # the kernel has had its fill, also this time

        until(filled)
        assert client.pending <= 1_100_000


def test_a_signals_handler_may_send_in_the_midst_of_a_send(server: Server) -> None:
    class Interrupted(int):
        """A count of bytes; while it is added to, the handler comes."""

        def __add__(self, size: int) -> int:
            channel._handed_over = 0
            client.send("from inside")
            return size

    with Client(server.address) as client:
        channel = client._client._channel
        assert channel is not None
        channel._handed_over = Interrupted()
        client.send("from outside")
        assert [client.recv(), client.recv()] == ["from inside", "from outside"]


@in_a_loop
async def test_in_a_loop_of_ones_own_what_the_kernel_takes_does_not_count() -> None:
    async with AsyncServer(framing=Raw()) as server:
        limits = Limits(max_pending=10_000)
        async with AsyncClient(server.address, framing=Raw(), limits=limits) as client:
            for _ in range(10):  # ten times what may wait, without giving the loop a turn
                client.send(bytes(10_000))
            await client.drain()
            assert client.pending == 0


def test_drain_waits_for_the_server_to_read(desk: Desk) -> None:
    with Client(desk.address, framing=Raw(), limits=Limits(max_pending=100_000_000)) as client:
        peer = desk.accept()
        client.send(bytes(50_000_000))
        received = 0

        def read() -> None:
            nonlocal received
            while received < 50_000_000:
                received += len(peer.recv(1 << 20))

        reader = threading.Thread(target=read)
        reader.start()
        client.drain()
        assert client.pending == 0
        reader.join()
        peer.close()


def test_drain_says_when_it_never_will(desk: Desk) -> None:
    with Client(desk.address, framing=Raw(), limits=Limits(max_pending=100_000_000)) as client:
        peer = desk.accept()
        client.send(bytes(50_000_000))
        threading.Timer(0.05, reset, [peer]).start()
        with pytest.raises(ConnectionLost) as raised:
            client.drain()
        assert raised.value.reason is Reason.RESET
        with pytest.raises(ConnectionLost):
            client.drain()


@in_a_loop
async def test_drain_says_so_when_the_very_write_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with AsyncClient(listener.getsockname()) as client:
            peer, _ = listener.accept()
            reset(peer)  # which the loop has not seen yet
            client.send("to nobody")
            with pytest.raises(ConnectionLost):
                await client.drain()


# Closing.


def test_close_twice_and_from_many_threads_does_no_harm(server: Server) -> None:
    client = Client(server.address).connect()
    threads = [threading.Thread(target=client.close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    until(lambda: not server.clients)


def test_whoever_waits_for_a_message_hears_of_the_close(server: Server) -> None:
    raised: list[BaseException] = []

    def receive() -> None:
        try:
            client.recv(timeout=20)
        except ClosedError as error:
            raised.append(error)

    with Client(server.address) as client:
        thread = threading.Thread(target=receive)
        thread.start()
        client.close()
        thread.join()
    assert len(raised) == 1


def test_a_server_that_does_not_close_its_half_is_not_waited_for_long(desk: Desk) -> None:
    with Client(desk.address, limits=Limits(linger=0.05)) as client:
        peer = desk.accept()
        client.send("hello")
        started = time.monotonic()
        client.close()
        assert time.monotonic() - started < 5
        assert peer.makefile().read() == "hello\n"


@in_a_loop
async def test_one_that_is_just_closing_may_connect_again() -> None:
    async with AsyncServer(echo) as server:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = AsyncClient(listener.getsockname(), limits=Limits(linger=20))
            await client.connect()
            with listener.accept()[0]:
                closing = asyncio.create_task(client.close())
                await turns_until(lambda: not client.connected)
                client.address = server.address
                await client.connect()
            await closing
        client.send("hello")
        assert await client.recv() == "hello"
        await client.close()


def takes(peer: socket.socket) -> bool:
    """Whether somebody is there to take what it sends."""
    try:
        return bool(peer.send(b"hello"))
    except ConnectionError:
        return False


@in_a_loop
async def test_a_close_that_is_given_up_ends_the_connection_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = AsyncClient(listener.getsockname(), limits=Limits(linger=1000))
        await client.connect()
        with listener.accept()[0] as peer:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await client.close()
            assert client.reason is Reason.CLOSED
            assert peer.recv(100) == b""
            await turns_until(lambda: not takes(peer))
            await client.close()


def test_close_lets_everything_out_first() -> None:
    notes = Notes()
    limits = Limits(max_pending=100_000_000, max_message=10_000_000, linger=20)
    with Server(**notes.callbacks, limits=limits) as server:
        with Client(server.address, limits=limits) as client:
            for _ in range(5):
                client.send("x" * 5_000_000)
        until(lambda: notes.ends)
    assert [len(message) for message in notes.messages] == [5_000_000] * 5
    assert notes.ends == [Reason.CLOSED]


def test_a_client_that_is_held_up_can_still_close(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MAX_WAITING", 10)
    with Client(desk.address, limits=Limits(linger=20)) as client:
        peer = desk.accept()
        threading.Thread(target=peer.sendall, args=[b"x\n" * 100_000]).start()
        closing = threading.Thread(target=client.close)
        until(lambda: client.recv() == "x")
        closing.start()
        assert peer.recv(1) == b""
        peer.shutdown(socket.SHUT_WR)
        closing.join()


def test_clients_share_one_thread_that_ends_with_the_last_of_them(server: Server) -> None:
    clients = [Client(server.address).connect() for _ in range(20)]
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("sockkit-clients") == 1
    for client in clients:
        client.close()
    assert "sockkit-clients" not in [thread.name for thread in threading.enumerate()]


def test_a_forgotten_client_warns_and_the_server_hears_of_its_end(server: Server) -> None:
    clients = [Client(server.address).connect()]
    server.wait_for_clients(1)
    with pytest.warns(ResourceWarning, match="forgotten, and now closed: <Client 127"):
        clients.clear()
    until(lambda: not server.clients)


def test_so_it_does_where_that_warning_is_an_error(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: raised.append(args.exc_type))
    clients = [Client(server.address).connect()]
    server.wait_for_clients(1)
    clients.clear()
    assert raised == [ResourceWarning]
    until(lambda: not server.clients)


def test_a_client_that_was_never_connected_may_be_forgotten() -> None:
    Client(("127.0.0.1", 1))
    gc.collect()


def test_a_client_shows_where_it_belongs_and_what_it_is(server: Server) -> None:
    host, port = server.address
    client = Client(server.address)
    assert repr(client) == f"<Client {host}:{port} not connected>"
    with client:
        assert repr(client) == f"<Client {host}:{port} connected>"
        server.stop()
        until(lambda: client.reason)
        assert repr(client) == f"<Client {host}:{port} closed>"


# In a loop of one's own.


@in_a_loop
async def test_the_same_in_a_loop_of_ones_own() -> None:
    async with AsyncServer(echo) as server, AsyncClient(server.address) as client:
        assert await client.connect() is client
        client.send("hello")
        assert await client.recv() == "hello"
        with pytest.raises(TimeoutError):
            await client.recv(timeout=0)
        client.send("one")
        client.send_eof()
        assert [message async for message in client] == ["one"]
        with pytest.raises(ConnectionLost):
            await client.recv()
        assert repr(client).endswith(" closed>")
    never = AsyncClient(("127.0.0.1", 1))
    await never.close()
    assert repr(never) == "<AsyncClient 127.0.0.1:1 not connected>"


@in_a_loop
async def test_tasks_that_connect_at_once_make_one_connection_between_them() -> None:
    notes = Notes()
    async with AsyncServer(**notes.callbacks) as server:
        client = AsyncClient(server.address)
        await asyncio.gather(client.connect(), client.connect(), client.connect())
        client.send("from the one that is left")
        await turns_until(lambda: notes.messages and len(server.clients) == 1)
        await client.close()
        await turns_until(lambda: not server.clients)


@in_a_loop
async def test_iteration_there_ends_with_an_error_too() -> None:
    def on_message(connection: Connection, text: str) -> None:
        connection.send("x" * 101)

    async with AsyncServer(on_message) as server:
        limits = Limits(max_message=100)
        async with AsyncClient(server.address, limits=limits) as client:
            client.send("go")
            with pytest.raises(ConnectionLost, match="protocol error"):
                _ = [message async for message in client]


@in_a_loop
async def test_several_tasks_may_wait_for_messages_there() -> None:
    async with AsyncServer(echo) as server, AsyncClient(server.address) as client:
        waiting = [asyncio.create_task(client.recv()) for _ in range(5)]
        await asyncio.sleep(0)
        for number in range(5):
            client.send(str(number))
        assert sorted(await asyncio.gather(*waiting)) == ["0", "1", "2", "3", "4"]


def test_no_loop_is_kept_because_it_once_had_a_client() -> None:
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def talk() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        async with AsyncServer(echo) as server, AsyncClient(server.address) as client:
            client.send("hello")
            assert await client.recv() == "hello"

    asyncio.run(talk())
    gc.collect()
    assert loops[0]() is None
