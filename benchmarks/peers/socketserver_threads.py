"""socketserver: a thread for each client, from the standard library."""

import socketserver


class Shout(socketserver.StreamRequestHandler):
    """One client."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line.upper())


class Server(socketserver.ThreadingTCPServer):
    """Lets many connect at once, and does not wait for their threads at the end."""

    request_queue_size = 1000
    daemon_threads = True


with Server(("127.0.0.1", 0), Shout) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
