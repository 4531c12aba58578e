"""Servers for the tests of `Served` and `load`: each is a function, and runs in a child process."""

import asyncio
import contextlib
import os
import socket
import sys
import threading


def talk(connection):
    with connection, contextlib.suppress(ConnectionError):
        for line in connection.makefile("rb"):
            connection.sendall(line.upper())


def a_thread_each(ready):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready(listener.getsockname())
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=talk, args=(connection,), daemon=True).start()


async def on_a_loop(ready):
    async def chat(reader, writer):
        async for line in reader:
            writer.write(line.upper())
        writer.close()

    server = await asyncio.start_server(chat, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname())
    await server.serve_forever()


def one_reply_in_lower_case(ready):
    """The second line of each client comes back as it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready(listener.getsockname())
        with listener.accept()[0] as connection:
            for number, line in enumerate(connection.makefile("rb")):
                connection.sendall(line if number == 1 else line.upper())


def one_who_is_never_ready(ready):
    threading.Event().wait()


def one_who_fails(ready):
    raise ValueError("no luck")


def one_who_speaks(ready):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("printed", flush=True)
        print("complained", file=sys.stderr, flush=True)
        ready(listener.getsockname())
        listener.accept()[0].close()


def one_who_tells_its_process(ready):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready(listener.getsockname())
        with listener.accept()[0] as connection:
            connection.sendall(str(os.getpid()).encode())
        threading.Event().wait()


def one_who_leaves_it_to_a_child(ready):
    def listening(address):
        if os.fork() == 0:
            return
        ready(address)
        threading.Event().wait()

    one_who_tells_its_process(listening)
