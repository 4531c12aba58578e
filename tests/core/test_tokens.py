"""A server with a token: nobody has a number, or is heard, before the token is right."""

import asyncio
from typing import Any

import pytest

from sockkit import (
    AsyncClient,
    AsyncServer,
    AuthenticationError,
    Client,
    Connected,
    Limits,
    Raw,
    Reason,
    Refused,
    Server,
)

from ..waiting import until
from .clock import clock, run_with_clock
from .peers import Notes, dial, echo, in_a_loop, read_to_end, read_until_gone, reset

SECRET = "open sesame"


def test_who_knows_the_token_is_let_in() -> None:
    with Server(echo, token=SECRET) as server, Client(server.address, token=SECRET) as client:
        client.send("hello")
        assert client.recv() == "hello"
        assert list(server.clients) == [1]


@pytest.mark.parametrize("said", ["open says me", SECRET + " ", SECRET[:-1], "ä", "x" * 1024])
def test_who_does_not_is_refused_and_uses_no_number(
    said: str, log: pytest.LogCaptureFixture
) -> None:
    notes, records = Notes(), list[Any]()
    with Server(**notes.callbacks, token=SECRET) as server:
        server.observe(records.append)
        with pytest.raises(AuthenticationError, match="did not accept the token"):
            Client(server.address, token=said).connect()
        with Client(server.address, token=SECRET):
            assert list(server.wait_for_clients(1)) == [1]
    assert [type(record) for record in records[:2]] == [Refused, Connected]
    assert records[0].why == "wrong token"
    assert ("end", 0) not in notes.entries
    assert SECRET not in log.text
    assert said not in log.text


def test_who_says_nothing_known_gets_an_answer_in_words() -> None:
    notes = Notes()
    with Server(**notes.callbacks, token=SECRET) as server:
        with Client(server.address) as client:
            client.send("hello")
            assert list(client) == ["refused"]
        with dial(server.address) as raw:
            raw.sendall(b"x" * 2000)
            assert read_to_end(raw) == b"refused\n"
    assert notes.entries == []


def test_it_can_be_typed_and_dribbled_and_what_follows_at_once_counts() -> None:
    with Server(echo, token=SECRET) as server, dial(server.address) as raw:
        for byte in SECRET.encode():
            raw.sendall(bytes([byte]))
        assert not server.clients
        raw.sendall(b"\nhello\nan")
        with raw.makefile("rb") as stream:
            assert stream.readline() == b"welcome\n"
            assert stream.readline() == b"hello\n"
            raw.sendall(b"other\n")
            assert stream.readline() == b"another\n"
        [connection] = server.clients.values()
        assert (connection.received, connection.received_bytes) == (2, len(b"hello\nanother\n"))


def test_what_the_server_says_at_once_is_no_part_of_the_answer() -> None:
    server = Server(
        on_connect=lambda connection: connection.send(b"first"), framing=Raw(), token=SECRET
    )
    with server, Client(server.address, framing=Raw(), token=SECRET) as client:
        assert client.recv() == b"first"


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_who_leaves_before_the_token_was_nobody(leave: str) -> None:
    notes = Notes()
    with Server(**notes.callbacks, token=SECRET) as server:
        raw = dial(server.address)
        raw.sendall(SECRET.encode())  # and no newline
        raw.close() if leave == "close" else reset(raw)
        with Client(server.address, token=SECRET):
            assert list(server.wait_for_clients(1)) == [1]
    assert notes.entries == [("connect", 1), ("end", 1, Reason.CLOSED)]


def test_a_full_server_says_so_after_the_token() -> None:
    with (
        Server(token=SECRET, limits=Limits(max_clients=1)) as server,
        Client(server.address, token=SECRET),
        Client(server.address, token=SECRET) as second,
    ):
        assert list(second) == ["the server is full"]


def test_a_server_without_tokens_is_not_what_was_meant() -> None:
    with Server(echo) as server, pytest.raises(AuthenticationError, match="did not accept"):
        Client(server.address, token=SECRET).connect()


def test_nor_is_one_that_ends_or_talks_instead_of_answering() -> None:
    def hang_up(connection: Any) -> None:
        connection.close()

    def chatter(connection: Any) -> None:
        connection.send("x" * 5000)

    for on_connect in (hang_up, chatter):
        with Server(on_connect=on_connect) as server:
            with pytest.raises(AuthenticationError, match="ended instead of answering"):
                Client(server.address, token=SECRET).connect()
            until(lambda server=server: not server.clients)


def test_a_stop_does_not_wait_for_tokens() -> None:
    with Server(token=SECRET) as server, dial(server.address) as raw:
        raw.sendall(b"open")
        server.stop()
        assert read_until_gone(raw) == b""


async def _time_for_the_token() -> None:
    records: list[Any] = []
    limits = Limits(message_timeout=60, idle_timeout=1000)
    server = AsyncServer(echo, token=SECRET, limits=limits)
    server.observe(records.append)
    async with server:
        silent, silent_writer = await asyncio.open_connection(*server.address)
        dribbling, dribbling_writer = await asyncio.open_connection(*server.address)
        right, right_writer = await asyncio.open_connection(*server.address)
        right_writer.write(f"{SECRET}\n".encode())
        assert await right.readline() == b"welcome\n"
        for byte in SECRET.encode()[:6]:
            dribbling_writer.write(bytes([byte]))
            await clock().advance(9.9)
        await clock().advance(1)
        assert await silent.read() == await dribbling.read() == b""
        assert list(server.clients) == [1]
        await clock().advance(900)  # the time for the token is no time limit of its client
        right_writer.write(b"hello\n")
        assert await right.readline() == b"hello\n"
        for writer in (silent_writer, dribbling_writer, right_writer):
            writer.close()
    assert [record.why for record in records if isinstance(record, Refused)] == [
        "no token in time"
    ] * 2


def test_the_token_must_come_in_time() -> None:
    run_with_clock(_time_for_the_token)


@in_a_loop
async def test_the_same_in_a_loop_of_ones_own() -> None:
    async with (
        AsyncServer(echo, token=SECRET) as server,
        AsyncClient(server.address, token=SECRET) as client,
    ):
        client.send("hello")
        assert await client.recv() == "hello"
