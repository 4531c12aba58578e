"""How a client can leave, and what each way is called: told once, after its last whole message."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sockkit import Client, Connection, ConnectionLost, LengthPrefixed, Limits, Raw, Reason, Server

from ..waiting import until
from .peers import Notes, dial, echo, read_to_end, read_until_gone, reset, slow_echo, until_sent

HANDLERS = pytest.mark.parametrize("handler", [echo, slow_echo])


MANY = pytest.mark.parametrize(("handler", "count"), [(echo, 10_000), (slow_echo, 2000)])


@MANY
@pytest.mark.parametrize("receive_buffer", [1024, 65_536])
def test_who_sends_and_closes_without_reading_is_heard_to_the_end(
    handler: Callable[..., object], count: int, receive_buffer: int, log: pytest.LogCaptureFixture
) -> None:
    notes = Notes(handler)
    with Server(**notes.callbacks, receive_buffer=receive_buffer) as server:
        with dial(server.address) as raw:
            for start in range(0, count, 100):
                raw.sendall(b"".join(b"%d\n" % number for number in range(start, start + 100)))
            until_sent(raw)
        until(lambda: notes.ends)
    assert notes.messages == [str(number) for number in range(count)]
    # It left unread replies behind, and so its system may have turned the FIN into a reset.
    assert notes.ends in ([Reason.CLOSED], [Reason.RESET])
    assert not [record for record in log.records if record.levelname == "ERROR"]


@MANY
def test_a_client_that_sends_and_closes_at_once_loses_nothing(
    handler: Callable[..., object], count: int
) -> None:
    notes = Notes(handler)
    with Server(**notes.callbacks) as server:
        with Client(server.address) as client:
            for number in range(count):
                client.send(str(number))
        until(lambda: notes.ends)
    assert notes.messages == [str(number) for number in range(count)]
    assert notes.ends == [Reason.CLOSED]


@HANDLERS
def test_after_half_a_close_every_reply_still_comes(handler: Callable[..., object]) -> None:
    with Server(handler, framing=Raw()) as server, dial(server.address) as raw:
        sent = b"".join(b"%d\n" % number for number in range(100_000))
        received: list[bytes] = []
        reader = threading.Thread(target=lambda: received.append(read_to_end(raw)))
        reader.start()
        raw.sendall(sent)
        raw.shutdown(socket.SHUT_WR)
        reader.join()
    assert received == [sent]


def test_what_is_not_whole_at_the_end_is_no_message() -> None:
    notes = Notes()
    with Server(**notes.callbacks) as server, dial(server.address) as raw:
        raw.sendall(b"whole\nnot who")
        raw.shutdown(socket.SHUT_WR)
        assert read_to_end(raw) == b""
    assert notes.messages == ["whole"]
    assert notes.ends == [Reason.CLOSED]


def test_a_reset_is_a_reset_and_what_came_before_it_counts(log: pytest.LogCaptureFixture) -> None:
    notes = Notes()
    with Server(**notes.callbacks) as server:
        raw = dial(server.address)
        raw.sendall(b"one\ntwo\n")
        until(lambda: len(notes.messages) == 2)
        reset(raw)
        until(lambda: notes.ends)
    assert notes.ends == [Reason.RESET]
    assert log.records == []


def test_a_reset_while_a_callback_waits_is_no_fault_of_the_callback(
    log: pytest.LogCaptureFixture,
) -> None:
    ends: list[Reason] = []

    async def on_message(connection: Connection, text: str) -> None:
        await slow_echo(connection, text)
        while connection.reason is None:
            await slow_echo(connection, "still there?")
        connection.send("to nobody")

    left = lambda _, reason: ends.append(reason)  # noqa: E731
    with Server(on_message, on_disconnect=left) as server:
        raw = dial(server.address)
        raw.sendall(b"hello\n")
        assert raw.recv(1)
        reset(raw)
        until(lambda: ends)
    assert ends == [Reason.RESET]
    assert [record for record in log.records if record.levelno >= 40] == []


def test_a_client_gone_before_it_was_accepted_leaves_no_trace_but_its_number(
    gate: threading.Event,
) -> None:
    notes = Notes()

    def on_message(connection: Connection, text: str) -> None:
        gate.wait()

    notes = Notes(on_message)
    with Server(**notes.callbacks) as server, dial(server.address) as raw:
        raw.sendall(b"hold the loop\n")
        until(lambda: notes.messages)
        for _ in range(200):
            reset(dial(server.address))
        gate.set()
        with Client(server.address) as client:
            client.send("hello")
            until(lambda: "hello" in notes.messages)
        until(lambda: list(server.clients) == [1])
    joined = [entry[1] for entry in notes.entries if entry[0] == "connect"]
    assert sorted(joined) == sorted({entry[1] for entry in notes.entries if entry[0] == "end"})


def test_a_thousand_that_leave_at_once_are_all_told_and_none_twice() -> None:
    notes = Notes()
    with Server(**notes.callbacks) as server:
        raws = [dial(server.address) for _ in range(1000)]
        server.wait_for_clients(1000, timeout=20)
        for number, raw in enumerate(raws):
            raw.close() if number % 2 else reset(raw)
        until(lambda: not server.clients)
        until(lambda: len(notes.ends) == 1000)
    ended = [entry[1] for entry in notes.entries if entry[0] == "end"]
    assert sorted(ended) == list(range(1, 1001))
    assert notes.ends.count(Reason.CLOSED) == 500


# The server ends it.


@pytest.mark.parametrize("who", ["another thread", "a callback"])
def test_what_was_sent_before_a_kick_is_delivered(who: str) -> None:
    def on_message(connection: Connection, text: str) -> None:
        server.send(1, "goodbye " * 10_000)
        server.disconnect(1)

    notes = Notes(on_message)
    server = Server(**notes.callbacks)
    with server, dial(server.address) as raw:
        [connection] = server.wait_for_clients(1).values()
        if who == "a callback":
            raw.sendall(b"please\n")
        else:
            on_message(connection, "")
        assert read_to_end(raw) == b"goodbye " * 10_000 + b"\n"
        until(lambda: notes.ends)
        connection.close()  # again
    assert notes.ends == [Reason.KICKED]


def test_a_full_server_says_so_and_uses_no_number(log: pytest.LogCaptureFixture) -> None:
    records: list[Any] = []
    with Server(echo, limits=Limits(max_clients=2)) as server:
        server.observe(records.append)
        with Client(server.address) as one, Client(server.address) as two:
            server.wait_for_clients(2)
            for _ in range(50):
                with Client(server.address) as third:
                    with contextlib.suppress(ConnectionLost):  # it may have heard already
                        third.send("hello")
                    assert list(third) == ["the server is full"]
                    assert third.reason is Reason.CLOSED
            assert len(server.clients) == 2
            one.send("still")
            two.send("here")
            assert (one.recv(), two.recv()) == ("still", "here")
        until(lambda: not server.clients)
        with Client(server.address) as next_one:
            next_one.send("hello")
            assert next_one.recv() == "hello"
            assert list(server.clients) == [3]
    refused = [record for record in records if type(record).__name__ == "Refused"]
    assert [record.why for record in refused] == ["the server is full: 2 clients"] * 50
    assert log.text.count("the server is full: 2 clients") == 50


@pytest.mark.parametrize(
    ("framing", "notice"),
    [(Raw(), b"the server is full"), (LengthPrefixed(), b"\0\0\0\x12the server is full")],
)
def test_a_full_server_says_so_in_its_own_framing(framing: Any, notice: bytes) -> None:
    with Server(framing=framing, limits=Limits(max_clients=1)) as server, dial(server.address):
        server.wait_for_clients(1)
        with dial(server.address) as raw:
            assert read_to_end(raw) == notice


class Numbers:
    """A framing that carries neither text nor bytes."""

    def encode(self, message: int) -> bytes:
        if not isinstance(message, int):
            raise TypeError
        return bytes([message])

    def decoder(self) -> Any:
        return Raw().decoder()


def test_a_full_server_with_a_framing_of_neither_text_nor_bytes_closes() -> None:
    with Server(framing=Numbers(), limits=Limits(max_clients=1)) as server, dial(server.address):
        server.wait_for_clients(1)
        with dial(server.address) as raw:
            assert read_to_end(raw) == b""


def test_five_hundred_too_many_at_once_are_never_let_in() -> None:
    most = 0

    def on_connect(connection: Connection) -> None:
        nonlocal most
        most = max(most, len(server.clients))

    server = Server(on_connect=on_connect, limits=Limits(max_clients=20))
    with server:
        raws = [dial(server.address) for _ in range(520)]
        answers = [raw for raw in raws[20:] if read_until_gone(raw) == b"the server is full\n"]
        assert len(answers) == 500
        assert list(server.clients) == list(range(1, 21))
        for raw in raws:
            raw.close()
    assert most == 20
