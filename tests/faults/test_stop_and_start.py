"""Stopping and starting: from any number of threads, any number of times, interrupted or not."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sockkit import (
    AsyncServer,
    Client,
    ClosedError,
    ConnectionLost,
    Server,
    UnknownClient,
)

from ..conftest import open_descriptors
from ..core.peers import (
    dial,
    echo,
    in_a_loop,
    interrupted_while_waiting,
    needs_signals,
    read_until_gone,
)
from .catalogue import size
from .memory import Held, held
from .timing import mib

THREADS = 32
SENDERS = 8


@pytest.mark.row("stop() from many threads, or during sends")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.timeout(300)
def test_stop_from_all_threads_at_once_returns_to_all_of_them(
    figure: Callable[[str], None],
) -> None:
    rounds = size(10_000, 300)
    server = Server(echo)
    begin, end = threading.Barrier(THREADS + 1), threading.Barrier(THREADS + 1)
    answers: Counter[str] = Counter()
    unexpected: list[BaseException] = []

    def calls(number: int) -> Iterator[Callable[[], Any]]:
        if number < SENDERS:
            for _ in range(50):
                yield lambda: server.send(server_round, "x")
                yield lambda: server.broadcast("y")
        yield server.stop

    def work(number: int) -> None:
        told: Counter[str] = Counter()
        for _ in range(rounds):
            begin.wait(20)
            for call in calls(number):
                try:
                    call()
                    told["returned"] += 1
                except (ClosedError, UnknownClient, ConnectionLost) as error:
                    told[type(error).__name__] += 1
                except BaseException as error:
                    unexpected.append(error)
            with contextlib.suppress(ClosedError):
                server.broadcast("too late")
                unexpected.append(AssertionError("a call after stop() was let in"))
            end.wait(20)
        answers.update(told)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for server_round in range(1, rounds + 1):
        with server.start(), dial(server.address) as raw:
            assert list(server.wait_for_clients(1)) == [server_round]
            begin.wait(20)
            end.wait(20)
            read_until_gone(raw)
    for thread in threads:
        thread.join(20)
    assert unexpected == []
    figure(
        f"{rounds:,} rounds of {THREADS} threads, {SENDERS} of them sending: 0 hangs; "
        f"{answers['returned']:,} calls returned, {answers['ClosedError']:,} ClosedError"
    )


@pytest.mark.row("start and stop again")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.timeout(240)
def test_the_same_port_again_and_again_and_nothing_is_left(figure: Callable[[str], None]) -> None:
    cycles = size(10_000, 500)
    with Server() as first:
        port = first.address[1]
    server = Server(echo, port=port)

    def run(count: int) -> tuple[int, int, Held]:
        for _ in range(count):
            with server, dial(server.address) as raw:
                raw.sendall(b"hello\n")
                assert raw.recv(10) == b"hello\n"
                server.stop()
                assert raw.recv(10) == b""
        return open_descriptors(), threading.active_count(), held()

    before = run(200)
    after = run(cycles)
    assert after[:2] == before[:2]
    states = before[2], after[2]
    blocks, allocated, size_ = (late - early for early, late in zip(*states, strict=True))
    # One object left behind in each cycle would be as many blocks as cycles; caches of Python take
    # some 250, once. Its table of strings, which doubles once, takes half a MiB: see `memory`.
    assert blocks < 500
    assert allocated < 1 << 20
    figure(
        f"{cycles:,} cycles on one port: descriptors {before[0]}, then {after[0]}; threads "
        f"{before[1]}, then {after[1]}; {blocks} more blocks of Python's memory, "
        f"{mib(allocated)} more given out in C; with the allocator's reserve {mib(size_)}"
    )


@pytest.mark.row("start and stop again")
@pytest.mark.usefixtures("at_full_speed")
@in_a_loop
async def test_in_a_loop_of_ones_own_no_task_is_left(figure: Callable[[str], None]) -> None:
    cycles = size(10_000, 500)
    server = AsyncServer(echo)
    for _ in range(cycles):
        async with server:
            reader, writer = await asyncio.open_connection(*server.address)
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert left == set()
    figure(f"{cycles:,} cycles in a loop of one's own: {len(left)} tasks left")


@pytest.mark.row("kernel interrupt during a wait")
@needs_signals
def test_an_interrupt_ends_the_wait_and_nothing_else(figure: Callable[[str], None]) -> None:
    rounds = size(500, 50)
    with Server(echo) as server, Client(server.address) as client:
        waits: list[Callable[[], object]] = [
            lambda: server.wait_for_clients(100, timeout=20),
            lambda: client.recv(timeout=20),
        ]
        for turn in range(rounds):
            with pytest.raises(KeyboardInterrupt), interrupted_while_waiting():
                waits[turn % len(waits)]()
            client.send(str(turn))
            assert client.recv() == str(turn)
    figure(f"{rounds} of {rounds} waits ended, and the next call worked each time")
