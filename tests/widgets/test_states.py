"""The TCP state of both ends, as the kernel tells it."""

import socket
import sys
from collections.abc import Callable

import psutil
import pytest

from sockkit.sync import Server
from sockkit.widgets import SocketStates
from sockkit.widgets.states import Ends

from ..waiting import until

linux = pytest.mark.skipif(sys.platform != "linux", reason="other kernels name and keep them apart")


def test_both_ends_of_a_connection(server: Server, dial: Callable[[], socket.socket]) -> None:
    with SocketStates(server) as states:
        dial()
        until(lambda: states.ends() == [Ends(1, "ESTABLISHED", "ESTABLISHED")])
        assert states.to_text() == "client 1: server ESTABLISHED, client ESTABLISHED"


def test_nobody(server: Server) -> None:
    with SocketStates(server) as states:
        assert states.to_text() == "no connections"
        assert "LISTEN" in states.to_svg()


@linux
def test_the_client_that_closed_first_waits(
    server: Server, dial: Callable[[], socket.socket]
) -> None:
    with SocketStates(server) as states:
        dial().close()
        until(lambda: states.ends() == [Ends(1, "", "TIME_WAIT")])


@linux
def test_the_server_that_stopped_first_waits_though_nobody_looked_before(
    server: Server, dial: Callable[[], socket.socket]
) -> None:
    with SocketStates(server) as states:
        with dial() as raw:
            server.wait_for_clients(1)
            server.stop()
            assert raw.recv(1) == b""
        until(lambda: states.ends() == [Ends(1, "TIME_WAIT", "")])


@linux
def test_a_kicked_client_that_does_not_close(
    server: Server, dial: Callable[[], socket.socket]
) -> None:
    with SocketStates(server) as states:
        dial()
        server.disconnect(1)
        until(lambda: [end.client for end in states.ends()] == ["CLOSE_WAIT"])


def test_the_states_of_now_are_marked(server: Server, dial: Callable[[], socket.socket]) -> None:
    with SocketStates(server) as states:
        dial()
        until(states.ends)
        details = {name: dict(pairs)["here"] for name, pairs in states.scene().details.items()}
        assert details["ESTABLISHED"] == "server 1, client 1"
        assert details["LISTEN"] == "server"
        assert details["CLOSING"] == "nobody"
        assert states.to_svg().count('class="here"') == 2


def test_where_the_kernel_does_not_tell(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    monkeypatch.setattr(psutil.Process, "net_connections", denied)
    with SocketStates(server) as states:
        assert "not available here" in states.to_text()
        assert "not available here" in states.caption()
        assert "not available here" in states.to_svg()


def test_without_psutil(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    with SocketStates(server) as states:
        assert "not available here: ModuleNotFoundError" in states.to_text()
