"""A broadcast as most people write it first, to be measured: a blocking send in a loop."""

import socket
from typing import Any

from sockkit.lab.pace import Arrival, Readers
from sockkit.lab.peers import NonReader


class NaiveRoom:
    """Everybody in a list, and each told in turn, with a timeout for those who don't read."""

    def __init__(self, connections: list[socket.socket], timeout: float) -> None:
        self.connections = connections
        for connection in connections:
            connection.settimeout(timeout)

    def tell(self, line: str) -> None:
        """Send the line to all. Who takes too long for it is closed."""
        for connection in list(self.connections):
            try:
                connection.sendall(line.encode() + b"\n")
            except TimeoutError:
                self.connections.remove(connection)
                connection.close()

    def close(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            connection.close()


def naive_room(timeout: float, readers: int = 3, **pace: Any) -> list[Arrival]:
    """What clients that read get from a `NaiveRoom` in which the first client never reads.

    Args:
        timeout: seconds that one send may take.
        readers: how many read.
        pace: as for `Readers.tell_paced`.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with NonReader(address), Readers(address, readers) as those:
            room = NaiveRoom([listener.accept()[0] for _ in range(readers + 1)], timeout)
            those.tell_paced(room.tell, **pace)
            room.close()
            return those.arrivals
