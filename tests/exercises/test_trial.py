"""What checks are made of: partners that never wait for ever, and a trial that cleans up."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sockkit.exercises.calls import OwnThread
from sockkit.exercises.leftovers import Before, describe, open_sockets, wake
from sockkit.exercises.running import Stopped
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet


@pytest.fixture
def trial() -> Iterator[Trial]:
    before = Before()
    trial = Trial(OwnThread(), before, 5)
    yield trial
    trial.end_calls()
    trial.close()
    assert before.new_sockets() == []


def pair(trial: Trial) -> Any:
    """Both ends, with a call at work, since nobody waits where none is."""
    trial.start(lambda: time.sleep(0.5) or 1)
    return trial.pair()


def test_a_partner_gets_what_was_sent_and_writes_it_down(trial: Trial) -> None:
    partner, theirs = pair(trial)
    theirs.sendall(b"one\ntwo\n")
    assert partner.receive(2) == b"on"
    assert partner.receive_line() == b"e\n"
    theirs.close()
    assert partner.receive_all() == b"two\n"
    assert partner.ended == "finished"
    assert trial.wire == [
        "← 2 bytes  b'on'",
        r"← 2 bytes  b'e\n'",
        r"← 4 bytes  b'two\n'",
        "← the end (FIN)",
    ]


def test_a_partner_stops_waiting_in_time(trial: Trial) -> None:
    partner, _ = pair(trial)
    start = time.monotonic()
    assert partner.receive(1, within=0.2) == b""
    assert 0.2 <= time.monotonic() - start < 2
    assert trial.wire == ["← nothing"]
    assert partner.ended == ""


def test_a_partner_sees_a_reset(trial: Trial) -> None:
    first, second = trial.pair()
    first.reset()
    with pytest.raises(ConnectionResetError):
        second.recv(1)
    partner, theirs = pair(trial)
    partner.send(b"unread")
    theirs.close()
    assert partner.receive_all() == b""
    assert partner.ended == "reset"
    assert trial.wire[-1] == "← a reset (RST)"


def test_a_wait_ends_when_it_is_so_when_time_is_up_and_when_nobody_could_make_it_so(
    trial: Trial,
) -> None:
    looks: list[float] = []
    running = trial.start(time.sleep, 0.5)
    assert trial.wait(lambda: looks.append(0) or len(looks) == 3) is True
    start = time.monotonic()
    assert trial.wait(lambda: False, within=0.05) is False
    assert time.monotonic() - start >= 0.05
    assert trial.wait(running.ended, within=4) is True
    start = time.monotonic()
    assert trial.wait(lambda: False, within=4) is False
    assert time.monotonic() - start < 2
    trial.stopping.set()
    with pytest.raises(Stopped):
        trial.wait(lambda: True)


def test_a_wait_counts_its_looks_so_that_a_busy_machine_has_more_time(trial: Trial) -> None:
    looks: list[None] = []
    trial.start(time.sleep, 1)
    late = 0.03  # seconds, as if each look came so late
    assert trial.wait(lambda: bool(looks.append(time.sleep(late)) or len(looks) == 10), within=0.1)


def test_who_does_not_read_is_told_so(trial: Trial) -> None:
    partner, _ = pair(trial)
    with pytest.raises(NotYet, match="You have stopped reading"):
        partner.send(bytes(1 << 24), within=0.3)


def test_who_has_gone_is_told_so(trial: Trial) -> None:
    partner, theirs = pair(trial)
    theirs.close()

    def send_on() -> None:
        for _ in range(100):
            partner.send(b"x")
            time.sleep(0.01)

    with pytest.raises(NotYet, match="You ended the connection"):
        send_on()


def test_a_server_that_is_not_there_is_told(trial: Trial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(NotYet, match="could not connect to your server"):
        trial.connect(address)


def test_a_client_that_does_not_come_is_told(trial: Trial) -> None:
    listener = trial.listen()
    with pytest.raises(NotYet, match="Nobody connected"):
        listener.accept(within=0.2)


def test_when_the_answer_has_ended_nobody_waits_for_it(trial: Trial) -> None:
    trial.call(lambda: 1)
    partner, _ = trial.pair()
    start = time.monotonic()
    assert partner.receive(1, within=4) == b""
    assert time.monotonic() - start < 2


def test_after_the_time_is_up_every_wait_ends() -> None:
    trial = Trial(OwnThread(), Before(), 0.3)
    partner, _ = pair(trial)
    assert partner.receive(1, within=5) == b""
    with pytest.raises(Stopped):
        partner.receive(1)
    with pytest.raises(Stopped):
        trial.call(time.sleep, 1)
    trial.end_calls()
    trial.close()


def test_who_waits_on_a_socket_on_another_thread_is_woken() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    connection, _ = listener.accept()
    waits = {listener: listener.accept, connection: lambda: connection.recv(1)}
    for sock, wait in waits.items():
        thread = threading.Thread(target=ignoring_errors(wait))
        thread.start()
        wake(sock)
        thread.join(5)
        assert not thread.is_alive()
    for sock in (listener, client, connection):
        sock.close()


def ignoring_errors(function: Callable[[], Any]) -> Callable[[], None]:
    def call() -> None:
        with contextlib.suppress(OSError):
            function()

    return call


def test_a_socket_may_be_closed_at_the_moment_at_which_it_is_looked_at(trial: Trial) -> None:
    class Closing(socket.socket):
        """The answer closes it as soon as the check has its number."""

        def fileno(self) -> int:
            number = super().fileno()
            self.close()
            return number

    trial.start(lambda: time.sleep(0.5))
    with Closing() as sock:
        trial.wait_until_read(sock)
        assert sock.fileno() < 0


def test_sockets_are_described_as_a_person_would() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert describe(listener) == f"a listener on port {port}"
        assert listener in open_sockets()
        with socket.create_connection(listener.getsockname()) as client:
            mine = client.getsockname()[1]
            assert describe(client) == f"a connection from port {mine} to {port}"
    assert describe(listener) == "a socket without a connection"
    assert listener not in open_sockets()


def test_only_what_is_new_is_found() -> None:
    old = socket.socket()
    before = Before()
    new = socket.socket()
    assert before.new_sockets() == [new]
    new.close()
    assert before.new_sockets() == []
    old.close()


@pytest.mark.filterwarnings("ignore:unclosed")
def test_a_socket_in_a_dropped_cycle_is_not_open_any_more() -> None:
    before = Before()
    cycle: list[Any] = [socket.socket()]
    cycle.append(cycle)
    assert len(before.new_sockets()) == 1
    del cycle
    assert before.new_sockets() == []
