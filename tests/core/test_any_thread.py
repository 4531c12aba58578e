"""What any thread may call, called by many at once, while clients come, go and are shown out."""

import contextlib
import random
import threading
import traceback
from collections.abc import Callable, Iterator

import pytest

from sockkit import Client, Connection, Limits, Server, SockkitError

from .peers import dial, echo, reset, slow_echo
from .secure import client_side, server_side

_VISITS = 40  # of each visitor
_TURNS = 40  # of each visit


class Crowd:
    """Threads that use one server and its clients, and what surprised them."""

    def __init__(self, server: Server, encrypted: bool) -> None:
        self.surprises: list[str] = []
        self._server = server
        self._encrypted = encrypted
        self._here: list[Client] = []
        self._over = threading.Event()

    def run(self) -> None:
        visitors = [threading.Thread(target=self._visit) for _ in range(3)]
        others = [threading.Thread(target=self._look) for _ in range(2)]
        for thread in (*visitors, *others):
            thread.start()
        for thread in visitors:
            thread.join()
        self._over.set()
        for thread in others:
            thread.join()

    @contextlib.contextmanager
    def _expecting(self) -> Iterator[None]:
        try:
            yield
        except (SockkitError, TimeoutError):
            pass  # who was there a moment ago may be gone, or have too much to read
        except Exception:
            self.surprises.append(traceback.format_exc())

    def _visit(self) -> None:
        for _ in range(_VISITS):
            with self._expecting(), self._client() as client:
                self._here.append(client)
                try:
                    for _ in range(_TURNS):
                        self._talk(client)
                finally:
                    self._here.remove(client)
            with self._expecting():
                reset(dial(self._server.address))

    def _client(self) -> Client:
        limits = Limits(max_pending=100_000, linger=0.1)
        context = client_side() if self._encrypted else None
        return Client(self._server.address, limits=limits, ssl=context)

    def _talk(self, client: Client) -> None:
        with self._expecting():
            client.send("x" * random.choice((1, 100, 20_000)))
        with self._expecting():
            client.recv(timeout=random.choice((0, 0.001)))

    def _look(self) -> None:
        while not self._over.is_set():
            with self._expecting():
                self._server.observe(lambda event: None)()
                self._server.broadcast("to all")
                str(self._server)
            for connection in self._server.clients.values():
                self._look_at(connection)
            for client in tuple(self._here):
                with self._expecting():
                    assert client.pending >= 0
                    str(client)
                    client.send("from somebody else")
                    if random.random() < 0.01:
                        client.close()

    def _look_at(self, connection: Connection) -> None:
        with self._expecting():
            assert min(connection.pending, connection.sent, connection.received) >= 0
            str(connection)
            connection.send("y" * random.choice((1, 30_000)))
            if random.random() < 0.01:
                self._server.disconnect(connection.number)


@pytest.mark.usefixtures("eager_threads")
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("callback", [echo, slow_echo])
def test_many_threads_at_once_meet_nothing_but_the_errors_of_the_kit(
    callback: Callable[..., object], encrypted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONASYNCIODEBUG")  # it makes the loop so slow that threads rarely meet
    limits = Limits(max_pending=200_000)
    context = server_side() if encrypted else None
    with Server(callback, limits=limits, ssl=context) as server:
        crowd = Crowd(server, encrypted)
        crowd.run()
    assert crowd.surprises == []
