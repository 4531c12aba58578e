"""Answers to the exercises of lesson 03."""

import _thread
import asyncio
import contextlib
import multiprocessing
import selectors
import socket
import sys
import threading
import time

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


def _selecting(ready, errors, shared=None, send_errors=None):
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
                except errors:
                    data, lines, newline, rest = b"", b"", b"", b""
                if lines:
                    with contextlib.suppress(send_errors or errors):
                        key.fileobj.sendall((lines + newline).upper())
                key.data[:] = rest
                if not data:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


@serve_many.right
def with_selectors(ready):
    _selecting(ready, ConnectionError)


@serve_many.right
def in_a_daemon_thread(ready):
    thread = threading.Thread(target=with_selectors, args=(ready,), daemon=True)
    thread.start()
    threading.Event().wait()


@serve_many.right
def asyncio_in_a_daemon_thread(ready):
    thread = threading.Thread(target=asyncio_runs_inside, args=(ready,), daemon=True)
    thread.start()
    thread.join()


@serve_many.right
def asyncio_runs_inside(ready):
    asyncio.run(ex.serve_many.model(ready))


@serve_many.right
def four_threads_with_selectors(ready):
    def work(selector):
        while True:
            for key, _ in selector.select(0.05):
                try:
                    data = key.fileobj.recv(65_536)
                    lines, newline, rest = (key.data + data).rpartition(b"\n")
                    key.fileobj.sendall((lines + newline).upper())
                except ConnectionError:
                    data, rest = b"", b""
                key.data[:] = rest
                if not data:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()

    with _listener() as listener:
        workers = [selectors.DefaultSelector() for _ in range(4)]
        for selector in workers:
            threading.Thread(target=work, args=(selector,), daemon=True).start()
        ready(listener.getsockname())
        while True:
            for selector in workers:
                connection, _ = listener.accept()
                selector.register(connection, selectors.EVENT_READ, bytearray())


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


@serve_many.wrong("Client 2 came too, and sent `me too`, and got nothing")
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


@serve_many.wrong(r"clients were served, by [\d,]+ more threads")
def an_unknown_thread_for_each(ready):
    with _listener() as listener:
        ready(listener.getsockname())
        while True:
            _thread.start_new_thread(_talk, (listener.accept()[0],))


if "fork" in multiprocessing.get_all_start_methods():

    @serve_many.wrong(r"clients were served, by [\d,]+ more threads and processes")
    def a_process_for_each(ready):
        fork = multiprocessing.get_context("fork")
        with _listener() as listener:
            ready(listener.getsockname())
            while True:
                with listener.accept()[0] as connection:
                    fork.Process(target=_talk, args=(connection,), daemon=True).start()


@serve_many.wrong(r"(BrokenPipeError|ConnectionResetError).*clients → a reset \(RST\), as soon as")
def ends_with_one_who_does_not_wait(ready):
    _selecting(ready, ConnectionError, send_errors=BlockingIOError)


@serve_many.wrong(
    "Client 1 sent `hello`, and got `HELLO` and no newline after it.*with its newline"
)
async def without_the_newline(ready):
    await _streams(ready, lambda line: line.upper().rstrip())


@serve_many.wrong("Client 1 sent `hello`, and got `hello`")
async def as_it_came(ready):
    await _streams(ready, lambda line: line)


async def _streams(ready, reply, lines=10_000_000):
    async def talk(reader, writer):
        with contextlib.suppress(ConnectionError):
            for _ in range(lines):
                if not (line := await reader.readline()):
                    break
                writer.write(reply(line))
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname())
    await server.serve_forever()


@serve_many.wrong("Client 1 sent a second line, `me again`, and got nothing, and was disconnected")
async def one_line_each(ready):
    await _streams(ready, bytes.upper, lines=1)


@serve_many.wrong("Client 2 sent two lines at once, and got `TWO`")
async def one_line_of_each_receive(ready):
    async def talk(reader, writer):
        kept = b""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                line, newline, _ = (kept + data).partition(b"\n")
                kept = b"" if newline else line
                if newline:
                    writer.write(line.upper() + newline)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname())
    await server.serve_forever()


@serve_many.wrong("You called `ready`, and then your function returned")
def ready_and_gone(ready):
    with _listener() as listener:
        ready(listener.getsockname())


@serve_many.wrong(
    r"raised ExceptionGroup: [^\n]*, first ConnectionResetError"
    r".*in talk, line \d+: `while data := await"
)
async def one_group_of_tasks(ready):
    loop = asyncio.get_running_loop()

    async def talk(connection):
        with connection:
            while data := await loop.sock_recv(connection, 65_536):
                await loop.sock_sendall(connection, data.upper())

    with _listener() as listener:
        listener.setblocking(False)
        ready(listener.getsockname())
        async with asyncio.TaskGroup() as group:
            while True:
                connection, _ = await loop.sock_accept(listener)
                group.create_task(talk(connection))


if sys.platform == "linux":  # elsewhere a backlog is longer than asked for, or refuses

    @serve_many.wrong(
        "could not talk to your server: TimeoutError.*How many may wait in its backlog"
    )
    async def a_short_backlog(ready):
        async def talk(reader, writer):
            with contextlib.suppress(ConnectionError):
                while line := await reader.readline():
                    time.sleep(0.01)  # meanwhile the others come
                    writer.write(line.upper())
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=5)
        ready(server.sockets[0].getsockname())
        await server.serve_forever()


@serve_many.wrong("ConnectionResetError")
def ends_with_a_reset(ready):
    _selecting(ready, BlockingIOError)


@serve_many.wrong("A third one sent `meanwhile`, and got `(HEWOR|WORHE)M")
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


