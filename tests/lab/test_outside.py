"""Clients and servers in processes of their own."""

import socket

import pytest

from sockkit import Client, Connection, Server
from sockkit.lab.outside import Caller, EchoServer

pytestmark = pytest.mark.usefixtures("nothing_left")


def echo(connection: Connection, text: str) -> None:
    connection.send(text)


def test_a_caller_measures_while_the_block_runs() -> None:
    with Server(echo) as server, Caller(server.address) as caller:
        connection = server.wait_for_clients(1)[1]
        for _ in range(2):
            before = connection.received
            with caller.measuring() as times:
                assert times == []
            assert len(times) == connection.received - before >= 1
            assert all(0 < each < 10 for each in times)


def test_a_caller_ends_when_its_block_fails() -> None:
    with Server(echo) as server:
        with (
            pytest.raises(ZeroDivisionError),
            Caller(server.address) as caller,
            caller.measuring(),
        ):
            raise ZeroDivisionError
        caller.close()


def test_a_caller_says_when_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(ConnectionError, match="child process has ended"):
        Caller(address)


def test_a_caller_says_when_the_server_goes() -> None:
    with (
        Server(echo) as server,
        Caller(server.address) as caller,
        pytest.raises(ConnectionError, match="child process has ended"),
        caller.measuring(),
    ):
        server.stop()


def test_a_caller_says_so_too_if_its_process_ended_before_the_block_did() -> None:
    def server_and_caller_end() -> None:
        with caller.measuring():
            server.stop()
            caller._process.wait(timeout=20)

    with (
        Server(echo) as server,
        Caller(server.address) as caller,
        pytest.raises(ConnectionError, match="child process has ended"),
    ):
        server_and_caller_end()


def test_an_echo_in_another_process() -> None:
    with EchoServer() as elsewhere, Client(elsewhere.address) as client:
        client.send("hello")
        assert client.recv() == "HELLO"
    with pytest.raises(OSError, match=r"refused|10061"):
        socket.create_connection(elsewhere.address, timeout=2)
