"""The life of the process: its end, its forks, and servers that nobody holds any more."""

import os
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Callable

import pytest

from sockkit import ClosedError, Reason, Server

from ..core.peers import Notes, dial, echo, read_to_end
from ..core.program import ROOT, complaints
from ..core.test_server import is_free
from ..waiting import until
from .catalogue import bound, size
from .timing import ms, spread

AT_EXIT = """
    import socket, sys, time
    from sockkit import Client, Server

    server = Server(lambda connection, text: connection.send(text)).start()
    raws = [socket.create_connection(server.address) for _ in range(100)]
    client = Client(server.address).connect()
    server.wait_for_clients(101)
    client.send("hello")
    assert client.recv() == "hello"
    server.broadcast("goodbye")
    for raw in raws:
        raw.detach()
    print(time.time())
"""


@pytest.mark.row("interpreter exit with a running server")
@pytest.mark.timeout(120)
def test_the_interpreter_ends_quickly_and_in_silence(figure: Callable[[str], None]) -> None:
    runs, took = size(30, 5), list[float]()
    for _ in range(runs):
        command = [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(AT_EXIT)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=ROOT)
        took.append(time.time() - float(done.stdout))
        assert (done.returncode, complaints(done)) == (0, [])
    assert max(took) < 3
    figure(f"{runs} of {runs} with 101 clients: code 0 in silence; slowest {max(took):.2f} s")


@pytest.mark.row("forgotten server")
@pytest.mark.usefixtures("at_full_speed")
def test_a_forgotten_server_warns_and_gives_its_port_back(figure: Callable[[str], None]) -> None:
    rounds, free_after = size(500, 50), list[float]()
    for _ in range(rounds):
        servers = [Server(echo).start()]
        address = servers[0].address
        with dial(address) as raw:
            with pytest.warns(ResourceWarning, match="forgotten, and now stopped"):
                servers.clear()
            began = time.perf_counter()
            assert read_to_end(raw) == b""
        until(lambda address=address: is_free(address))
        free_after.append(time.perf_counter() - began)
    figure(f"{rounds} of {rounds} warned; port free again: {spread(free_after)}")


@pytest.mark.row("fork")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_holds_up_no_end_of_the_parents(figure: Callable[[str], None]) -> None:
    forks, delays, notes = size(200, 20), list[float](), Notes()
    with Server(**notes.callbacks) as server:
        for number in range(1, forks + 1):
            with dial(server.address) as raw:
                server.wait_for_clients(1)
                with Child(server) as child:
                    assert child.error == "ClosedError"
                    began = time.perf_counter()
                    server.disconnect(number)
                    assert raw.recv(1) == b""  # though the child is still there
                    delays.append(time.perf_counter() - began)
    assert notes.ends == [Reason.KICKED] * forks
    figure(f"{forks} of {forks} children got ClosedError; FIN while they live: {spread(delays)}")
    bound(max(delays) < 0.050, f"one FIN came only after {ms(max(delays))}")


class Child:
    """A forked child that tries a call of the server, tells what it raised, and stays a while."""

    def __init__(self, server: Server) -> None:
        told, tell = os.pipe()
        waiting, self._release = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 on: forking with threads
            self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._release)
                try:
                    server.broadcast("hello")
                except ClosedError as error:
                    os.write(tell, type(error).__name__.encode())
                os.close(tell)
                os.read(waiting, 1)
            finally:
                os._exit(0)
        os.close(tell)
        os.close(waiting)
        with os.fdopen(told) as pipe:
            self.error = pipe.read()

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self._release)
        os.waitpid(self._pid, 0)
