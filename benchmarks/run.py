"""The runs: round after round every peer has its turn, so that a busy minute hits all alike."""

import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contestants import Cell, Peer
from benchmarks.environment import REQUIREMENTS, ROOT

PEERS = ROOT / "benchmarks" / "peers"


@contextlib.contextmanager
def started(peer: Peer, python: str) -> Iterator[tuple[int, int]]:
    """The port and the process id of a server that runs as long as this context.

    Raises:
        RuntimeError: it ended instead of listening.
    """
    command = [python, str(PEERS / f"{peer.program}.py"), *peer.options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # sockkit, for the kit's own
    with (
        tempfile.TemporaryFile("w+") as said,  # most complain when their clients leave at the end
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, env=environment, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            port = process.stdout.readline()
            if not port:
                process.wait()
                said.seek(0)
                last = said.read().strip().rpartition("\n")[2]
                raise RuntimeError(f"{peer.name} ended instead of listening: {last}")
            keep_to_core(process.pid, 0)
            yield int(port), process.pid
        finally:
            process.kill()


def keep_to_core(pid: int, core: int) -> None:
    """Have a process use one core alone, where there are two and the system lets us choose."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(pid, {cores[core]})


def measure(peer: Peer, cell: Cell, python: str, clients: int, seconds: float) -> dict[str, float]:
    """One turn of one peer: messages a second, by the clock and by its processor time.

    Raises:
        RuntimeError: it did not start, or replied wrongly.
    """
    with started(peer, python) as (port, pid):
        options = {"clients": clients, "size": cell.size, "in-flight": cell.in_flight}
        command = [sys.executable, "-m", "benchmarks.load", str(port), str(pid)]
        command += [f"--{name}={value}" for name, value in options.items()]
        command += [f"--seconds={seconds}", *(["--websocket"] if peer.websocket else [])]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as load:
            keep_to_core(load.pid, 1)
            printed, errors = load.communicate()
        if load.returncode:
            raise RuntimeError(f"{peer.name}: {errors.strip().splitlines()[-1]}")
        rates: dict[str, float] = json.loads(printed)
        return rates


def compare(
    peers: Sequence[Peer],
    cells: Sequence[Cell],
    *,
    python: str,
    rounds: int,
    seconds: float = 1.0,
    clients: int = 100,
) -> dict[str, Any]:
    """Measure all of them in all cells, and return what `report` makes tables of."""
    results: dict[str, dict[str, list[dict[str, float]]]] = {}
    for cell in cells:
        rows = results[cell.name] = {peer.name: [] for peer in peers}
        for number in range(rounds):
            # There and back again: nobody always runs after the same neighbour.
            for peer in peers if number % 2 == 0 else reversed(peers):
                rates = measure(peer, cell, python, clients, seconds)
                rows[peer.name].append({name: round(rate) for name, rate in rates.items()})
                print(
                    f"{cell.name}, round {number + 1} of {rounds}: {peer.name}:"
                    f" {rates['per_cpu_second']:,.0f}",
                    flush=True,
                )
    return {**circumstances(), "clients": clients, "rounds": rounds, "cells": results}


def circumstances() -> dict[str, Any]:
    """When and where: what a figure is worth nothing without."""
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": f"{os.cpu_count()} cores, {cpu_name()}",
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": versions(),
    }


def cpu_name() -> str:
    """What the processor calls itself, where the system tells."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The pinned versions of the others, and the kit's own."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    pins = (line.partition(";")[0].strip() for line in lines if "==" in line)
    others = dict(pin.split("==") for pin in pins)
    return {"sockkit": importlib.metadata.version("sockkit"), **others}
