"""Three thousand clients at once."""

import resource
import socket
import sys
from collections.abc import Iterator

import pytest

from sockkit import Limits, Server

from ..waiting import until
from .peers import Notes, dial, slow_echo

CLIENTS = 3000


@pytest.fixture
def enough_descriptors() -> Iterator[None]:
    """Both ends of each connection are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * CLIENTS + 200
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"this system allows {hard} descriptors; this needs {needed}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="counts descriptors as Unix does")
@pytest.mark.usefixtures("enough_descriptors")
def test_three_thousand_clients_are_greeted_answered_and_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYTHONASYNCIODEBUG")  # it costs more than all of them
    notes = Notes(slow_echo)
    with Server(**notes.callbacks, limits=Limits(idle_timeout=300)) as server:
        raws: list[socket.socket] = []
        for number in range(CLIENTS):
            raws.append(dial(server.address))
            raws[-1].sendall(b"%d\n" % number)
        snapshot = server.wait_for_clients(CLIENTS, timeout=30)
        assert list(snapshot) == list(range(1, CLIENTS + 1))
        by_address = {connection.address: connection for connection in snapshot.values()}
        for number, raw in enumerate(raws):
            assert raw.recv(100) == b"%d\n" % number
            by_address[raw.getsockname()].send(f"only for {number}")
            assert raw.recv(100) == b"only for %d\n" % number
        assert server.broadcast("for all") == CLIENTS
        for raw in raws:
            assert raw.recv(100) == b"for all\n"
            raw.close()
        until(lambda: len(notes.ends) == CLIENTS)
        assert not server.clients
    assert sorted(notes.messages, key=int) == [str(number) for number in range(CLIENTS)]
