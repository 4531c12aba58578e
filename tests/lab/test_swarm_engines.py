"""A swarm on the engines of ipyparallel, two of them, in processes of their own."""

import asyncio
import importlib.util
import os
import signal
import time
import warnings

import pytest

from sockkit.lab import swarm, swarm_engines
from sockkit.lab.swarm_part import Progress

from ..waiting import until
from .loopback import HOST, serve, upper

pytestmark = pytest.mark.timeout(180)  # a controller and two engines start in the first test


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """A client of a cluster of this test run's own, and its processes."""
    if importlib.util.find_spec("ipyparallel") is None:
        must = os.environ.get("CI", "").lower() == "true"
        (pytest.fail if must else pytest.skip)("needs ipyparallel: the extra `cluster`")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own making
        import ipyparallel

        folder = str(tmp_path_factory.mktemp("ipython"))
        cluster = ipyparallel.Cluster(
            n=2, ipython_dir=folder, profile="test", controller_ip=HOST, log_level=40
        )
        client = cluster.start_and_connect_sync(activate=False)
    yield client
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client.close()
        cluster.stop_cluster_sync()


def parts_left(engines):
    """How many parts of swarms the engines still hold."""

    def count():
        import threading

        from sockkit.lab import swarm_part

        threads = [t for t in threading.enumerate() if t.name.startswith("sockkit swarm")]
        return len(swarm_part._parts) + len(threads)

    return sum(engines[:].apply_sync(count))


def test_the_engines_share_the_clients(engines):
    with serve(upper) as server:
        result = swarm(101, server.address, on=engines, progress=False)
    assert result.ok
    assert (result.clients, result.connected, result.finished) == (101, 101, 101)
    assert (result.replies, result.right, result.wrong) == (303, 303, 0)
    assert len(result.latencies) == 303
    assert result.latencies == sorted(result.latencies)
    assert 0 < result.percentile(50) <= result.percentile(99)
    assert parts_left(engines) == 0


def test_every_client_has_a_number_of_its_own_and_none_begins_before_all_are_there(engines):
    counts, texts = set(), []

    def note(connection, text):
        counts.add(len(server.clients))
        texts.append(text)
        connection.send(text)

    async def script(client, number):
        await client.ask(f"{number}")
        await client.ask("done")

    with serve(note) as server:
        assert swarm(20, server.address, script, on=engines).finished == 20
    assert sorted(int(text) for text in texts if text != "done") == list(range(1, 21))
    assert max(counts) == 20
    assert texts[0] != "done"


def test_failures_of_all_engines_are_grouped(engines):
    async def script(client, number):
        if number % 2:
            raise ValueError(f"odd: {number}")

    with serve(upper) as server:
        result = swarm(10, server.address, script, on=engines)
    assert [tuple(group) for group in result.errors] == [("ValueError", 5, "client 1: odd: 1")]


def test_options_reach_the_clients_and_the_time_is_limited(engines):
    async def script(client, number):
        await asyncio.Event().wait()

    with serve(upper, token="let me in") as server:
        result = swarm(4, server.address, script, on=engines, token="let me in", timeout=1)
        assert [(group.kind, group.clients) for group in result.errors] == [("Unfinished", 4)]
        result = swarm(4, server.address, on=engines, token="wrong")
        assert [group.kind for group in result.errors] == ["AuthenticationError"]
    assert parts_left(engines) == 0


def test_what_an_engine_can_not_begin_is_raised(engines):
    with serve(upper) as server, pytest.raises(Exception, match="no such option") as caught:
        swarm(4, server.address, on=engines, framing=Unsendable())
    assert type(caught.value).__name__ == "RemoteError"
    assert parts_left(engines) == 0


class Unsendable:
    def __reduce__(self):
        return (refuse, ())


def refuse():
    raise ValueError("no such option")


def test_an_interrupt_leaves_nothing_on_the_engines(engines, monkeypatch):
    def interrupt(swarm, true, deadline, show):
        raise KeyboardInterrupt

    monkeypatch.setattr(swarm_engines._Swarm, "wait", interrupt)
    with serve(upper) as server:
        with pytest.raises(KeyboardInterrupt):
            swarm(10, server.address, on=engines)
        until(lambda: parts_left(engines) == 0)
        until(lambda: server.clients == {})


def test_an_engine_that_does_not_answer_counts_as_gone(engines, monkeypatch):
    one = swarm_engines._Swarm(engines, list(engines.ids), 10)
    assert one.ask(lambda token: Progress(0, 0, 0, True)).keys() == set(engines.ids)
    monkeypatch.setattr(swarm_engines, "ANSWER", 0.5)  # not before: a busy machine takes longer

    def sleep(token):
        time.sleep(1.5)

    def outlive(token):
        return True

    assert one.ask(sleep) == {}
    assert one.ask(outlive) == {}
    assert one._died == dict.fromkeys(engines.ids, "it did not answer for 0.5 s")
    engines[:].apply_sync(lambda: None)


def test_an_end_that_is_heard_of_between_two_calls_is_told_as_one_during_a_call():
    class Ended:
        def apply_async(self, *_):
            raise IndexError("no such engine")

    one = swarm_engines._Swarm({0: Ended()}, [0], 10)
    assert one.ask(lambda token: None) == {}
    assert one._died == {0: "it ended in the midst of the swarm"}


def test_a_client_without_engines_is_told(engines):
    class Nobody:
        ids = ()

    with pytest.raises(ValueError, match="are they started"):
        swarm(1, (HOST, 1), on=Nobody())


# The last test: there is one engine less after it.
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_an_engine_that_dies_is_named_and_the_others_go_on(engines):
    lives, dies = engines.ids
    pid = engines[dies].apply_sync(os.getpid)
    begun = []

    def kill_when_all_are_at_work(connection, text):
        begun.append(text)
        if len(begun) == 20:
            os.kill(pid, signal.SIGKILL)
        connection.send(text.upper())

    async def script(client, number):
        await client.ask(f"{number}")
        await asyncio.sleep(1 if number <= 10 else 100)

    with serve(kill_when_all_are_at_work) as server:
        result = swarm(20, server.address, script, on=engines, timeout=50)
    assert (result.clients, result.connected, result.finished) == (20, 20, 10)
    assert [tuple(group) for group in result.errors] == [
        (f"engine {dies} died", 10, "it ended in the midst of the swarm")
    ]
    until(lambda: engines.ids == [lives])
