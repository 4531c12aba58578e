"""The convoy: how late replies are while the server's process computes, and what helps.

    python -m benchmarks.convoy

Only one thread of a process runs Python at a time. A server in a thread that stands beside one that
computes waits for its turn at every step, 5 ms each time. A client in another process asks again
and again, one question at a time; its times are printed, and how much the computing got done.
"""

import contextlib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from benchmarks.contestants import PEERS
from benchmarks.run import started
from sockkit import Connection, Server

SECONDS = 1.0
ROUNDS = 3

# What the other process runs: it asks until its input ends, and prints each time in seconds.
ASKING = """
import sys, threading, time
from sockkit import Client
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
with Client(("127.0.0.1", int(sys.argv[1])), timeout=60) as client:
    while not ended.is_set():
        began = time.perf_counter()
        client.send("hello")
        client.recv()
        print(time.perf_counter() - began)
"""


def shout(connection: Connection, text: str) -> None:
    """Send it back in upper case."""
    connection.send(text.upper())


def compute(seconds: float) -> int:
    """Keep this thread busy, and return how often it has done its work."""
    end, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        sum(range(1000))
        count += 1
    return count


def asked_while(port: int, busy: bool) -> tuple[list[float], int]:
    """The times of all replies in a second, and the work that was done meanwhile."""
    command = [sys.executable, "-c", ASKING, str(port)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()  # it has begun
        threading.Timer(SECONDS, other.stdin.close).start()
        count = 0
        if busy:
            count = compute(SECONDS)
        else:
            time.sleep(SECONDS)
        times = [float(line) for line in other.stdout.read().split()]
    return times, count


@contextlib.contextmanager
def served_by(interval: float | None) -> Iterator[int]:
    """The port of a server in a thread of this process."""
    with Server(shout, switch_interval=interval) as server:
        yield server.address[1]


@contextlib.contextmanager
def served_elsewhere() -> Iterator[int]:
    """The port of a server in a process of its own."""
    with started(PEERS[0], sys.executable) as (port, _):
        yield port


WAYS: dict[str, tuple[Callable[[], AbstractContextManager[int]], bool]] = {
    "the process rests": (lambda: served_by(None), False),
    "it computes": (lambda: served_by(None), True),
    "switch_interval=0.001": (lambda: served_by(0.001), True),
    "switch_interval=0.0005": (lambda: served_by(0.0005), True),
    "switch_interval=0.0001": (lambda: served_by(0.0001), True),
    "a process of its own": (served_elsewhere, True),
}


def main() -> None:
    """Print a table: each way in turn, and that some rounds long."""
    everything: dict[str, list[tuple[list[float], int]]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, (served, busy) in WAYS.items():
            with served() as port:
                everything[way].append(asked_while(port, busy))
    print("| way | replies a second | p50, ms | p99, ms | work done |")
    print("| :-- | --: | --: | --: | --: |")
    most = max(count for runs in everything.values() for _, count in runs)
    for way, runs in everything.items():
        times = sorted(seconds * 1000 for times, _ in runs for seconds in times)
        rate = len(times) / ROUNDS / SECONDS
        late = times[int(len(times) * 0.99)]
        done = statistics.median(count for _, count in runs) / most
        work = f"{done:.0%}" if done else ""
        print(f"| {way} | {rate:,.0f} | {statistics.median(times):.2f} | {late:.1f} | {work} |")


if __name__ == "__main__":
    main()
