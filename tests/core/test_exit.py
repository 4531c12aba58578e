"""The end of the interpreter, and the end of its descriptors: in processes of their own."""

import subprocess
import sys
import textwrap
import time

import pytest

from .program import ROOT, complaints


def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run this program in another interpreter; leaves out what -X dev says of a busy machine."""
    command = (sys.executable, *options, "-c", textwrap.dedent(program))
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=ROOT)
    done.stderr = "\n".join(complaints(done))
    return done


RUNNING = """
    import threading, time
    from sockkit import Client, Connection, Server

    async def on_message(connection, text):
        connection.send(text)

    server = Server(on_message).start()
    clients = [Client(server.address).connect() for _ in range(5)]
    server.wait_for_clients(5)
    for client in clients:
        client.send("hello")
        assert client.recv() == "hello"
"""

ENDINGS = {
    "the end of the program": "",
    "sys.exit": "raise SystemExit",
    "what is sent at the end": "server.broadcast('goodbye'); clients[0].send('goodbye')",
    "a thread that waits": """
def wait():
    try:
        clients[0].recv(timeout=20)
    except Exception as error:
        assert type(error).__name__ in ("ConnectionLost", "ClosedError"), error

threading.Thread(target=wait, daemon=True).start()
""",
    "a callback that waits": """
import asyncio

async def wait(connection, text):
    waiting.set()
    await asyncio.Event().wait()

waiting = threading.Event()
second = Server(wait).start()
with Client(second.address) as client:
    client.send("hello")
    waiting.wait()
""",
    "only a server": "[client.close() for client in clients]",
    "only clients": "server.stop()",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_that_forgets_to_stop_ends_quickly_and_in_silence(ending: str) -> None:
    program = textwrap.dedent(RUNNING) + ENDINGS[ending] + "\nprint(time.time())"
    if ending == "sys.exit":
        program = textwrap.dedent(RUNNING) + "print(time.time())\n" + ENDINGS[ending]
    done = run(program, "-X", "dev", "-W", "error")
    assert done.returncode == 0, done.stderr
    assert "was still busy with client" in done.stderr or done.stderr == ""
    assert (done.stderr == "") == (ending != "a callback that waits")
    assert time.time() - float(done.stdout) < 3


def test_a_loop_of_ones_own_ends_in_silence_too() -> None:
    done = run(
        """
        import asyncio
        from sockkit import AsyncClient, AsyncServer

        async def main():
            async with AsyncServer(lambda connection, text: connection.send(text)) as server:
                async with AsyncClient(server.address) as client:
                    client.send("hello")
                    print(await client.recv())

        asyncio.run(main())
        """,
        *("-X", "dev", "-W", "error"),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="limits descriptors as Unix does")
def test_out_of_descriptors_the_connected_are_served_on_and_accepting_begins_again() -> None:
    done = run(
        """
        import logging, os, resource, socket, time
        from sockkit import Server, sockets

        records = []
        handler = logging.Handler()
        handler.emit = lambda record: records.append(record.levelname)
        logging.getLogger("sockkit").addHandler(handler)

        server = Server(lambda connection, text: connection.send(text)).start()
        first = socket.create_connection(server.address, timeout=20)
        server.wait_for_clients(1)

        def talk(raw):
            raw.sendall(b"hello\\n")
            assert raw.recv(100) == b"hello\\n"

        # These are connected, as far as they know; but the server has no descriptor for them.
        waiting = [socket.socket() for _ in range(5)]
        for raw in waiting:
            raw.settimeout(20)
        spare = os.open(os.devnull, os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare, spare + 100))
        for raw in waiting:
            raw.connect(server.address)
        while not records:
            talk(first)
        used = time.process_time()
        time.sleep(1.2)  # two tries of the server's, and a rest
        assert time.process_time() - used < 0.3, "busy waiting"
        talk(first)
        assert records == ["ERROR"], records
        assert list(server.clients) == [1]

        resource.setrlimit(resource.RLIMIT_NOFILE, (spare + 100, spare + 100))
        relieved = time.monotonic()
        server.wait_for_clients(6, timeout=20)
        assert time.monotonic() - relieved < 5
        for raw in (first, *waiting):
            talk(raw)
            raw.close()
        assert records == ["ERROR", "WARNING"], records
        os.close(spare)
        server.stop()
        print("well")
        """,
        *("-X", "dev"),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "well\n", "")


def test_no_descriptor_for_a_server_is_an_error_that_says_so() -> None:
    if sys.platform == "win32":
        pytest.skip("limits descriptors as Unix does")
    done = run(
        """
        import os, resource
        from sockkit import Client, Server

        with Server() as server:
            address = server.address
            spare = os.open(os.devnull, os.O_RDONLY)
            for left in range(5):
                resource.setrlimit(resource.RLIMIT_NOFILE, (spare + left, 1000))
                for make in (Server().start, Client(address).connect):
                    try:
                        made = make()
                    except OSError as error:
                        assert "open files" in str(error), error
                    else:
                        made.close() if isinstance(made, Client) else made.stop()
            resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))
            os.close(spare)
            with Server() as second, Client(second.address):
                print("well")
        """,
        *("-X", "dev"),
    )
    # What asyncio says on stderr about its own half-made loops is not ours to judge.
    assert (done.returncode, done.stdout) == (0, "well\n"), done.stderr
