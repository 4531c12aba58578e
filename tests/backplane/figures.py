"""What the backplane costs and what it keeps: `python -m tests.backplane.figures`.

Three server processes and their clients on one Redis. Each server broadcasts a third of the rate.
After a third of the time one server is killed (-9), after another third Redis, which is back two
seconds later. Then everything that every client got is looked at.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from sockkit import Server
from sockkit.backplane import State

from ..core.program import Program
from ..waiting import until
from .carriers import OverRedis, redis_program
from .rooms import backplane

NAMES = "abc"  # c is the one that is killed
PYTHON = (sys.executable, "-W", "error", "-m")
REDIS_IS_AWAY = 2.0  # seconds
UNDER_WAY = 1.0  # seconds that a message may take on a busy machine


@dataclass
class Figures:
    """What was seen. Times are in seconds."""

    clients: int
    rate: float
    seconds: float
    local: list[float] = field(default_factory=list)  # from a broadcast to a client of that server
    across: list[float] = field(default_factory=list)  # and to a client of another one
    sent: dict[str, int] = field(default_factory=dict)
    received: int = 0  # messages, by all clients of the servers that live
    doubled: int = 0
    disordered: int = 0
    lost_at_home: int = 0
    lost_across: int = 0
    lost_outside: int = 0  # of these, such as were sent while Redis was there
    unlike: int = 0  # clients that got something else than others of the same server
    silence: float = 0.0  # the longest between two broadcasts of its own server, for a client
    server_healed: float | None = None  # until the killed server was off the list
    redis_healed: float | None = None  # from the restart of Redis until the list was whole

    @property
    def ok(self) -> bool:
        """All that is promised was kept."""
        wrong = self.doubled + self.disordered + self.lost_at_home + self.lost_outside + self.unlike
        return wrong == 0 and self.received > 0

    def to_text(self) -> str:
        """A table, in Markdown."""
        rows = [
            ("clients of three servers", f"{self.clients:,}"),
            ("broadcasts a second, together", f"{self.rate:,.0f}"),
            ("seconds", f"{self.seconds:,.0f}"),
            ("broadcasts by servers that live", f"{sum(self.sent.values()):,}"),
            ("messages received by clients of servers that live", f"{self.received:,}"),
            ("doubled", f"{self.doubled}"),
            ("out of order", f"{self.disordered}"),
            ("lost at home", f"{self.lost_at_home}"),
            ("lost across, broadcasts, while Redis was away", f"{self.lost_across}"),
            ("lost across, broadcasts, while it was there", f"{self.lost_outside}"),
            ("clients that got something else than their neighbours", f"{self.unlike}"),
            ("longest silence of a client's own server, ms", f"{self.silence * 1000:,.0f}"),
        ]
        if self.server_healed is not None and self.redis_healed is not None:
            rows += [
                (
                    "from the kill of a server until the list is right, s",
                    f"{self.server_healed:.2f}",
                ),
                ("from Redis's return until the list is whole, s", f"{self.redis_healed:.2f}"),
            ]
        for name, values in (("at home", self.local), ("across", self.across)):
            cuts = statistics.quantiles(values, n=100)
            for percent in (50, 90, 99):
                rows.append((f"p{percent} {name}, ms", f"{cuts[percent - 1] * 1000:.2f}"))
        more = statistics.median(self.across) - statistics.median(self.local)
        rows.append(("p50 across, over that at home, ms", f"{more * 1000:.2f}"))
        return "\n".join(["| | |", "| --- | ---: |", *(f"| {a} | {b} |" for a, b in rows)])


def measure(
    clients: int, rate: float, seconds: float, *, kills: bool, expiry: float = 3.0, sampled: int = 5
) -> Figures:
    """Run it once.

    Args:
        clients: of all servers together.
        rate: broadcasts a second, of all servers together.
        seconds: for how long.
        kills: whether a server and Redis are killed.
        expiry: of the backplanes.
        sampled: clients of each server that look at every message.
    """
    figures = Figures(clients, rate, seconds)
    away = (0.0, 0.0)
    with ExitStack() as stack:
        redis = stack.enter_context(OverRedis(redis_program()))
        plane = redis.backplane("watcher", group="figures", expiry=expiry)
        watcher = stack.enter_context(Server(backplane=plane))
        each = str(rate / len(NAMES)), str(expiry)
        servers = {
            name: stack.enter_context(
                Program(*PYTHON, "tests.backplane.figure_server", redis.url, name, *each)
            )
            for name in NAMES
        }
        addresses = [":".join(server.line().split()) for server in servers.values()]
        counts = str(clients // len(NAMES)), str(sampled)
        swarm = Program(*PYTHON, "tests.backplane.figure_clients", *counts, *addresses)
        stack.enter_context(swarm)
        until(lambda: "connected" in swarm.out, timeout=120)
        expected = clients // len(NAMES) * len(NAMES)
        until(lambda: len(backplane(watcher).clients) == expected, timeout=60)

        begun = time.monotonic()
        for server in servers.values():
            server.type("go\n")
        if kills:
            wait_until(begun + seconds / 3)
            figures.server_healed = kill_server(servers.pop("c"), watcher)
            wait_until(begun + seconds * 2 / 3)
            figures.redis_healed, away = kill_redis(redis, watcher, expected * 2 // 3)
        wait_until(begun + seconds)
        for name, server in servers.items():
            server.type("halt\n")
            figures.sent[name] = int(server.line())
        swarm.type("enough\n")
        swarm_told = until(lambda: swarm.out[1:], timeout=120)
        for server in servers.values():
            server.end_input()
    judge(figures, json.loads(swarm_told[0]), away)
    return figures


def kill_server(server: Program, watcher: Server) -> float:
    """Kill it; return how long it stayed on the list."""
    server.process.kill()
    killed = time.monotonic()
    until(lambda: "c" not in backplane(watcher).servers)
    return time.monotonic() - killed


def kill_redis(
    redis: OverRedis, watcher: Server, clients: int
) -> tuple[float, tuple[float, float]]:
    """Kill it and start it again; return how long the list took to be whole, and the outage."""
    killed = time.monotonic()
    redis.kill()
    until(lambda: backplane(watcher).state is State.ALONE)
    wait_until(killed + REDIS_IS_AWAY)
    redis.start()
    back = time.monotonic()
    until(lambda: len(backplane(watcher).clients) == clients)
    healed = time.monotonic()
    return healed - back, (killed, healed)


def judge(figures: Figures, told: list[dict], away: tuple[float, float]) -> None:
    """Look at what every client got."""
    for name, seen in zip(NAMES, told, strict=True):
        alive = name in figures.sent
        figures.unlike += seen["clients"] - seen["alike"] if alive else 0
        figures.received += len(seen["messages"]) * seen["clients"] if alive else 0
        last = dict.fromkeys(NAMES, 0)
        times = {sender: {} for sender in NAMES}
        for sender, serial, sent, _ in seen["messages"]:
            figures.doubled += serial in times[sender]
            figures.disordered += serial < last[sender]
            times[sender][serial] = sent
            last[sender] = serial
        if alive:
            count_losses(figures, name, times, away)
        for messages in ([(s, t, at) for s, _, t, at in seen["messages"]], *seen["others"]):
            home_at = [at for sender, _, at in messages if sender == name]
            for sender, sent, at in messages:
                if not away[0] - 1 < sent / 1e9 < away[1] + 1:
                    (figures.local if sender == name else figures.across).append((at - sent) / 1e9)
            if alive:
                gaps = (b - a for a, b in itertools.pairwise(home_at))
                figures.silence = max(figures.silence, max(gaps, default=0) / 1e9)


def count_losses(
    figures: Figures, name: str, times: dict[str, dict[int, int]], away: tuple[float, float]
) -> None:
    """The serials that a client of `name` never saw, and whether Redis was there at that time."""
    for sender, seen in times.items():
        last = figures.sent.get(sender, max(seen))
        missing = [serial for serial in range(1, last + 1) if serial not in seen]
        if sender == name:
            figures.lost_at_home += len(missing)
            continue
        figures.lost_across += len(missing)
        rate = figures.rate / len(NAMES)
        for serial in missing:
            before = max((n for n in seen if n < serial), default=0)
            sent_at = seen.get(before, 0) / 1e9 + (serial - before) / rate
            # Whatever was under way when Redis died is lost as well.
            if not away[0] - UNDER_WAY < sent_at < away[1] + 0.1:
                figures.lost_outside += 1


def wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    quiet = measure(30, 60, min(10.0, options.seconds), kills=False)
    print(f"Few clients, little to do, nobody is killed:\n\n{quiet.to_text()}\n", flush=True)
    loud = measure(options.clients, options.rate, options.seconds, kills=True)
    print(f"A server and Redis are killed in the midst:\n\n{loud.to_text()}")
    return 0 if quiet.ok and loud.ok else 1


if __name__ == "__main__":
    sys.exit(main())
