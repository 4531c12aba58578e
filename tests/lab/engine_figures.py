"""A swarm in one process, and over two engines: `python -m tests.lab.engine_figures`.

Both have as many clients, against a server in a process of its own, and send as many lines.
"""

import argparse
import asyncio
import sys
import tempfile

import ipyparallel

from sockkit import AsyncServer
from sockkit.lab import Served, swarm

from .loopback import HOST, upper


async def serve(ready):
    async with AsyncServer(upper, host=HOST) as server:
        ready(server.address)
        await asyncio.Event().wait()


def to_text(title, result):
    known = [result.percentile(percent) * 1000 for percent in (50, 90, 99)]
    cells = (
        f"{result.clients:,}",
        f"{result.connected:,}",
        f"{result.right:,}",
        f"{result.wrong + result.clients - result.finished:,}",
        f"{result.connecting:.1f}",
        f"{result.duration:.1f}",
        *(f"{milliseconds:,.0f}" for milliseconds in known),
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
        alone = swarm(count, server.address, timeout=300, progress=False)
        print(to_text("one process", alone), flush=True)
        cluster = ipyparallel.Cluster(
            n=2, ipython_dir=folder, profile="test", controller_ip=HOST, log_level=40
        )
        client = cluster.start_and_connect_sync(activate=False)
        try:
            shared = swarm(count, server.address, on=client, timeout=300, progress=False)
            print(to_text("two engines", shared), flush=True)
        finally:
            client.close()
            cluster.stop_cluster_sync()
    return 0 if alone.ok and shared.ok else 1


if __name__ == "__main__":
    sys.exit(main())
