"""The same over TLS; and each way in which the two sides may not get on."""

import asyncio
import socket
import ssl
import threading
import time
from typing import Any

import pytest
import trustme

from sockkit import (
    AuthenticationError,
    Client,
    Connection,
    ConnectionLost,
    Limits,
    Raw,
    Reason,
    Refused,
    Server,
)

from ..waiting import until
from .peers import Notes, dial, echo, read_until_gone, reset, slow_echo
from .secure import client_side, server_side


@pytest.mark.parametrize("handler", [echo, slow_echo])
def test_messages_and_the_end_come_as_without(handler: Any) -> None:
    notes = Notes(handler)
    with Server(**notes.callbacks, ssl=server_side()) as server:
        with Client(server.address, ssl=client_side(), timeout=20) as client:
            for number in range(2000):
                client.send(str(number))
            assert [client.recv() for _ in range(2000)] == [str(n) for n in range(2000)]
        until(lambda: notes.ends)
    assert notes.ends == [Reason.CLOSED]


def test_a_client_that_sends_and_closes_at_once_loses_nothing() -> None:
    notes = Notes()
    with Server(**notes.callbacks, ssl=server_side()) as server:
        with Client(server.address, ssl=client_side()) as client:
            for number in range(5000):
                client.send(str(number))
        until(lambda: notes.ends)
    assert notes.messages == [str(number) for number in range(5000)]
    assert notes.ends == [Reason.CLOSED]


def test_large_messages_pass_both_ways() -> None:
    with (
        Server(echo, framing=Raw(), ssl=server_side()) as server,
        Client(server.address, framing=Raw(), ssl=client_side(), timeout=20) as client,
    ):
        message = bytes(range(256)) * 4000
        client.send(message)
        received = b""
        while len(received) < len(message):
            received += client.recv()
        assert received == message


def test_a_token_travels_inside() -> None:
    server = Server(echo, ssl=server_side(), token="secret")
    with server, Client(server.address, ssl=client_side(), token="secret") as client:
        client.send("hello")
        assert client.recv() == "hello"


def test_a_client_that_does_not_trust_the_server_says_so_and_the_server_lives_on(
    log: pytest.LogCaptureFixture,
) -> None:
    records: list[Any] = []
    with Server(echo, ssl=server_side()) as server:
        server.observe(records.append)
        stranger = client_side(trusts=trustme.CA())
        with pytest.raises(ssl.SSLCertVerificationError, match="cannot connect to 127") as told:
            Client(server.address, ssl=stranger).connect()
        assert told.value.verify_message in str(told.value.__cause__)
        until(lambda: records)
        with Client(server.address, ssl=client_side()) as client:
            client.send("hello")
            assert client.recv() == "hello"
            assert list(server.clients) == [1]
    assert isinstance(records[0], Refused)
    assert "refused a client at 127.0.0.1:" in log.text
    assert "perhaps it does not trust this certificate" in records[0].why
    assert not [record for record in log.records if record.levelname == "ERROR"]


def test_a_client_without_tls_is_refused(log: pytest.LogCaptureFixture) -> None:
    with Server(echo, ssl=server_side()) as server, Client(server.address) as client:
        client.send("hello, is this plain text?")
        with pytest.raises(ConnectionLost):  # an alert of TLS may come first, as a line of garbage
            list(iter(client.recv, None))
        assert not server.clients
    assert "refused a client at 127.0.0.1:" in log.text
    assert "perhaps it speaks no TLS" in log.text


def test_a_client_with_a_token_and_without_tls_is_told_what_may_be_missing() -> None:
    with Server(echo, ssl=server_side(), token="open sesame") as server:
        for context, missing in ((None, True), (client_side(), False)):
            with pytest.raises(AuthenticationError) as told:
                Client(server.address, ssl=context, token="guessed").connect()
            assert ("perhaps it speaks TLS" in str(told.value)) == missing


def test_a_client_with_tls_says_so_to_a_server_without() -> None:
    wrong = pytest.raises((ssl.SSLError, ConnectionError), match="cannot connect to 127")
    with Server(echo) as server, wrong:
        Client(server.address, ssl=client_side()).connect()


def test_a_server_that_ends_in_place_of_tls_may_speak_none() -> None:
    def leave(connection: Connection, data: bytes) -> None:
        connection.close()

    told = pytest.raises(ConnectionError, match=r":\d+: it left .* perhaps it speaks none")
    with Server(leave, framing=Raw()) as server, told:
        Client(server.address, ssl=client_side()).connect()


