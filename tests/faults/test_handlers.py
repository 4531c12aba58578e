"""Handlers that raise, that never return, and that speak to somebody who has just gone."""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from sockkit import Client, Connection, ConnectionLost, Reason, Server, UnknownClient

from ..core.peers import Notes, dial, read_to_end
from ..waiting import until
from .catalogue import size

EVERY = 10


@pytest.mark.row("handler raises")
@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_who_meets_an_error_in_the_handler_goes_alone(
    kind: str, figure: Callable[[str], None], log: pytest.LogCaptureFixture
) -> None:
    rounds, heard = size(2_000, 200), 0

    def plain(connection: Connection, text: str) -> None:
        nonlocal heard
        heard += 1
        if heard % EVERY == 0:
            raise ValueError(text)
        connection.send(text)

    async def coroutine(connection: Connection, text: str) -> None:
        await asyncio.sleep(0)
        plain(connection, text)

    notes = Notes(plain if kind == "plain" else coroutine)
    neighbours = 8
    with Server(**notes.callbacks) as server:
        clients = [Client(server.address).connect() for _ in range(neighbours)]
        server.wait_for_clients(neighbours)
        for turn in range(rounds):
            for client in clients:
                client.send(str(turn))
                assert client.recv() == str(turn)
            with dial(server.address) as raw:
                raw.sendall(b"x\n" * (EVERY - neighbours))
                assert read_to_end(raw) == b"x\n" * (EVERY - neighbours - 1)
        for client in clients:
            client.close()
        until(lambda: not server.clients)
    failed = [record.getMessage() for record in log.records if record.levelname == "ERROR"]
    numbers = range(neighbours + 1, neighbours + 1 + rounds)
    assert [text.rpartition(" for ")[2] for text in failed] == [f"client {n}" for n in numbers]
    counts = Counter(notes.ends)
    assert counts == {Reason.HANDLER_ERROR: rounds, Reason.CLOSED: neighbours}
    figure(
        f"{kind}: every {EVERY}th of {heard:,} messages; {counts[Reason.HANDLER_ERROR]:,} times "
        f"HANDLER_ERROR and in the log; the others lost 0 of {neighbours * rounds:,}"
    )


GRACE = 0.1


@pytest.mark.row("handler never returns")
@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_stop_ends_in_time_and_names_the_handler(
    kind: str,
    gate: threading.Event,
    figure: Callable[[str], None],
    log: pytest.LogCaptureFixture,
) -> None:
    def plain(connection: Connection, text: str) -> None:
        gate.wait()

    async def coroutine(connection: Connection, text: str) -> None:
        while not gate.is_set():
            try:
                await asyncio.to_thread(gate.wait)
            except asyncio.CancelledError:
                continue

    handler = plain if kind == "plain" else coroutine
    with Server(handler) as server, dial(server.address) as raw:
        [connection] = server.wait_for_clients(1).values()
        raw.sendall(b"wait\n")
        until(lambda: connection.received)
        began = time.perf_counter()
        server.stop(grace=GRACE)
        took = time.perf_counter() - began
        gate.set()
    named = [record.getMessage() for record in log.records if kind in record.getMessage()]
    assert took < GRACE + 2
    assert named
    figure(f"{kind}: stop(grace={GRACE}) returned after {took:.2f} s, and named it")


BATCH = 500


class Race:
    """One thread disconnects client after client; another sends to each until that raises."""

    def __init__(self, server: Server, source: random.Random) -> None:
        self.server = server
        self.clients = server.clients
        self.order = source.sample(sorted(self.clients), len(self.clients))
        self.hesitation = [source.randrange(4) for _ in self.order]
        self.accepted: dict[int, int] = {}
        self.outcomes: Counter[str] = Counter()
        self._turn = threading.Barrier(2)

    def run(self) -> None:
        other = threading.Thread(target=self._disconnect)
        other.start()
        for number in self.order:
            self._turn.wait(20)
            self.accepted[number] = self._send_until_it_raises(number)
        other.join()

    def _disconnect(self) -> None:
        for number, yields in zip(self.order, self.hesitation, strict=True):
            self._turn.wait(20)
            for _ in range(yields):
                time.sleep(0)
            self.server.disconnect(number)

    def _send_until_it_raises(self, number: int) -> int:
        connection, count = self.clients[number], 0
        while True:
            try:
                if count % 2:
                    self.server.send(number, str(count))
                else:
                    connection.send(str(count))
            except (UnknownClient, ConnectionLost) as error:
                self.outcomes[type(error).__name__] += 1
                return count
            count += 1
            time.sleep(0)  # let the others on, who need this thread's turns to get anywhere


def race(source: random.Random, batch: int, outcomes: Counter[str]) -> None:
    """`batch` clients, each disconnected while it is sent to; what came of that is counted."""
    notes = Notes()
    with Server(**notes.callbacks) as server:
        raws = [dial(server.address) for _ in range(batch)]
        server.wait_for_clients(batch, timeout=20)
        by_address = {raw.getsockname(): raw for raw in raws}
        race = Race(server, source)
        race.run()
        for number, connection in race.clients.items():
            with by_address[connection.address] as raw:
                lines = read_to_end(raw).split(b"\n")
            assert lines.pop() == b""  # none is torn
            assert lines == [b"%d" % index for index in range(len(lines))]
            assert len(lines) <= race.accepted[number]
            outcomes["delivered"] += len(lines)
        until(lambda: len(notes.ends) == batch)
    assert set(notes.ends) == {Reason.KICKED}
    outcomes["accepted"] += sum(race.accepted.values())
    outcomes.update(race.outcomes)


@pytest.mark.row("send to a client that has gone")
@pytest.mark.usefixtures("at_full_speed", "eager_threads")
@pytest.mark.timeout(300)
def test_a_send_that_races_a_disconnect_is_accepted_or_raises(
    figure: Callable[[str], None],
) -> None:
    races, source, outcomes = size(100_000, 4_000), random.Random(9), Counter[str]()
    for _ in range(races // BATCH):
        race(source, BATCH, outcomes)
    unknown, lost = outcomes["UnknownClient"], outcomes["ConnectionLost"]
    assert unknown + lost == races
    figure(
        f"{races:,} races: {outcomes['accepted']:,} sends accepted, {outcomes['delivered']:,} of "
        f"them delivered before the end; {unknown:,} UnknownClient, {lost:,} ConnectionLost, "
        "0 in silence"
    )
