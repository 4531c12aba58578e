import os
import signal
import socket
import subprocess
import sys
import textwrap

import psutil
import pytest

from sockkit.lab import NotServing, Served, served

from ..waiting import until
from . import serving

pytestmark = pytest.mark.usefixtures("nothing_left")

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")


processes = pytest.mark.parametrize(
    "serve",
    ["one_who_tells_its_process", pytest.param("one_who_leaves_it_to_a_child", marks=posix)],
)


def ended(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE  # until somebody asks for its exit code
    except psutil.NoSuchProcess:
        return True


def ask(sock, line):
    sock.sendall(line)
    return sock.recv(100)


def dial(server):
    return socket.create_connection(server.address, timeout=10)


@pytest.mark.parametrize("serve", [serving.a_thread_each, serving.on_a_loop])
def test_a_function_serves_in_another_process(serve):
    with Served(serve) as server, dial(server) as client:
        assert ask(client, b"hello\n") == b"HELLO\n"
        assert server.running
        assert server.memory > 1_000_000


def test_a_function_that_nobody_can_import_serves_too():
    word = b"from here"

    def serve(ready):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ready(listener.getsockname())
            with listener.accept()[0] as connection:
                connection.sendall(word)

    with Served(serve) as server, dial(server) as client:
        assert client.recv(100) == b"from here"


def test_threads_are_those_of_the_server_alone():
    with Served(serving.a_thread_each) as server:
        assert server.threads == 1
        with dial(server) as first, dial(server) as second:
            ask(first, b"hello\n")
            ask(second, b"hello\n")
            assert server.threads == 3


@processes
def test_it_ends_at_the_end_of_the_block(serve):
    with Served(getattr(serving, serve)) as server, dial(server) as client:
        process = psutil.Process(int(client.recv(100)))
    until(lambda: ended(process))


@processes
def test_it_ends_with_the_process_that_started_it(serve):
    program = f"""
        import socket, sys
        sys.path.insert(0, ".")
        from sockkit.lab import Served
        from tests.lab import serving

        with Served(serving.{serve}) as server:
            with socket.create_connection(server.address) as client:
                print(client.recv(100).decode(), flush=True)
            sys.stdin.read()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        process = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        until(lambda: ended(process))


def test_a_server_that_fails_at_once_says_why():
    with pytest.raises(NotServing, match=r"before it was ready\. ValueError: no luck"):
        Served(serving.one_who_fails).__enter__()


def test_a_server_that_is_never_ready_is_given_up():
    with pytest.raises(NotServing, match=r"not ready after 0\.5 s"):
        Served(serving.one_who_is_never_ready, patience=0.5).__enter__()


def test_what_it_writes_can_be_read_and_its_end_be_awaited():
    with Served(serving.one_who_speaks) as server:
        assert not server.wait(0)
        dial(server).close()
        assert server.wait(10)
        assert not server.running
        assert server.words == "printed\ncomplained\n"
        assert server.last_words == "complained"


@posix
def test_it_runs_out_of_descriptors_and_this_process_does_not():
    with Served(serving.a_thread_each, descriptors=24) as server:
        clients = []
        while server.running and len(clients) < 30:
            clients.append(socket.socket())
            clients[-1].connect_ex(server.address)
        assert server.wait(10)
        for client in clients:
            client.close()
        assert server.last_words == "OSError: [Errno 24] Too many open files"
    os.close(os.dup(0))


@pytest.mark.skipif(sys.platform == "win32", reason="there it would be the console's signal")
def test_an_interrupt_while_it_starts_ends_it(monkeypatch):
    def interrupted(self):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Served, "_wait_until_ready", interrupted)
    server = Served(serving.a_thread_each)
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            server.__enter__()
    finally:
        signal.signal(signal.SIGINT, previous)
    assert not server.running


def test_windows_has_no_descriptor_limit(monkeypatch):
    monkeypatch.setattr(served.sys, "platform", "win32")
    with pytest.raises(NotImplementedError, match="Windows"):
        Served(serving.a_thread_each, descriptors=24)