def test_who_leaves_in_the_handshake_was_nobody(log: pytest.LogCaptureFixture) -> None:
    with Server(echo, ssl=server_side()) as server:
        for leave in (socket.socket.close, reset):
            leave(dial(server.address))
        with Client(server.address, ssl=client_side()):
            assert list(server.wait_for_clients(1)) == [1]
    assert not [record for record in log.records if record.levelname == "ERROR"]


def test_who_never_begins_the_handshake_does_not_hold_up_a_stop() -> None:
    with Server(echo, ssl=server_side()) as server, dial(server.address) as raw:
        with Client(server.address, ssl=client_side()):
            server.wait_for_clients(1)
        server.stop()
        assert read_until_gone(raw) == b""


def test_a_server_that_does_not_answer_the_end_is_not_waited_for_long(
    gate: threading.Event,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def say_nothing() -> None:
            accepted, _ = listener.accept()
            with server_side().wrap_socket(accepted, server_side=True):
                gate.wait()

        thread = threading.Thread(target=say_nothing)
        thread.start()
        client = Client(listener.getsockname(), ssl=client_side(), limits=Limits(linger=0.05))
        client.connect()
        started = time.monotonic()
        client.close()
        assert time.monotonic() - started < 5
        gate.set()
        thread.join()


def test_a_reset_is_a_reset(log: pytest.LogCaptureFixture) -> None:
    notes = Notes(echo)
    with Server(**notes.callbacks, ssl=server_side()) as server:
        raw = client_side().wrap_socket(dial(server.address), server_hostname="127.0.0.1")
        raw.sendall(b"hello\n")
        assert raw.recv(100) == b"hello\n"
        reset(raw)
        until(lambda: notes.ends)
    assert notes.ends == [Reason.RESET]
    assert not [record for record in log.records if record.levelname == "ERROR"]


def test_garbage_in_place_of_tls_is_a_protocol_error(log: pytest.LogCaptureFixture) -> None:
    notes = Notes(echo)
    with Server(**notes.callbacks, ssl=server_side()) as server:
        plain = dial(server.address)
        with client_side().wrap_socket(plain, server_hostname="127.0.0.1") as raw:
            raw.sendall(b"hello\n")
            assert raw.recv(100) == b"hello\n"
            with socket.fromfd(raw.fileno(), raw.family, raw.type) as beneath:
                beneath.sendall(b"not TLS at all" * 10)
            until(lambda: notes.ends)
    assert notes.ends == [Reason.PROTOCOL_ERROR]


@pytest.mark.parametrize("who", ["server", "client"])
def test_who_does_not_read_is_too_slow(who: str) -> None:
    ends: list[Reason] = []

    def on_message(connection: Connection, data: bytes) -> None:
        for _ in range(100):
            connection.send(bytes(1_000_000))

    left = lambda _, reason: ends.append(reason)  # noqa: E731
    server = Server(on_message, on_disconnect=left, framing=Raw(), ssl=server_side())
    plain = dial(server.start().address, receive_buffer=4096)
    with server, client_side().wrap_socket(plain, server_hostname="127.0.0.1") as raw:
        raw.sendall(b"go")
        until(lambda: ends)
    assert ends == [Reason.TOO_SLOW]


def test_a_kick_lets_everything_out_first() -> None:
    def on_message(connection: Connection, text: str) -> None:
        connection.send("x" * 500_000)
        connection.close()

    server = Server(on_message, ssl=server_side())
    limits = Limits(max_message=1_000_000)
    with server, Client(server.address, ssl=client_side(), limits=limits, timeout=20) as client:
        client.send("go")
        assert client.recv() == "x" * 500_000
        with pytest.raises(ConnectionLost):
            client.recv()


def test_a_slow_coroutine_holds_up_its_sender_and_loses_nothing() -> None:
    async def on_message(connection: Connection, data: bytes) -> None:
        nonlocal received
        await asyncio.sleep(0.001)
        received += len(data)

    received = 0
    with (
        Server(on_message, framing=Raw(), ssl=server_side()) as server,
        Client(server.address, framing=Raw(), ssl=client_side()) as client,
    ):
        for _ in range(50):
            client.send(bytes(20_000))
        client.drain()
        until(lambda: received == 1_000_000)