def _lines(connection):
    for line in connection.makefile("rb"):
        connection.sendall(line.upper())


def _bounded(ready, most, refuse, left, serve=_lines, listener=None):
    count = 0
    lock = threading.Lock()

    def talk(connection):
        nonlocal count
        error = False
        try:
            with connection:
                serve(connection)
        except ConnectionError:
            error = True
        with lock:
            count -= left(error)

    with listener or _listener() as listener:
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


def _say_full(connection, word=b"full\n"):
    with connection, contextlib.suppress(ConnectionError):
        connection.sendall(word)


@serve_bounded.right
def with_a_count(ready, most):
    _bounded(ready, most, _say_full, lambda error: 1)


@serve_bounded.right
def with_the_short_backlog_of_older_books(ready, most):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        _bounded(ready, most, _say_full, lambda error: 1, listener=listener)


@serve_bounded.right
def workers_that_look_at_the_sockets(ready, most):
    thread = threading.Thread(target=with_a_count, args=(ready, most), daemon=True)
    thread.start()
    threading.Event().wait()


@serve_bounded.right
async def who_speaks_later_is_refused_as_well(ready, most):
    """It reads what came before it closes: so its end is a FIN."""
    room = asyncio.BoundedSemaphore(most)

    async def talk(reader, writer):
        if room.locked():
            writer.write(b"come back later\n")
        else:
            async with room:
                with contextlib.suppress(ConnectionError):
                    while line := await reader.readline():
                        writer.write(line.upper())
                writer.close()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname())
    await server.serve_forever()


@serve_bounded.wrong(
    r"(BrokenPipeError|ConnectionResetError).*clients → a reset \(RST\), as soon as"
)
def ends_with_a_refused_one(ready, most):
    def say_full(connection):
        with connection:
            connection.sendall(b"full\n")

    _bounded(ready, most, say_full, lambda error: 1)


@serve_bounded.wrong("Client 1 said `i am 1`, and got `HELLO`")
def the_same_whatever_was_said(ready, most):
    def serve(connection):
        for _ in connection.makefile("rb"):
            connection.sendall(b"HELLO\n")

    _bounded(ready, most, _say_full, lambda error: 1, serve)


@serve_bounded.wrong("Client 1 sent `two parts` in two parts, and got `PARTS`.*Who keeps it")
def loses_half_a_line(ready, most):
    def serve(connection):
        while data := connection.recv(65_536):
            if data.endswith(b"\n"):
                connection.sendall(data.upper())

    _bounded(ready, most, _say_full, lambda error: 1, serve)


@serve_bounded.wrong("Client 4 said `i am 4`, and got")
def three_whatever_was_asked(ready, most):
    _bounded(ready, 3, _say_full, lambda error: 1)


@serve_bounded.wrong("Client 5 came too, and got an empty line")
def an_empty_word(ready, most):
    _bounded(ready, most, lambda c: _say_full(c, b"\n"), lambda error: 1)


@serve_bounded.wrong("Then 6 came in one moment, and 6 of them were served.*between your look")
async def looks_and_counts_later(ready, most):
    here = set()

    async def talk(reader, writer):
        if len(here) >= most:
            writer.write(b"full\n")
            writer.close()
            return
        await asyncio.sleep(0.05)
        here.add(writer)
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line.upper())
        here.remove(writer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname())
    await server.serve_forever()


@serve_bounded.wrong(
    "Client 5 came too, heard nothing, said `hello`, and only then got `sorry, full`"
)
def refuses_who_speaks(ready, most):
    def say_full(connection):
        threading.Thread(target=wait_and_say, args=(connection,), daemon=True).start()

    def wait_and_say(connection):
        with contextlib.suppress(ConnectionError):
            connection.recv(100)
        _say_full(connection, b"sorry, full\n")

    _bounded(ready, most, say_full, lambda error: 1)


@serve_bounded.wrong("Client 5 came too, and got no word before the end")
def without_a_word(ready, most):
    _bounded(ready, most, lambda connection: connection.close(), lambda error: 1)


@serve_bounded.wrong("Client 5 came too, got `full.*stayed open")
def without_an_end(ready, most):
    kept = []

    def refuse(connection):
        connection.sendall(b"full\n")
        kept.append(connection)

    _bounded(ready, most, refuse, lambda error: 1)


@serve_bounded.wrong("Client 5 came too, and heard nothing")
def accepts_no_more(ready, most):
    room = threading.Semaphore(most)

    def talk(connection):
        _talk(connection)
        room.release()

    with _listener() as listener:
        ready(listener.getsockname())
        while room.acquire():
            _start(talk, listener.accept()[0])


@serve_bounded.wrong("Client 5 came too, and got `full`, and no newline.*What ends a line")
def without_a_newline(ready, most):
    def say_full(connection):
        connection.sendall(b"full")
        connection.close()

    _bounded(ready, most, say_full, lambda error: 1)


@serve_bounded.wrong("Client 5 came too, and got 2 lines")
def with_two_lines(ready, most):
    def say_full(connection):
        connection.sendall(b"full\ncome back later\n")
        connection.close()

    _bounded(ready, most, say_full, lambda error: 1)


@serve_bounded.wrong("Client 5 came too, said `hello`, and was served.*who counts")
def one_too_many(ready, most):
    _bounded(ready, most + 1, _say_full, lambda error: 1)


@serve_bounded.wrong("Client 1 closed. A newcomer said `hello`, and got")
def counts_everybody_who_ever_came(ready, most):
    _bounded(ready, most, _say_full, lambda error: 0)


@serve_bounded.wrong("Client 2 reset its connection. A newcomer said `hello`, and got")
def forgets_resetters(ready, most):
    _bounded(ready, most, _say_full, lambda error: not error)
