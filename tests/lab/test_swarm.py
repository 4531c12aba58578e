import asyncio
import functools
import itertools
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from sockkit import AsyncClient, AsyncServer, Limits, Lines, Reason
from sockkit.lab import SwarmClient, async_swarm, swarm, swarm_client, swarm_run
from sockkit.lab.swarm import echo_script
from sockkit.lab.swarm_run import Run

from .loopback import HOST, serve, upper

swarm_module = sys.modules["sockkit.lab.swarm"]  # `sockkit.lab.swarm` is the function

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def server():
    with serve(upper) as server:
        yield server


def test_a_thousand_clients_each_get_their_own_echo(server):
    result = swarm(1000, server.address, progress=False)
    assert result.ok
    assert (result.connected, result.finished) == (1000, 1000)
    assert (result.replies, result.right, result.wrong) == (3000, 3000, 0)
    assert len(result.latencies) == 3000
    assert result.duration < 30


def test_all_are_connected_before_any_script_starts(server):
    connected = []

    async def script(client, number):
        connected.append(client._tally.connected)

    swarm(50, server.address, script)
    assert connected == [50] * 50


def test_each_reply_is_timed_from_the_oldest_send_without_one(server, monkeypatch):
    clock = SimpleNamespace(perf_counter=itertools.count(1).__next__)
    monkeypatch.setattr(swarm_client, "time", clock)

    async def script(client, number):
        client.send("at 1")
        client.send("at 2")
        await client.recv()  # at 3
        await client.recv()  # at 4

    assert swarm(1, server.address, script).latencies == [2, 2]


def test_a_server_that_answers_wrongly_is_found_out():
    with serve(lambda connection, text: connection.send(text)) as server:
        result = swarm(3, server.address)
    assert not result.ok
    assert (result.right, result.wrong, result.finished) == (0, 3, 0)
    (group,) = result.errors
    assert (group.kind, group.clients) == ("WrongReply", 3)
    assert group.example == "client 1: expected 'CLIENT 1 LINE 1', got 'client 1 line 1'"


def test_failures_are_grouped_with_an_example_each(server):
    async def script(client, number):
        if number % 2:
            raise ValueError(f"odd: {number}")
        if number == 2:
            raise KeyError("two")
        assert await client.ask("anything") == "ANYTHING"

    result = swarm(10, server.address, script)
    assert [tuple(group) for group in result.errors] == [
        ("ValueError", 5, "client 1: odd: 1"),
        ("KeyError", 1, "client 2: 'two'"),
    ]
    assert result.finished == 4


def test_clients_that_the_server_ends_are_told_apart():
    with serve(lambda connection, text: connection.close()) as server:
        result = swarm(2, server.address)
    assert [group.kind for group in result.errors] == ["ConnectionLost (closed)"]


def test_nobody_listening_is_a_result_as_well(listener):
    address = listener.getsockname()
    listener.close()
    result = swarm(5, address)
    assert (result.connected, result.errors[0].kind) == (0, "ConnectionRefusedError")
    assert result.rate == 0


def test_a_server_that_never_answers_does_not_hang_the_swarm(listener):
    start = time.monotonic()
    result = swarm(3, listener.getsockname(), timeout=2, limits=Limits(linger=0.1))
    assert [(group.kind, group.clients) for group in result.errors] == [("TimeoutError", 3)]
    assert time.monotonic() - start < 10


def test_a_script_that_never_ends_is_ended_at_the_deadline(server):
    async def script(client, number):
        await asyncio.Event().wait()

    result = swarm(3, server.address, script, timeout=1)
    assert [tuple(group) for group in result.errors] == [
        ("Unfinished", 3, "client 1: after 1 s it was still in its script")
    ]


def test_a_script_that_blocks_the_loop_is_given_up(server, monkeypatch):
    monkeypatch.setattr(swarm_run, "_GRACE", 0.1)
    monkeypatch.setattr(swarm_module, "_LAST_WORD", 0.1)
    go_on = threading.Event()

    async def script(client, number):
        go_on.wait(20)

    result = swarm(1, server.address, script, timeout=0.1)
    assert result.errors[0].kind == "Unfinished"
    go_on.set()  # the thread that was left behind comes to its end


def test_a_swarm_of_nobody_is_over_at_once(server):
    result = swarm(0, server.address)
    assert result.ok
    assert result.to_text().startswith("0 clients")
    with pytest.raises(ValueError, match="no replies"):
        result.percentile(50)


def test_no_more_than_so_many_connect_at_once(server, monkeypatch):
    connecting = []
    most = []

    async def connect(client):
        connecting.append(client)
        most.append(len(connecting))
        await AsyncClient.connect(client)
        connecting.remove(client)

    monkeypatch.setattr(SwarmClient, "connect", connect)
    assert swarm(20, server.address, connecting=3).ok
    assert max(most) == 3


def test_options_reach_every_client():
    with serve(
        upper,
        framing=Lines("latin-1"),
        token="let me in",
    ) as server:
        result = swarm(5, server.address, framing=Lines("latin-1"), token="let me in")
        assert result.ok
        assert swarm(1, server.address, token="wrong").errors[0].kind == "AuthenticationError"


def test_a_script_may_take_arguments(server):
    result = swarm(2, server.address, functools.partial(echo_script, lines=10))
    assert result.replies == 20


def test_the_clients_leave_politely():
    reasons = []
    with serve(on_disconnect=lambda connection, reason: reasons.append(reason)) as server:

        async def script(client, number):
            client.send("bye")

        swarm(20, server.address, script)
    assert reasons == [Reason.CLOSED] * 20


def test_it_works_under_a_running_loop_and_on_it():
    async def main():
        with serve(upper) as server:
            assert swarm(10, server.address).ok  # as in a notebook's cell
        async with AsyncServer(upper, host=HOST) as server:
            assert (await async_swarm(10, server.address)).ok

    asyncio.run(main(), debug=True)


def test_a_swarm_on_the_loop_can_be_cancelled(listener):
    async def main():
        task = asyncio.create_task(async_swarm(3, listener.getsockname(), timeout=100))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        listener.close()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)

    asyncio.run(main())


def test_an_interrupt_ends_the_swarm(listener):
    def interrupt(what, count):
        raise KeyboardInterrupt

    async def main():
        run = Run(2, listener.getsockname(), echo_script, 100.0, limits=Limits(linger=0.1))
        with pytest.raises(KeyboardInterrupt):
            await asyncio.to_thread(run.wait, interrupt)
        assert run.over.done()
        return run.result()

    assert asyncio.run(main()).finished == 0
