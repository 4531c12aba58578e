"""The ends of a connection that come from the other side: told once, in time, after all it said."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Self

import pytest

from sockkit import Connection, Reason, Server

from ..conftest import open_descriptors
from ..core.peers import dial, echo, read_to_end, reset, slow_echo
from ..waiting import until
from .catalogue import bound, size
from .timing import ms, spread

SOON = 0.050  # seconds


class Ends:
    """Writes down when each client's end was told, and what it had said before."""

    def __init__(self) -> None:
        self.said: dict[int, list[Any]] = {}
        self.ends: list[tuple[int, Reason]] = []
        self.times: dict[int, float] = {}

    def on_message(self, connection: Connection, message: Any) -> None:
        self.said.setdefault(connection.number, []).append(message)

    def on_disconnect(self, connection: Connection, reason: Reason) -> None:
        self.times[connection.number] = time.perf_counter()
        self.ends.append((connection.number, reason))

    def are(self, reason: Reason, count: int) -> bool:
        """Whether each of `count` clients ended once, and all for this reason."""
        return sorted(self.ends) == [(number, reason) for number in range(1, count + 1)]


@pytest.mark.row("polite close (FIN)")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.timeout(240)
def test_every_polite_close_is_told_once_after_the_last_message(
    figure: Callable[[str], None],
) -> None:
    count, ends, closed_at = size(10_000, 2_000), Ends(), list[float]()
    with Server(ends.on_message, on_disconnect=ends.on_disconnect) as server:
        for number in range(1, count + 1):
            raw = dial(server.address)
            raw.sendall(b"one\ntwo\n%d\nnot whole" % number)
            raw.shutdown(socket.SHUT_WR)
            closed_at.append(time.perf_counter())
            assert read_to_end(raw) == b""
            raw.close()
        until(lambda: len(ends.ends) >= count)
    assert ends.are(Reason.CLOSED, count)
    assert ends.said == {number: ["one", "two", str(number)] for number in range(1, count + 1)}
    delays = [ends.times[number] - closed_at[number - 1] for number in range(1, count + 1)]
    figure(f"{len(ends.ends):,} of {count:,} exactly once; {spread(delays)}")
    bound(max(delays) < SOON, f"one end was told only after {ms(max(delays))}")


@pytest.mark.row("half-close")
@pytest.mark.usefixtures("at_full_speed")
def test_after_half_a_close_every_queued_reply_arrives(figure: Callable[[str], None]) -> None:
    clients, replies = size(200, 50), 1_000
    sent = b"".join(b"%d\n" % number for number in range(replies))
    arrived = 0
    for handler in (echo, slow_echo):
        with Server(handler) as server:
            raws = [dial(server.address) for _ in range(clients)]
            for raw in raws:
                raw.sendall(sent)
                raw.shutdown(socket.SHUT_WR)
            for raw in raws:
                received = read_to_end(raw)
                raw.close()
                assert received == sent
                arrived += received.count(b"\n")
    figure(f"{arrived:,} of {2 * clients * replies:,} replies arrived")


RESETS = {
    "SO_LINGER of 0 s": reset,
    "close with unread data": socket.socket.close,
}


@pytest.mark.row("reset")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.parametrize("how", RESETS)
def test_a_reset_is_told_as_one_and_nothing_is_printed(
    how: str,
    figure: Callable[[str], None],
    log: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    count, ends, left_at = size(5_000, 500), Ends(), list[float]()

    def greet(connection: Connection) -> None:
        connection.send("hello")

    with Server(ends.on_message, on_connect=greet, on_disconnect=ends.on_disconnect) as server:
        for number in range(1, count + 1):
            raw = dial(server.address)
            raw.sendall(b"heard\n")
            assert raw.recv(1) == b"h"  # and the rest stays unread
            until(lambda number=number: number in ends.said)
            left_at.append(time.perf_counter())
            RESETS[how](raw)
        until(lambda: len(ends.ends) >= count)
    assert ends.are(Reason.RESET, count)
    assert set(map(tuple, ends.said.values())) == {("heard",)}
    assert log.records == []
    assert capfd.readouterr().err == ""
    delays = [ends.times[number] - left_at[number - 1] for number in range(1, count + 1)]
    figure(f"{len(ends.ends):,} of {count:,} ({how}); {spread(delays)}")
    bound(max(delays) < SOON, f"one end was told only after {ms(max(delays))}")


@pytest.mark.row("disconnect storm")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.timeout(240)
def test_when_all_leave_at_once_list_callbacks_and_descriptors_agree(
    figure: Callable[[str], None],
) -> None:
    count, ends = size(10_000, 3_000), Ends()
    with Server(ends.on_message, on_disconnect=ends.on_disconnect) as server:
        before = open_descriptors()
        with Crowd(server.address, count) as crowd:
            connected = server.wait_for_clients(count, timeout=60)
            assert list(connected) == list(range(1, count + 1))
            assert open_descriptors() == before + count + 2  # and the crowd's two pipes
            crowd.vanish()
            began = time.perf_counter()
            until(lambda: len(ends.ends) >= count, timeout=60)
            took = time.perf_counter() - began
            until(lambda: open_descriptors() == before + 2)
        assert dict(server.clients) == {}
    assert ends.are(Reason.CLOSED, count)
    figure(f"{count:,} at once: none left, none twice, all descriptors closed; {took:.2f} s")


CROWD = """
import socket, sys
host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
raws = [socket.create_connection((host, port)) for _ in range(count)]
print(len(raws), flush=True)
sys.stdin.read()
"""


class Crowd:
    """Clients in a process of their own, which the system closes all at once when it is killed."""

    def __init__(self, address: tuple[str, int], count: int) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", CROWD, address[0], str(address[1]), str(count)]
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def vanish(self) -> None:
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.communicate()
