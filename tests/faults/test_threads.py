"""Eight threads, a million numbered messages: each thread's in its order, none lost or doubled."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sockkit import Client, Connection, Limits, Server

from ..core.peers import dial
from ..core.test_threads import in_threads
from .catalogue import size

THREADS = 8
ROOMY = Limits(max_pending=1 << 30, linger=60)


class Account:
    """What has come so far: the next number of each thread, and what was not as expected."""

    def __init__(self) -> None:
        self.next = [0] * THREADS
        self.wrong: list[bytes] = []

    def take(self, line: bytes) -> None:
        """A message `thread number filling`, the filling as long as the number says."""
        try:
            thread, number, filling = line.split(b" ")
            right = int(number) == self.next[int(thread)] and filling == filler(int(number))
            self.next[int(thread)] += 1
        except (ValueError, IndexError):
            right = False
        if not right:
            self.wrong.append(line)


def filler(number: int) -> bytes:
    return b"x" * (number % 50)


def message(thread: int, number: int) -> str:
    return f"{thread} {number} {filler(number).decode()}"


@pytest.mark.row("many threads sending")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.timeout(240)
def test_what_eight_threads_send_to_one_client(figure: Callable[[str], None]) -> None:
    each, account = size(1_000_000, 80_000) // THREADS, Account()
    with Server(limits=ROOMY) as server, dial(server.address) as raw:
        server.wait_for_clients(1)

        def read() -> None:
            with raw.makefile("rb") as lines:
                for line in lines:
                    account.take(line[:-1])

        reader = threading.Thread(target=read)
        reader.start()

        def work(thread: int) -> None:
            for number in range(each):
                server.send(1, message(thread, number))

        in_threads(work, THREADS)
        server.disconnect(1)
        reader.join()
    tell(account, each, "from the server", figure)


@pytest.mark.row("many threads sending")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.timeout(240)
def test_what_eight_threads_send_from_one_client(figure: Callable[[str], None]) -> None:
    each, account = size(1_000_000, 80_000) // THREADS, Account()

    def on_message(connection: Connection, text: str) -> None:
        account.take(text.encode())

    with Server(on_message) as server, Client(server.address, limits=ROOMY) as client:

        def work(thread: int) -> None:
            for number in range(each):
                client.send(message(thread, number))

        in_threads(work, THREADS)
        client.close()
    tell(account, each, "from a client", figure)


def tell(account: Account, each: int, way: str, figure: Callable[[str], Any]) -> None:
    assert account.wrong == []
    assert account.next == [each] * THREADS
    figure(
        f"{THREADS * each:,} messages of {THREADS} threads {way}: {len(account.wrong)} lost, "
        "doubled, torn, or out of order"
    )
