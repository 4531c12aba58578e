"""A server may ask that threads take turns more often; afterwards all is as it was."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sockkit import Server
from sockkit.switching import SwitchInterval

from ..waiting import until
from .peers import echo


@pytest.fixture(autouse=True)
def usual() -> Iterator[float]:
    usual = sys.getswitchinterval()
    yield usual
    assert sys.getswitchinterval() == usual


def test_it_counts_from_start_to_stop(usual: float) -> None:
    server = Server(echo, switch_interval=0.0005)
    for _ in range(2):
        assert sys.getswitchinterval() == usual
        with server:
            assert server.start() is server
            assert sys.getswitchinterval() == pytest.approx(0.0005)
        server.stop()


def test_a_server_that_asks_for_nothing_changes_nothing(usual: float) -> None:
    with Server(echo):
        assert sys.getswitchinterval() == usual


def test_of_several_the_shortest_counts_in_whichever_order_they_stop(usual: float) -> None:
    for first in (0, 1):
        servers = [Server(echo, switch_interval=seconds).start() for seconds in (0.001, 0.0002)]
        assert sys.getswitchinterval() == pytest.approx(0.0002)
        servers.pop(first).stop()
        assert sys.getswitchinterval() == pytest.approx((0.0002, 0.001)[first])
        servers.pop().stop()
        assert sys.getswitchinterval() == usual


def test_a_server_that_does_not_start_asks_for_nothing(usual: float) -> None:
    with Server(echo) as other, pytest.raises(OSError, match="has this port"):
        Server(echo, port=other.address[1], switch_interval=0.001).start()
    assert sys.getswitchinterval() == usual


def test_a_forgotten_server_asks_no_more(usual: float) -> None:
    servers = [Server(echo, switch_interval=0.001).start()]
    with pytest.warns(ResourceWarning):
        servers.clear()
    assert sys.getswitchinterval() == usual


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_no_server_and_so_the_usual_interval(usual: float) -> None:
    with Server(echo, switch_interval=0.001):
        child = os.fork()
        if child == 0:
            os._exit(0 if sys.getswitchinterval() == usual else 1)
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_that_is_forked_while_another_thread_asks_can_ask_as_well(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = threading.Event()

    def ask_slowly(seconds: float) -> None:
        asking.set()
        gate.wait()

    slow = SwitchInterval(0.001)
    other = threading.Thread(target=slow.hold)
    with Server(echo) as server:
        monkeypatch.setattr(sys, "setswitchinterval", ask_slowly)
        other.start()
        asking.wait()
        child = os.fork()
        if child == 0:
            os._exit(1 if server.running else 0)  # the fork itself has had the server ask no more
        try:
            until(lambda: os.waitpid(child, os.WNOHANG) == (child, 0))
        except AssertionError:
            os.kill(child, signal.SIGKILL)
            raise
        finally:
            gate.set()
            other.join()
            slow.release()


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_it_is_more_than_nothing(seconds: Any) -> None:
    with pytest.raises(ValueError, match="switch_interval must be more than 0"):
        Server(echo, switch_interval=seconds)
