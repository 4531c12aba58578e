"""`until_blocked` returns when a thread is in a system call, not before, and waits no longer."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from sockkit.lab import ThreadedEcho, until_blocked


@contextlib.contextmanager
def running(work) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work, name="the thread")
    thread.start()
    try:
        yield thread
    finally:
        thread.join(20)


def test_a_thread_that_waits_for_bytes_is_blocked() -> None:
    here, there = socket.socketpair()
    with here, there, running(lambda: there.recv(1)) as thread:
        until_blocked(thread)
        assert thread.is_alive()
        here.send(b"x")


def test_a_thread_that_works_is_not() -> None:
    enough = threading.Event()

    def work() -> None:
        while not enough.is_set():
            pass

    with running(work) as thread:
        try:
            with pytest.raises(TimeoutError, match=r"the thread is not blocked after 0\.2 s"):
                until_blocked(thread, timeout=0.2)
        finally:
            enough.set()


def test_it_waits_for_one_that_has_something_to_do_first() -> None:
    here, there = socket.socketpair()
    waits = threading.Event()

    def work() -> None:
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            pass
        waits.set()
        there.recv(1)

    with here, there, running(work) as thread:
        until_blocked(thread, timeout=20)
        assert waits.is_set()
        here.send(b"x")


def test_one_that_has_ended_is_told() -> None:
    thread = threading.Thread(target=int, name="the thread")
    thread.start()
    thread.join()
    with pytest.raises(RuntimeError, match="the thread is not running"):
        until_blocked(thread)


def test_the_server_of_threads_serves_and_ends_when_it_is_woken() -> None:
    server = ThreadedEcho()
    with socket.create_connection(server.listener.getsockname(), timeout=5) as client:
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
        until_blocked(server.threads[0])
        for sock in (server.listener, *server.connections):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in server.threads:
            thread.join(20)
        assert not [thread for thread in server.threads if thread.is_alive()]
