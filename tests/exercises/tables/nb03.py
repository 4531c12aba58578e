"""Answers to the exercises of lesson 03."""

import asyncio
import contextlib
import selectors
import socket
import threading

from sockkit import Limits, Server
from sockkit.exercises import nb03 as ex

from ..table import Table


def _listener():
    return socket.create_server(("127.0.0.1", 0), backlog=200)


def _shout(connection, text):
    connection.send(text.upper())


def _talk(connection):
    with connection, contextlib.suppress(ConnectionError):
        for line in connection.makefile("rb"):
            connection.sendall(line.upper())


def _start(target, connection):
    threading.Thread(target=target, args=(connection,), daemon=True).start()


serve_many = Table(ex.serve_many)


@serve_many.stub
def blank_server(ready): ...


def _selecting(ready, errors, shared=None):
    with _listener() as listener, selectors.DefaultSelector() as selector:
        ready(listener.getsockname())
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    kept = bytearray() if shared is None else shared
                    selector.register(connection, selectors.EVENT_READ, kept)
                    continue
                try:
                    data = key.fileobj.recv(65_536)
                    lines, newline, rest = (key.data + data).rpartition(b"\n")
                    key.fileobj.sendall((lines + newline).upper())
                except errors:
                    data, rest = b"", b""
                key.data[:] = rest
                if not data:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


@serve_many.right
def with_selectors(ready):
    _selecting(ready, ConnectionError)


@serve_many.right
def with_the_kit(ready):
    with Server(_shout) as server:
        ready(server.address)
        threading.Event().wait()


@serve_many.right
async def with_a_protocol(ready):
    class Echo(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.write(data.upper())

    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    async with server:
        ready(server.sockets[0].getsockname())
        await asyncio.Event().wait()


@serve_many.wrong("Client 2 sent its line in two parts while another did so too, and got nothing")
def one_after_the_other(ready):
    with _listener() as listener:
        ready(listener.getsockname())
        while True:
            _talk(listener.accept()[0])


@serve_many.wrong(r"clients were served, by [\d,]+ more threads")
def a_thread_for_each(ready):
    with _listener() as listener:
        ready(listener.getsockname())
        while True:
            _start(_talk, listener.accept()[0])


@serve_many.wrong("ConnectionResetError")
def ends_with_a_reset(ready):
    _selecting(ready, BlockingIOError)


@serve_many.wrong("in two parts while another did so too, and got `HEWORL")
def one_buffer_for_all(ready):
    _selecting(ready, ConnectionError, shared=bytearray())


@serve_many.wrong("you did not call `ready.*Does `ready` come before")
async def not_ready(ready):
    async with await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0) as server:
        await server.serve_forever()


@serve_many.wrong("Client 1 has finished, and your end of its connection is still open")
async def never_closes(ready):
    kept = []

    async def talk(reader, writer):
        kept.append(writer)
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line.upper())

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname())
    await server.serve_forever()


serve_bounded = Table(ex.serve_bounded)


@serve_bounded.stub
def blank_bounded(ready, most): ...


@serve_bounded.right
def the_kits_bound(ready, most):
    with Server(_shout, limits=Limits(max_clients=most)) as server:
        ready(server.address)
        threading.Event().wait()


@serve_bounded.right
async def a_set_of_writers(ready, most):
    here = set()

    async def talk(reader, writer):
        if len(here) == most:
            writer.write(b"sorry, full\n")
            writer.close()
            return
        here.add(writer)
        try:
            async for line in reader:
                writer.write(line.upper())
        except ConnectionError:
            pass
        finally:
            here.remove(writer)
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname())
    await server.serve_forever()


def _bounded(ready, most, refuse, left):
    count = 0
    lock = threading.Lock()

    def talk(connection):
        nonlocal count
        error = False
        try:
            with connection:
                for line in connection.makefile("rb"):
                    connection.sendall(line.upper())
        except ConnectionError:
            error = True
        with lock:
            count -= left(error)

    with _listener() as listener:
        ready(listener.getsockname())
        while True:
            connection, _ = listener.accept()
            with lock:
                full = count >= most
                count += not full
            if full:
                refuse(connection)
            else:
                _start(talk, connection)


def _say_full(connection):
    with connection:
        connection.sendall(b"full\n")


@serve_bounded.right
def with_a_count(ready, most):
    _bounded(ready, most, _say_full, lambda error: 1)


@serve_bounded.wrong("Client 4 came too, and got no word before the end")
def without_a_word(ready, most):
    _bounded(ready, most, lambda connection: connection.close(), lambda error: 1)


@serve_bounded.wrong("Client 4 came too, got `full.*stayed open")
def without_an_end(ready, most):
    kept = []

    def refuse(connection):
        connection.sendall(b"full\n")
        kept.append(connection)

    _bounded(ready, most, refuse, lambda error: 1)


@serve_bounded.wrong("Client 4 came too, and heard nothing")
def accepts_no_more(ready, most):
    room = threading.Semaphore(most)

    def talk(connection):
        _talk(connection)
        room.release()

    with _listener() as listener:
        ready(listener.getsockname())
        while room.acquire():
            _start(talk, listener.accept()[0])


@serve_bounded.wrong("Client 4 came too, and got `full`, and no newline.*What ends a line")
def without_a_newline(ready, most):
    def say_full(connection):
        connection.sendall(b"full")
        connection.close()

    _bounded(ready, most, say_full, lambda error: 1)


@serve_bounded.wrong("Client 4 came too, and got 2 lines")
def with_two_lines(ready, most):
    def say_full(connection):
        connection.sendall(b"full\ncome back later\n")
        connection.close()

    _bounded(ready, most, say_full, lambda error: 1)


@serve_bounded.wrong("Client 4 came too, said `hello`, and was served.*who counts")
def one_too_many(ready, most):
    _bounded(ready, most + 1, _say_full, lambda error: 1)


@serve_bounded.wrong("Client 1 closed. A newcomer said `hello`, and got")
def counts_everybody_who_ever_came(ready, most):
    _bounded(ready, most, _say_full, lambda error: 0)


@serve_bounded.wrong("Client 2 reset its connection. A newcomer said `hello`, and got")
def forgets_resetters(ready, most):
    _bounded(ready, most, _say_full, lambda error: not error)
