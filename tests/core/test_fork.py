"""After a fork the child holds copies of the parent's sockets, but none of its threads."""

import multiprocessing
import os
import socket
import warnings

import pytest

from sockkit import Client, Server

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def in_a_forked_child(report) -> str:
    """What `report()` returns in a forked child that lives on until the end of the test."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 on: forking with threads
        pid = os.fork()
    if pid == 0:
        try:
            os.write(write, report().encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer


def what_it_raises(call) -> str:
    try:
        call()
    except BaseException as error:
        return type(error).__name__
    return "nothing"


def test_a_server_is_not_running_in_the_child_and_says_so():
    with Server() as server, Client(server.address) as client:
        connection = server.wait_for_clients(1)[1]
        calls = [
            lambda: server.address,
            lambda: server.broadcast("hello"),
            lambda: server.send(1, "hello"),
            lambda: client.send("hello"),
            lambda: client.recv(),
        ]
        answers = in_a_forked_child(lambda: " ".join(what_it_raises(call) for call in calls))
        assert set(answers.split()) == {"ClosedError"}
        assert connection.reason is None


def test_the_parents_clients_see_their_end_while_the_child_lives():
    with Server() as server, socket.create_connection(server.address) as peer:
        peer.settimeout(10)
        server.wait_for_clients(1)
        context = multiprocessing.get_context("fork")
        release = context.Event()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = context.Process(target=release.wait)
            child.start()
        try:
            server.disconnect(1)
            assert peer.recv(1) == b""
        finally:
            release.set()
            child.join()


def test_a_child_can_start_a_server_of_its_own():
    def serve() -> str:
        upper = Server(lambda connection, text: connection.send(text.upper()))
        with upper as server, Client(server.address) as client:
            client.send("from the child")
            return client.recv()

    with Server() as server, Client(server.address):
        server.wait_for_clients(1)
        assert in_a_forked_child(serve) == "FROM THE CHILD"
