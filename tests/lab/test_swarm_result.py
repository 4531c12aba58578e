"""What a swarm says: its result, its progress, and that there are too few descriptors."""

import builtins
import dataclasses
import errno
import importlib.util
import os
import sys

import pytest

from sockkit.lab import descriptors, swarm
from sockkit.lab.swarm_result import ErrorGroup, SwarmResult, group_errors, merge

from .loopback import serve, upper

swarm_module = sys.modules["sockkit.lab.swarm"]  # `sockkit.lab.swarm` is the function


def result(latencies=(), errors=()):
    return SwarmResult(
        clients=4,
        connected=4,
        finished=3,
        replies=len(latencies),
        right=len(latencies),
        wrong=0,
        errors=group_errors(errors),
        connecting=0.5,
        duration=2.0,
        latencies=latencies,
    )


def test_percentiles_are_of_the_nearest_rank():
    of_100 = result([n / 1000 for n in range(1, 101)])
    assert [of_100.percentile(p) for p in (0, 1, 50, 99, 99.5, 100)] == [
        0.001,
        0.001,
        0.050,
        0.099,
        0.100,
        0.100,
    ]
    assert result([0.7]).percentile(50) == 0.7
    with pytest.raises(ValueError, match="within 0 to 100"):
        of_100.percentile(101)


def test_the_text_tells_it_all():
    text = result([0.001] * 4, [(4, ValueError("\x1b[31mred"))]).to_text()
    assert text == (
        "4 clients: 4 connected at once, 3 finished, 1 failed\n"
        "4 replies: 4 right, 0 wrong\n"
        "connecting took 0.50 s, the scripts 2.00 s: 2 replies a second\n"
        "latency in ms: p50 1.0, p90 1.0, p99 1.0, max 1.0\n"
        "1 times ValueError: client 4: ·[31mred"
    )
    assert repr(result()) == (
        "<SwarmResult: 4 clients, 3 finished, 1 failed; 0 replies right, 0 wrong>"
    )


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="needs matplotlib")
def test_the_plot_shows_the_percentiles(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    figure = result([n / 1000 for n in range(1, 101)]).plot()
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.texts] == [
        "p50: 50.0 ms",
        "p90: 90.0 ms",
        "p99: 99.0 ms",
    ]
    with pytest.raises(ValueError, match="no replies"):
        result().plot()


# Progress and descriptors.


@pytest.mark.skipif(not importlib.util.find_spec("tqdm"), reason="needs tqdm")
def test_a_long_swarm_shows_its_progress(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: clock[0])
    with swarm_module._bar(100, shown=True) as show:
        clock[0] = 60.0
        show("connecting", 40)
    assert "connecting:  40%" in capsys.readouterr().err
    with swarm_module._bar(100, shown=False) as show:
        show("connecting", 40)
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit")
def test_too_few_descriptors_are_told_before_anything_is_connected(monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limits", lambda: (1024, 4096))
    with serve(upper) as server:
        used = len(os.listdir("/dev/fd"))
        with pytest.raises(OSError, match=r"1,000 clients .*both ends.* limit is 1,024") as caught:
            swarm(1000, server.address)
        assert caught.value.errno == errno.EMFILE
        assert "resource.setrlimit" in str(caught.value)
        with pytest.raises(OSError, match="hard limit is 4,096: ask for"):
            swarm(10_000, server.address)
        assert server.clients == {}
        assert len(os.listdir("/dev/fd")) == used


def test_a_server_elsewhere_takes_no_descriptor_of_ours(listener):
    address = listener.getsockname()
    assert descriptors.listens_here(address)
    listener.close()
    assert not descriptors.listens_here(address)


def test_without_psutil_both_ends_are_counted(monkeypatch):
    real = builtins.__import__

    def without_psutil(name, *args, **kwargs):
        if name == "psutil":
            raise ImportError
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_psutil)
    assert descriptors.listens_here(("127.0.0.1", 1))


def test_where_there_is_no_limit_nothing_is_checked(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    descriptors.check_descriptors(10**9, ("127.0.0.1", 1))


# Parts of one swarm.


def test_percentiles_of_the_whole_are_those_of_all_replies_together():
    fast = [0.001 * n for n in range(1, 91)]
    slow = [1.0 + n for n in range(10)]
    whole = merge([result(fast), result(slow)])
    for percent in range(101):
        assert whole.percentile(percent) == result(sorted(fast + slow)).percentile(percent)
    assert whole.percentile(50) != (result(fast).percentile(50) + result(slow).percentile(50)) / 2


def test_counts_are_added_and_the_longest_times_taken():
    group = ErrorGroup("ValueError", 3, "client 9: no")
    more = dataclasses.replace(result([0.5]), errors=[group], connecting=7.0, duration=9.0)
    one = result([0.25], [(4, ValueError("no"))])
    whole = merge([one, more])
    assert (whole.clients, whole.finished) == (2 * one.clients, 2 * one.finished)
    assert (whole.connecting, whole.duration) == (7.0, 9.0)
    assert [tuple(e) for e in whole.errors] == [("ValueError", 4, "client 4: no")]
