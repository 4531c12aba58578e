"""Answer one, answer all, end one; and what a `Connection` and an observer know about it."""

import asyncio
import threading
import time
from typing import Any

import pytest

from sockkit import (
    AsyncServer,
    Client,
    Connected,
    Connection,
    ConnectionLost,
    Disconnected,
    Event,
    LengthPrefixed,
    Limits,
    ProtocolError,
    Raw,
    Reason,
    Received,
    Refused,
    Sent,
    Server,
    Started,
    Stopped,
    UnknownClient,
)

from ..waiting import until
from .peers import Notes, dial, echo, in_a_loop, read_to_end, reset


def test_send_reaches_one_client_and_no_other() -> None:
    with Server() as server, Client(server.address) as one, Client(server.address) as two:
        server.wait_for_clients(2)
        server.send(2, "for two")
        server.send(1, "for one")
        assert (one.recv(), two.recv()) == ("for one", "for two")
        with pytest.raises(TimeoutError):
            one.recv(timeout=0)


@pytest.mark.parametrize("number", [0, 2, -1, "1", None])
def test_a_number_of_nobody_is_said_to_be_unknown(number: Any) -> None:
    with Server() as server, Client(server.address):
        server.wait_for_clients(1)
        for call in (lambda: server.send(number, "x"), lambda: server.disconnect(number)):
            with pytest.raises(UnknownClient, match=f"no client with number {number!r}"):
                call()


def test_the_number_of_who_has_left_is_unknown_and_never_comes_back() -> None:
    with Server() as server:
        for expected in (1, 2, 3):
            with Client(server.address):
                assert list(server.wait_for_clients(1)) == [expected]
            until(lambda: not server.clients)
            with pytest.raises(UnknownClient):
                server.send(expected, "x")


def test_broadcast_reaches_all_but_the_excluded_and_counts_them() -> None:
    with Server() as server:
        clients = [Client(server.address).connect() for _ in range(5)]
        server.wait_for_clients(5)
        assert server.broadcast("all") == 5
        assert server.broadcast("some", exclude=(number for number in (1, 3))) == 3
        assert server.broadcast("none", exclude=server.clients) == 0
        for client in clients:
            client.close()
        until(lambda: not server.clients)
        assert server.broadcast("nobody") == 0


def test_who_is_excluded_is_named_by_number_and_anything_else_is_told_so() -> None:
    with Server() as server, Client(server.address) as one, Client(server.address) as two:
        connection = server.wait_for_clients(2)[1]
        wrong: Any
        for wrong in ([connection], server.clients.values(), [2, connection], connection):
            with pytest.raises(TypeError, match=r"connection\.number.*not <Connection 1 "):
                server.broadcast("to nobody", exclude=wrong)
        for wrong in ("12", ["1"], [None], 1, None):
            with pytest.raises(TypeError, match="exclude takes numbers"):
                server.broadcast("to nobody", exclude=wrong)
        assert server.broadcast("all", exclude=[3]) == 2
        assert (one.recv(), two.recv()) == ("all", "all")


def test_a_broadcast_arrives_as_it_was_counted() -> None:
    with Server() as server, Client(server.address) as one, Client(server.address) as two:
        server.wait_for_clients(2)
        server.broadcast("all")
        server.broadcast("some", exclude=[1])
        server.broadcast("last")
        assert [one.recv() for _ in range(2)] == ["all", "last"]
        assert [two.recv() for _ in range(3)] == ["all", "some", "last"]


def test_what_the_framing_cannot_carry_is_refused_to_the_sender_and_nobody_gets_it() -> None:
    with Server() as server, Client(server.address) as client:
        [connection] = server.wait_for_clients(1).values()
        for send in (
            lambda message: server.send(1, message),
            server.broadcast,
            connection.send,
            client.send,
        ):
            with pytest.raises(TypeError, match="carries str"):
                send(b"bytes")
            with pytest.raises(ProtocolError, match="newline"):
                send("two\nlines")
        server.broadcast("fine")
        assert client.recv() == "fine"
        assert connection.sent == 1


def test_sending_to_who_has_just_gone_raises_connection_lost() -> None:
    with Server() as server:
        with Client(server.address):
            [connection] = server.wait_for_clients(1).values()
        until(lambda: connection.reason)
        with pytest.raises(ConnectionLost) as raised:
            connection.send("too late")
        assert raised.value.reason is connection.reason is Reason.CLOSED
        connection.close()


