"""The load: many clients in one process, each with a fixed number of messages on their way.

    python -m benchmarks.load PORT PID --clients 100 --size 16 --in-flight 1

Every byte that comes back is compared. Printed is one object in JSON: how many messages a second,
by the clock and by the processor time of the server, whose process is PID. The latter hardly
changes when others use the machine as well, which is why it is what comparisons are made of.
"""

import argparse
import json
import selectors
import socket
import time

import psutil

from benchmarks.wire import Wire, frame_of, line_of

WARM_UP = 0.3  # seconds that don't count
PIECE = 65_536

Rates = dict[str, float]


class Client:
    """One connection, and how far it is in its endless row of replies."""

    def __init__(self, port: int, wire: Wire, in_flight: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.open(self.connection)
        self._wire = wire
        self._expected = wire.reply * (PIECE // len(wire.reply) + 2)
        self._at = 0  # bytes of a reply that have come
        self.connection.sendall(wire.request * in_flight)

    def turn(self) -> int:
        """Take what has come, ask as often as was answered, and return how often that was.

        Raises:
            ValueError: it is not what was to come.
            ConnectionError: the server has gone.
        """
        data = self.connection.recv(PIECE)
        if not data:
            raise ConnectionError("the server has closed a connection")
        end = self._at + len(data)
        if data != self._expected[self._at : end]:
            raise ValueError(f"a wrong reply: {data[:80]!r}")
        answered, self._at = divmod(end, len(self._wire.reply))
        if answered:
            self.connection.sendall(self._wire.request * answered)
        return answered


def run(port: int, pid: int, wire: Wire, clients: int, in_flight: int, seconds: float) -> Rates:
    """Keep the server busy for as long, and tell how fast it was.

    Raises:
        TimeoutError: it did not reply at all.
        ValueError, ConnectionError: as in `Client.turn`.
    """
    server = psutil.Process(pid)
    everybody = [Client(port, wire, in_flight) for _ in range(clients)]
    with selectors.DefaultSelector() as selector:
        for client in everybody:
            selector.register(client.connection, selectors.EVENT_READ, client)
        turns(selector, WARM_UP)
        before, began = server.cpu_times(), time.perf_counter()
        count = turns(selector, seconds)
        after, ended = server.cpu_times(), time.perf_counter()
    if not count:
        raise TimeoutError(f"no reply within {seconds:g} s")
    for client in everybody:
        client.connection.close()
    spent = after.user + after.system - before.user - before.system
    return {"per_second": count / (ended - began), "per_cpu_second": count / max(spent, 0.01)}


def turns(selector: selectors.BaseSelector, seconds: float) -> int:
    """Let all clients have their turns, for as long; return how many replies came."""
    count = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for key, _ in selector.select(timeout=end - time.perf_counter()):
            count += key.data.turn()
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--in-flight", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--websocket", action="store_true")
    given = parser.parse_args()
    wire = (frame_of if given.websocket else line_of)(given.size)
    rates = run(given.port, given.pid, wire, given.clients, given.in_flight, given.seconds)
    print(json.dumps(rates))
