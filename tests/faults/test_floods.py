"""Too much, too fast, too slow: the one who does it pays, and memory stays where it was."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from sockkit import AsyncServer, Connection, Limits, Raw, Reason, Server

from ..core.clock import clock, run_with_clock
from ..core.peers import Notes, dial, echo, fill
from ..waiting import until
from .catalogue import bound, size
from .timing import mib, ms, percentile

MESSAGE = "x" * 9_999  # and a newline
BOUND = 200_000
SLOW, QUICK = 5, 10


@contextlib.contextmanager
def readers(count: int, address: tuple[str, int]) -> Iterator[list[list[float]]]:
    """Clients that read all the time; for each the moments at which a whole message was there."""
    raws = [dial(address) for _ in range(count)]
    arrived: list[list[float]] = [[] for _ in raws]

    def read(raw: socket.socket, moments: list[float]) -> None:
        received, length = 0, len(MESSAGE) + 1
        while piece := raw.recv(1 << 16):
            before, received = received // length, received + len(piece)
            moments += [time.perf_counter()] * (received // length - before)

    threads = [threading.Thread(target=read, args=pair) for pair in zip(raws, arrived, strict=True)]
    for thread in threads:
        thread.start()
    yield arrived
    for thread, raw in zip(threads, raws, strict=True):
        thread.join()
        raw.close()


def delays_of_broadcasts(slow: int, rounds: int) -> tuple[list[float], int, list[Reason]]:
    """How late each message was for those who read; the most that waited for one who did not."""
    notes, began, most = Notes(), list[float](), 0
    with Server(**notes.callbacks, limits=Limits(max_pending=BOUND)) as server:
        lazy = [dial(server.address, receive_buffer=4096) for _ in range(slow)]
        lazy_ones = server.wait_for_clients(slow)
        with readers(QUICK, server.address) as arrived:
            server.wait_for_clients(slow + QUICK)
            for turn in range(rounds):
                began.append(time.perf_counter())
                assert server.broadcast(MESSAGE) >= QUICK
                for connection in lazy_ones.values():
                    most = max(most, connection.pending)
                until(lambda turn=turn: all(len(moments) > turn for moments in arrived))
            server.stop()
        for raw in lazy:
            raw.close()
    delays = [moments[turn] - began[turn] for moments in arrived for turn in range(rounds)]
    return delays, most, notes.ends[:slow]


@pytest.mark.row("slow reader")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.timeout(120)
def test_who_never_reads_goes_and_nobody_waits_for_it(figure: Callable[[str], None]) -> None:
    # The kernel takes some MiB for each; only then does anything wait in the server.
    rounds = size(2_000, 800)
    quiet, _, _ = delays_of_broadcasts(0, rounds)
    delays, most, ends = delays_of_broadcasts(SLOW, rounds)
    assert ends == [Reason.TOO_SLOW] * SLOW
    assert most <= BOUND + len(MESSAGE) + 1
    high, quiet_high = percentile(delays, 0.99), percentile(quiet, 0.99)
    figure(
        f"held {most:,} bytes at most (bound {BOUND:,} + one message of 10,000); "
        f"p99 of the others {ms(high)}, {ms(quiet_high)} without slow ones"
    )
    bound(high < 2 * quiet_high, f"p99 {ms(high)}, but {ms(quiet_high)} without slow readers")


@pytest.mark.row("fast sender, slow handler")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.timeout(240)
def test_a_handler_that_lags_holds_its_sender_and_memory_stays_flat(
    gate: threading.Event, figure: Callable[[str], None]
) -> None:
    offered, piece, process = size(1 << 30, 1 << 28), bytes(1 << 20), psutil.Process()
    handled = most = 0

    async def on_message(connection: Connection, data: bytes) -> None:
        nonlocal handled, most
        if not gate.is_set():
            await asyncio.to_thread(gate.wait)
        await asyncio.sleep(0)
        handled += len(data)
        if handled % (1 << 24) < len(data):
            most = max(most, process.memory_info().rss)

    with Server(on_message, framing=Raw()) as server, dial(server.address) as raw:
        [connection] = server.wait_for_clients(1).values()
        before = process.memory_info().rss
        taken = fill(raw, piece)  # while the handler waits
        blocked = connection.received_bytes
        grown_blocked = process.memory_info().rss - before
        gate.set()
        while taken < offered:
            taken += raw.send(piece)
        until(lambda: handled == taken)
    grown = max(grown_blocked, most - before)
    assert blocked <= 2 * 65_536
    assert grown < 16 << 20
    figure(
        f"{mib(taken)} offered, all handled; memory grew by {mib(grown)}; "
        f"{blocked:,} bytes read while the handler waited"
    )


LIMIT = 10.0
LORISES = 100


async def _loris(figure: Callable[[str], None]) -> None:
    times: dict[int, float] = {}
    notes = Notes(echo)

    def left(connection: Connection, reason: Reason) -> None:
        times[connection.number] = clock().time()
        notes.entries.append(("end", connection.number, reason))

    limits = Limits(message_timeout=LIMIT)
    async with AsyncServer(echo, on_disconnect=left, limits=limits) as server:
        began: dict[int, float] = {}
        streams = []
        for number in range(1, LORISES + 1):
            streams.append(await asyncio.open_connection(*server.address))
            await server.wait_for_clients(number)
        everybody = server.clients
        for second in range(int(LIMIT) + 20):
            for number, (_, writer) in enumerate(streams, start=1):
                begins = number % 10  # they do not all begin at the same time
                if second >= begins and number not in times:
                    began.setdefault(number, clock().time())
                    writer.write(b"x")
                    sent = second - begins + 1
                    while everybody[number].received_bytes < sent and number not in times:
                        await asyncio.sleep(0)
            for _ in range(10):
                await clock().advance(0.1)
        for _, writer in streams:
            writer.close()
    assert notes.ends == [Reason.TIMED_OUT] * LORISES
    lives = [times[number] - began[number] for number in times]
    assert LIMIT - 0.5 < min(lives) <= max(lives) < LIMIT + 0.5
    figure(
        f"{LORISES} of {LORISES}, a byte a second each, cut between {min(lives):.2f} and "
        f"{max(lives):.2f} s; the limit is {LIMIT:g} s"
    )


@pytest.mark.row("slow loris")
@pytest.mark.usefixtures("at_full_speed")
def test_a_begun_message_must_be_whole_in_time(figure: Callable[[str], None]) -> None:
    run_with_clock(lambda: _loris(figure))
