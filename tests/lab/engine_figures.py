"""A swarm in one process, and over two engines: `python -m tests.lab.engine_figures`.

Both have as many clients, against a server in a process of its own, and send as many lines: first
all clients at once, where the time of a reply is the time of the queue before it, and then each at
moments of its own, where it is the way of the line.
"""

import argparse
import asyncio
import random
import sys
import tempfile

import ipyparallel

from sockkit import AsyncServer
from sockkit.lab import Served, swarm
from sockkit.lab.swarm import echo_script

from .loopback import HOST, upper

LINES = 3  # of each client
OVER = 30.0  # seconds, where each has moments of its own


async def serve(ready):
    async with AsyncServer(upper, host=HOST) as server:
        ready(server.address)
        await asyncio.Event().wait()


async def at_once(client, number):
    await echo_script(client, number, LINES)


async def by_and_by(client, number):
    moments = sorted(random.Random(number).uniform(0, OVER) for _ in range(LINES))
    for before, moment in zip([0.0, *moments], moments, strict=False):
        await asyncio.sleep(moment - before)
        await client.ask(f"{number} at {moment}", expect=f"{number} AT {moment}")


def to_text(title, result):
    known = [result.percentile(percent) * 1000 for percent in (50, 90, 99)]
    cells = (
        f"{result.clients:,}",
        f"{result.connected:,}",
        f"{result.right:,}",
        f"{result.wrong + result.clients - result.finished:,}",
        f"{result.connecting:.1f}",
        f"{result.duration:.1f}",
        *(f"{milliseconds:,.1f}" for milliseconds in known),
    )
    return f"| {title} | {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000)
    count = parser.parse_args().clients
    heads = "clients", "at once", "right", "wrong or failed", "connecting, s", "scripts, s"
    print(f"| | {' | '.join((*heads, 'p50, ms', 'p90, ms', 'p99, ms'))} |")
    print("| --- |" + " ---: |" * 9)
    with tempfile.TemporaryDirectory() as folder, Served(serve, descriptors=count + 100) as server:
        cluster = ipyparallel.Cluster(
            n=2, ipython_dir=folder, profile="test", controller_ip=HOST, log_level=40
        )
        client = cluster.start_and_connect_sync(activate=False)
        good = True
        try:
            for script in (at_once, by_and_by):
                how = script.__name__.replace("_", " ")
                for title, on in (("one process", None), ("two engines", client)):
                    result = swarm(
                        count, server.address, script, on=on, timeout=300, progress=False
                    )
                    print(to_text(f"{how}, {title}", result), flush=True)
                    good = good and result.ok
        finally:
            client.close()
            cluster.stop_cluster_sync()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