def test_a_send_that_races_a_disconnect_is_accepted_or_refused() -> None:
    with Server() as server:
        for _ in range(20):
            with dial(server.address):
                [number] = server.wait_for_clients(1)
                kick = threading.Thread(target=server.disconnect, args=(number,))
                kick.start()
                try:
                    while True:
                        server.send(number, "x")
                except (UnknownClient, ConnectionLost):
                    pass
                kick.join()
            until(lambda: not server.clients)


@in_a_loop
async def test_in_a_loop_of_ones_own_broadcast_belongs_to_that_loop() -> None:
    async with AsyncServer() as server:
        with pytest.raises(RuntimeError, match="belongs to the thread of its loop"):
            await asyncio.to_thread(server.broadcast, "x")


@in_a_loop
async def test_but_send_works_from_any_thread() -> None:
    async with AsyncServer() as server:
        reader, writer = await asyncio.open_connection(*server.address)
        await server.wait_for_clients(1)
        await asyncio.to_thread(server.send, 1, "from a thread")
        assert await reader.readline() == b"from a thread\n"
        await asyncio.to_thread(server.disconnect, 1)
        assert await reader.read() == b""
        writer.close()


def test_waiting_for_clients_that_do_not_come_times_out() -> None:
    with Server() as server, dial(server.address):
        with pytest.raises(TimeoutError, match=r"1 of 2 clients after 0\.05 s"):
            server.wait_for_clients(2, timeout=0.05)
        assert list(server.wait_for_clients(0)) == list(server.wait_for_clients(1)) == [1]


# A connection.


def test_a_connection_knows_who_and_when_and_how_much() -> None:
    before = time.time()
    with Server(echo) as server, Client(server.address) as client:
        [connection] = server.wait_for_clients(1).values()
        assert connection.number == 1
        assert connection.address == client.local_address
        assert before <= connection.connected_at <= time.time()
        assert connection.reason is None
        for text in ("hello", "wörld"):
            client.send(text)
            assert client.recv() == text
        assert (connection.received, connection.received_bytes) == (2, 13)
        assert (connection.sent, connection.sent_bytes) == (2, 13)
        until(lambda: connection.pending == 0)  # the reply may be here before that is told
        assert server.clients[1] is connection


def test_name_and_state_are_the_handlers_own() -> None:
    def on_message(connection: Connection, text: str) -> None:
        connection.state.count = getattr(connection.state, "count", 0) + 1
        connection.name = text
        connection.send(str(connection.state.count))

    with Server(on_message) as server, Client(server.address) as client:
        for count in ("1", "2"):
            client.send("evil\x1b[31m\u202e" + "x" * 100)
            assert client.recv() == count
        shown = repr(server.clients[1])
        assert shown.startswith("<Connection 1 'evil·[31m·xxx")
        assert len(shown) < 100
        assert shown.endswith("connected>")


def test_a_connection_without_a_name_shows_its_address_and_its_end() -> None:
    with Server() as server:
        with dial(server.address) as raw:
            [connection] = server.wait_for_clients(1).values()
            host, port = raw.getsockname()
            assert repr(connection) == f"<Connection 1 {host}:{port} connected>"
            assert repr(server) == "<Server {}:{}, 1 clients>".format(*server.address)
            reset(raw)
            until(lambda: connection.reason)
        assert repr(connection) == f"<Connection 1 {host}:{port} reset>"


def test_pending_counts_what_the_kernel_has_not_taken() -> None:
    with (
        Server(limits=Limits(max_pending=100)) as server,
        dial(server.address, receive_buffer=4096) as raw,
    ):
        [connection] = server.wait_for_clients(1).values()
        assert connection.pending == 0
        connection.send("x" * 10_000_000)
        until(lambda: 0 < connection.pending < 10_000_001)
        left = 10_000_001
        while left:  # not while it is pending: the last bytes may be here before that is told
            left -= len(raw.recv(1 << 20))
        until(lambda: connection.pending == 0)


def test_what_is_sent_in_one_turn_leaves_in_one_piece() -> None:
    def on_message(connection: Connection, data: bytes) -> None:
        for _ in range(10):
            connection.send(b"x" * 100)

    pieces: list[bytes] = []
    with Server(on_message, framing=Raw()) as server, dial(server.address) as raw:
        raw.sendall(b"go")
        pieces.append(raw.recv(10_000))
    assert pieces == [b"x" * 1000]


