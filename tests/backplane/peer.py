"""A server in a process of its own: `python -m tests.backplane.peer URL NAME EXPIRY`.

Its first line says where it listens; then it broadcasts every line of its stdin.
"""

import sys

from sockkit import Server
from sockkit.backplane import RedisBackplane

from ..lab.loopback import HOST


def main(url: str, name: str, expiry: str) -> None:
    plane = RedisBackplane(url, server=name, group="room", expiry=float(expiry))
    with Server(host=HOST, backplane=plane) as server:
        print(*server.address, flush=True)
        for line in sys.stdin:
            server.broadcast(line.rstrip("\n"))


if __name__ == "__main__":
    main(*sys.argv[1:])
