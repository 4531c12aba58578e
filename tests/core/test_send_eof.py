"""The half-close of a client: nothing more is sent, and every reply still arrives."""

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable

import pytest

from sockkit import (
    AsyncClient,
    AsyncServer,
    BufferFull,
    Client,
    ClosedError,
    ConnectionLost,
    Reason,
    Server,
)
from sockkit.connection import Connection


async def slow_echo(connection: Connection, text: str) -> None:
    await asyncio.sleep(0)
    connection.send(text.upper())


def test_every_reply_arrives_after_send_eof() -> None:
    with Server(slow_echo) as server, Client(server.address) as client:
        for number in range(1000):
            client.send(f"line {number}")
        client.send_eof()
        assert list(client) == [f"LINE {number}" for number in range(1000)]
        assert client.reason is Reason.CLOSED


def test_the_server_hears_of_a_polite_close() -> None:
    reasons: list[Reason] = []
    left: Callable[..., None] = lambda connection, reason: reasons.append(reason)  # noqa: E731
    with Server(on_disconnect=left) as server, Client(server.address) as client:
        client.send_eof()
        with pytest.raises(ConnectionLost):
            client.recv()
    assert reasons == [Reason.CLOSED]


def test_nothing_can_be_sent_after_it() -> None:
    with Server() as server, Client(server.address) as client:
        client.send_eof()
        assert not client.connected
        with pytest.raises(ClosedError, match="after send_eof"):
            client.send("too late")


def test_doing_it_again_changes_nothing_and_close_still_works() -> None:
    with Server() as server, Client(server.address) as client:
        client.send_eof()
        client.send_eof()
        client.close()
        with pytest.raises(ClosedError):
            client.send_eof()


def test_it_needs_a_connection() -> None:
    with pytest.raises(ClosedError, match="not connected"):
        Client(("127.0.0.1", 1)).send_eof()


def test_a_thread_that_sends_while_another_closes_gets_a_clear_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def send_for_ever(client: Client, errors: list[Exception]) -> None:
        try:
            while True:
                client.send("and on")
        except Exception as error:
            errors.append(error)

    for end in (Client.send_eof, Client.close) * 4:
        errors: list[Exception] = []
        with Server() as server, Client(server.address) as client:
            thread = threading.Thread(target=send_for_ever, args=(client, errors))
            thread.start()
            while not client.pending and not errors:
                pass  # until it is in full swing
            end(client)
            thread.join()
        assert [type(error) for error in errors] in ([ClosedError], [BufferFull], [ConnectionLost])
    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert failures == []


async def _half_close_inside_a_loop() -> list[str]:
    async with AsyncServer(slow_echo) as server, AsyncClient(server.address) as client:
        client.send("hello")
        client.send_eof()
        return [text async for text in client]


def test_it_works_inside_an_event_loop() -> None:
    assert asyncio.run(_half_close_inside_a_loop(), debug=True) == ["HELLO"]


def test_tls_says_that_it_has_no_half_close() -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)
    with (
        Server(slow_echo, ssl=server_side) as server,
        Client(server.address, ssl=client_side) as client,
    ):
        with pytest.raises(NotImplementedError, match="half-close"):
            client.send_eof()
        assert client.connected
