"""Many threads at once: nothing is lost, doubled, torn, or out of the order of its thread."""

import threading
from collections.abc import Callable

import pytest

from sockkit import Client, Connection, Limits, Server

from .peers import Notes, echo

THREADS = 8
SENDS = 10_000
ROOMY = Limits(max_pending=1 << 30, linger=30)


def in_threads(work: Callable[[int], None], count: int = THREADS) -> None:
    """Run `work(number)` in so many threads, all from the same moment on."""
    barrier = threading.Barrier(count)
    raised: list[BaseException] = []

    def run(number: int) -> None:
        barrier.wait()
        try:
            work(number)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []


def in_order(messages: list[str], threads: int = THREADS, sends: int = SENDS) -> bool:
    """Whether these are the messages of all threads, each thread's in its own order."""
    numbers: dict[int, list[int]] = {number: [] for number in range(threads)}
    for message in messages:
        thread, number, _ = message.split(" ")
        numbers[int(thread)].append(int(number))
    return all(line == list(range(sends)) for line in numbers.values())


def message(thread: int, number: int) -> str:
    return f"{thread} {number} " + "x" * (number % 50)


def test_eight_threads_send_ten_thousand_each_to_one_client() -> None:
    with Server(limits=ROOMY) as server, Client(server.address, timeout=30) as client:
        server.wait_for_clients(1)

        def work(thread: int) -> None:
            for number in range(SENDS):
                server.send(1, message(thread, number))

        in_threads(work)
        assert in_order([client.recv() for _ in range(THREADS * SENDS)])
        with pytest.raises(TimeoutError):
            client.recv(timeout=0)


def test_eight_threads_send_ten_thousand_each_from_one_client() -> None:
    notes = Notes()
    with Server(**notes.callbacks) as server, Client(server.address, limits=ROOMY) as client:

        def work(thread: int) -> None:
            for number in range(SENDS):
                client.send(message(thread, number))

        in_threads(work)
    assert len(notes.messages) == THREADS * SENDS
    assert in_order(notes.messages)


def test_eight_threads_send_to_eight_clients_each_its_own() -> None:
    with Server(limits=ROOMY) as server:
        clients = [Client(server.address, timeout=30).connect() for _ in range(THREADS)]
        server.wait_for_clients(THREADS)

        def work(thread: int) -> None:
            for number in range(1000):
                for client in range(1, THREADS + 1):
                    server.send(client, message(thread, number))

        in_threads(work)
        for client in clients:
            assert in_order([client.recv() for _ in range(THREADS * 1000)], sends=1000)
            client.close()


def test_large_messages_of_many_threads_are_not_torn() -> None:
    bounds = Limits(max_pending=1 << 30, max_message=1 << 20)
    server = Server(limits=bounds)
    with server, Client(server.address, timeout=30, limits=bounds) as client:
        server.wait_for_clients(1)

        def work(thread: int) -> None:
            for _ in range(20):
                server.send(1, str(thread) * 200_000)

        in_threads(work)
        received = [client.recv() for _ in range(THREADS * 20)]
    assert {(len(text), len(set(text))) for text in received} == {(200_000, 1)}


def test_broadcasts_from_many_threads_reach_everybody_in_the_same_order() -> None:
    with Server(limits=ROOMY) as server:
        clients = [Client(server.address, timeout=30).connect() for _ in range(5)]
        server.wait_for_clients(5)

        def work(thread: int) -> None:
            for number in range(200):
                assert server.broadcast(message(thread, number)) == 5

        in_threads(work)
        received = [[client.recv() for _ in range(THREADS * 200)] for client in clients]
        for client in clients:
            client.close()
    assert in_order(received[0], sends=200)
    assert all(messages == received[0] for messages in received)


def test_two_servers_pass_on_to_each_other_and_neither_waits_for_the_other() -> None:
    both_are_in_a_callback = threading.Barrier(2)
    servers: list[Server] = []
    counted: list[int] = []

    def pass_on_to(other: int) -> Callable[[Connection, str], None]:
        def pass_on(connection: Connection, text: str) -> None:
            both_are_in_a_callback.wait(timeout=20)
            counted.append(servers[other].broadcast(text, exclude=[2]))
            servers[other].broadcast("last")

        return pass_on

    servers += Server(pass_on_to(1)), Server(pass_on_to(0))
    with (
        servers[0] as left,
        servers[1] as right,
        Client(left.address) as one,
        Client(right.address) as two,
    ):
        left.wait_for_clients(1)
        with Client(right.address) as left_out:
            right.wait_for_clients(2)
            one.send("from the left")
            two.send("from the right")
            assert [one.recv(), one.recv()] == ["from the right", "last"]
            assert [two.recv(), two.recv()] == ["from the left", "last"]
            assert left_out.recv() == "last"
    assert counted == [1, 1]


def test_clients_come_and_go_on_many_threads() -> None:
    with Server(echo) as server:

        def work(thread: int) -> None:
            for number in range(20):
                with Client(server.address, timeout=30) as client:
                    client.send(message(thread, number))
                    assert client.recv() == message(thread, number)
                    assert client.local_address in [c.address for c in server.clients.values()]

        in_threads(work)


def test_everything_else_works_on_any_thread_too() -> None:
    with Server(echo, limits=ROOMY) as server, Client(server.address, timeout=30) as client:
        server.wait_for_clients(1)

        def work(thread: int) -> None:
            for _ in range(200):
                stop = server.observe(lambda record: None)
                [connection] = server.clients.values()
                connection.name = str(thread)
                assert connection.pending >= 0
                assert "connected" in repr(connection)
                assert server.wait_for_clients(1)
                stop()

        in_threads(work)
        client.send("still there")
        assert client.recv() == "still there"
