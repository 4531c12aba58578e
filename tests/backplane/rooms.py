"""Servers of one group, each with clients, as the tests want them."""

from contextlib import ExitStack
from typing import Any, Self

from sockkit import Client, Server
from sockkit.backplane import State

from ..lab.loopback import HOST
from ..waiting import PATIENCE, until
from .carriers import InMemory, OverRedis


class Room:
    """Servers on one carrier; all are stopped, and all clients closed, with the `with` block."""

    def __init__(self, carrier: InMemory | OverRedis) -> None:
        self.carrier = carrier
        self.servers: list[Server] = []
        self._stack = ExitStack()

    def server(self, name: str, *, expiry: float = 3.0, group: str = "room", **opts: Any) -> Server:
        """One more server, started."""
        backplane = self.carrier.backplane(name, expiry=expiry, group=group)
        server = self._stack.enter_context(Server(host=HOST, backplane=backplane, **opts))
        self.servers.append(server)
        return server

    def client(self, server: Server) -> Client:
        """One more client, connected, and the server has seen it."""
        before = len(server.clients)
        client = self._stack.enter_context(Client(server.address, timeout=PATIENCE))
        server.wait_for_clients(before + 1, timeout=PATIENCE)
        return client

    def until_all_know(self, *clients: str) -> None:
        """Wait until the list of each server is this one."""
        until(lambda: all(seen(server) == clients for server in self.servers))

    def until_all_are(self, state: State) -> None:
        """Wait until no server is in another state."""
        until(lambda: all(backplane(server).state is state for server in self.servers))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()


def backplane(server: Server) -> Any:
    """The backplane of a server that has one."""
    assert server.backplane is not None
    return server.backplane


def seen(server: Server) -> tuple[str, ...]:
    """All clients of all servers, as this one sees them."""
    return backplane(server).clients