def test_messages_stay_in_order_when_the_kernel_takes_only_a_part() -> None:
    def on_message(connection: Connection, data: bytes) -> None:
        for number in range(200):
            connection.send(number.to_bytes(2, "big") * 20_000)

    limits = Limits(max_pending=10_000_000)
    with (
        Server(on_message, framing=LengthPrefixed(), limits=limits) as server,
        dial(server.address, receive_buffer=4096) as raw,
    ):
        raw.sendall(LengthPrefixed().encode(b"go"))
        [connection] = server.wait_for_clients(1).values()
        until(lambda: connection.sent == 200)
        connection.close()
        stream = read_to_end(raw)
    decoder = LengthPrefixed().decoder()
    expected = [number.to_bytes(2, "big") * 20_000 for number in range(200)]
    assert decoder.feed(stream) == expected


# Observers.


def test_observers_see_everything_in_the_order_in_which_it_happens() -> None:
    records: list[Any] = []
    server = Server(echo, limits=Limits(max_clients=1))
    server.observe(records.append)
    with server:
        with Client(server.address) as client:
            address = client.local_address
            client.send("one")
            assert client.recv() == "one"
            server.send(1, "two")
            server.broadcast("three")
            assert [client.recv(), client.recv()] == ["two", "three"]
            with Client(server.address) as second:
                refused = second.local_address
                assert list(second) == ["the server is full"]
        until(lambda: not server.clients)
        listening = server.address
    assert [type(record) for record in records] == [
        *(Started, Connected, Received, Sent, Sent, Sent, Refused, Disconnected, Stopped)
    ]
    times = [record.time for record in records]
    assert times == sorted(times)
    assert [tuple(record[1:]) for record in records] == [
        (listening,),
        (1, address),
        (1, "one"),
        (1, "one"),
        (1, "two"),
        (1, "three"),
        (refused, "the server is full: 1 clients"),
        (1, Reason.CLOSED),
        (),
    ]


def test_an_observer_sees_what_is_sent_from_now_on_even_in_a_turn_that_has_begun() -> None:
    records: list[Event] = []

    def on_message(connection: Connection, text: str) -> None:
        connection.send("unseen")
        server.observe(records.append)
        connection.send("seen")

    with Server(on_message) as server, Client(server.address) as client:
        client.send("hello")
        assert [client.recv(), client.recv()] == ["unseen", "seen"]
    assert [record.message for record in records if isinstance(record, Sent)] == ["seen"]


@pytest.mark.parametrize("error", [ValueError, SystemExit, asyncio.CancelledError])
def test_an_observer_that_raises_hurts_nobody(
    error: type[BaseException], log: pytest.LogCaptureFixture
) -> None:
    records: list[Any] = []

    def fails(record: Any) -> None:
        raise error(record)

    server = Server(echo)
    server.observe(fails)
    server.observe(records.append)
    with server, Client(server.address) as client:
        client.send("hello")
        assert client.recv() == "hello"
    assert len(records) == 6
    assert log.text.count("the observer test_an_observer_that_raises_hurts_nobody") == 6


def test_to_stop_observing_works_at_any_time_and_twice() -> None:
    first: list[Any] = []
    second: list[Any] = []
    with Server(echo) as server, Client(server.address) as client:
        server.wait_for_clients(1)
        stop_first = server.observe(first.append)
        server.observe(second.append)
        client.send("one")
        assert client.recv() == "one"
        stop_first()
        stop_first()
        client.send("two")
        assert client.recv() == "two"
    assert [record.message for record in first] == ["one", "one"]
    assert len(second) == 6


def test_a_finalizer_may_end_an_observing_while_another_one_begins() -> None:
    service = Server()._server._service
    seen: list[Any] = []
    remove = service.observe(print)

    class Interrupted:
        """A group of channels; while it is told that somebody observes, the finalizer comes."""

        def __setattr__(self, name: str, value: object) -> None:
            service.group = None
            remove()

    service.group = Interrupted()  # type: ignore[assignment]
    service.observe(seen.append)
    assert service.observers == (seen.append,)


def test_the_same_function_may_observe_twice() -> None:
    records: list[Any] = []
    note = records.append
    with Server(echo) as server:
        stop = server.observe(note)
        server.observe(note)
        stop()
        with Client(server.address):
            server.wait_for_clients(1)
            assert [type(record) for record in records] == [Connected]


def test_no_record_is_built_when_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    from sockkit import serving

    def never(*_: Any) -> None:
        raise AssertionError("a record was built")

    for record in ("Connected", "Received", "Sent", "Disconnected"):
        monkeypatch.setattr(serving, record, never)
    notes = Notes(echo)
    with Server(**notes.callbacks) as server, Client(server.address) as client:
        client.send("hello")
        assert client.recv() == "hello"
        server.broadcast("all")
        assert client.recv() == "all"
    assert notes.ends == [Reason.CLOSED]
