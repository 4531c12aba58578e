"""gevent: a greenlet for each client, and code that looks as if it blocked."""

import socket

from gevent.server import StreamServer


def serve(connection: socket.socket, address: tuple[str, int]) -> None:
    """One client, until it leaves."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for line in connection.makefile("rb"):
        connection.sendall(line.upper())


server = StreamServer(("127.0.0.1", 0), serve)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
