"""Answers to the exercises of lesson 01."""

import asyncio
import contextlib
import selectors
import socket
import threading

from sockkit.exercises import nb01 as ex

from ..table import Table

echo = Table(ex.echo)


@echo.stub
def blank(connection): ...


@echo.stub
def with_a_docstring(connection):
    """Send back every byte."""


@echo.right
def byte_by_byte(connection):
    while True:
        byte = connection.recv(1)
        if not byte:
            return
        connection.send(byte)


@echo.right
def into_one_buffer(connection):
    buffer = bytearray(4096)
    while count := connection.recv_into(buffer):
        connection.sendall(memoryview(buffer)[:count])


@echo.right
def and_closes(connection):
    with connection, connection.makefile("rwb", buffering=0) as stream:
        while data := stream.read(100):
            stream.write(data)


@echo.right
async def as_a_coroutine(connection):
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(connection, 1024):
        await loop.sock_sendall(connection, data)


@echo.right
class EchoesWhenMade:
    def __init__(self, connection):
        while data := connection.recv(1024):
            connection.sendall(data)


@echo.right
def with_a_selector(connection):
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        while True:
            selector.select()
            data = connection.recv(4096)
            if data == b"":
                break
            connection.sendall(data)


@echo.wrong("I paused, and had not finished; but you returned.*Silence is not the end")
def takes_a_pause_for_the_end(connection):
    connection.settimeout(0.2)
    try:
        while data := connection.recv(1024):
            connection.sendall(data)
    except TimeoutError:
        pass


@echo.wrong("I paused, and had not finished; but you returned.*Silence is not the end")
def takes_two_seconds_for_the_end(connection):
    connection.settimeout(2)
    with contextlib.suppress(TimeoutError):
        byte_by_byte(connection)


@echo.right
def looks_up_now_and_then(connection):
    connection.settimeout(1)
    while True:
        with contextlib.suppress(TimeoutError):
            return byte_by_byte(connection)


@echo.wrong("I paused, and had not finished; but you returned")
def returns_at_once(connection):
    threading.Thread(target=byte_by_byte, args=[connection]).start()


@echo.wrong("I sent `.{8}` and got `caf")
def learnt_by_heart(connection):
    for message in (b"hello", b"again", b"caf\xe9 \x00\xff", bytes(range(256)) * 20):
        connection.recv(len(message))
        connection.sendall(message)


@echo.wrong("got 0 of them back")
def strips(connection):
    while data := connection.recv(1024):
        connection.sendall(data.strip())


@echo.wrong("got 1 of them back")
def strips_the_newline(connection):
    while data := connection.recv(1024):
        connection.sendall(data.rstrip(b"\r\n"))


@echo.wrong("I sent 5 bytes and got 0 of them back")
def one_message_only(connection):
    connection.sendall(connection.recv(1024))


@echo.wrong('still running when I stopped waiting, in line.*b""')
def never_sees_the_end(connection):
    while True:
        connection.sendall(connection.recv(1024))


@echo.wrong("raised UnicodeDecodeError")
def takes_it_for_text(connection):
    while data := connection.recv(1024):
        connection.sendall(data.decode().encode())


@echo.wrong("I sent `hello` and got `HELLO`")
def upper_case(connection):
    while data := connection.recv(1024):
        connection.sendall(data.upper())


@echo.wrong("got 0 of them back. `waits_for_all` was still running, in line")
def waits_for_all(connection):
    data = b""
    while piece := connection.recv(1024):
        data += piece
    connection.sendall(data)


@echo.wrong("then you closed")
def closes_after_each(connection):
    connection.sendall(connection.recv(1024))
    connection.close()


@echo.wrong("I sent 5,120 bytes and got 1,024 of them back")
def six_receives(connection):
    for _ in range(6):
        connection.sendall(connection.recv(1024))
    connection.recv(4096)


@echo.wrong("After my last byte you sent `bye`")
def says_bye(connection):
    while data := connection.recv(1024):
        connection.sendall(data)
    connection.sendall(b"bye")


@echo.wrong("your thread .* was still running; I ended it|But you left")
def leaves_a_thread(connection):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=listener.accept).start()
    byte_by_byte(connection)


@echo.wrong("But your thread .* was still running; I ended it")
def leaves_a_timer(connection):
    threading.Timer(60, connection.close).start()
    byte_by_byte(connection)


serve_one = Table(ex.serve_one)


@serve_one.stub
def nothing(listener):
    pass


@serve_one.right
def with_finally(listener):
    try:
        connection, _ = listener.accept()
        try:
            byte_by_byte(connection)
        finally:
            connection.close()
    finally:
        listener.close()


@serve_one.right
def listener_first(listener):
    connection, _ = listener.accept()
    listener.close()
    with connection, contextlib.suppress(ConnectionError):
        byte_by_byte(connection)


@serve_one.right
def with_an_exit_stack(listener):
    with contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        connection = stack.enter_context(listener.accept()[0])
        stack.callback(connection.close)
        into_one_buffer(connection)


@serve_one.right
def with_a_helper(listener):
    def client():
        connection, _ = listener.accept()
        return connection

    with listener, client() as connection:
        try:
            into_one_buffer(connection)
        except OSError as error:
            print("it went:", error)


@serve_one.wrong("got 0 of them back")
def one_receive(listener):
    with listener:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(connection.recv(1024))


@serve_one.wrong("raised UnicodeDecodeError|got 0 of them back")
def takes_them_for_lines_of_text(listener):
    with listener, listener.accept()[0] as connection:
        while text := connection.recv(1024).decode().strip():
            connection.sendall(text.encode())


@serve_one.wrong("I paused, and had not finished; but you returned")
def is_impatient(listener):
    with listener, listener.accept()[0] as connection, contextlib.suppress(TimeoutError):
        connection.settimeout(0.3)
        into_one_buffer(connection)


@serve_one.wrong("I paused, and had not finished; but you returned")
def gives_up_after_a_second(listener):
    with listener, listener.accept()[0] as connection, contextlib.suppress(TimeoutError):
        connection.settimeout(1)
        into_one_buffer(connection)


@serve_one.wrong("Your listener is still open")
def detaches_the_listener(listener):
    with listener.accept()[0] as connection:
        try:
            byte_by_byte(connection)
        finally:
            detached.append(socket.socket(fileno=listener.detach()))


detached: list[socket.socket] = []


@serve_one.wrong("you raised RuntimeError.*you return, or let the ConnectionResetError")
def raises_another(listener):
    with listener, listener.accept()[0] as connection:
        try:
            byte_by_byte(connection)
        except ConnectionError as error:
            raise RuntimeError("the client is gone") from error


@serve_one.wrong("you raised TypeError: can only concatenate str.*you return, or let")
def fails_where_it_handles_the_reset(listener):
    with listener, listener.accept()[0] as connection:
        try:
            byte_by_byte(connection)
        except ConnectionResetError as error:
            print("it went: " + error)


@serve_one.wrong(
    "still running when I stopped waiting, in line.*accept.*once I have reset it.*Whom"
)
def waits_for_a_politer_one(listener):
    with listener:
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(ConnectionError):
                return byte_by_byte(connection)


@serve_one.wrong("Your listener is still open")
def forgets_the_listener(listener):
    connection, _ = listener.accept()
    with connection:
        byte_by_byte(connection)


@serve_one.wrong("you never closed a socket")
def forgets_the_connection(listener):
    with listener:
        connection, _ = listener.accept()
        byte_by_byte(connection)


@serve_one.wrong("no FIN came")
def keeps_the_connection(listener):
    with listener:
        connection, _ = listener.accept()
        kept.append(connection)
        byte_by_byte(connection)


kept: list[socket.socket] = []


@serve_one.wrong("I finished, and you returned. Your listener is still open")
def goes_on_in_a_thread(listener):
    ended = threading.Event()

    def serve():
        while True:
            with listener.accept()[0] as connection:
                byte_by_byte(connection)
            ended.set()

    threading.Thread(target=serve, daemon=True).start()
    ended.wait()


@serve_one.wrong("no FIN came")
def keeps_a_file(listener):
    with listener, listener.accept()[0] as connection:
        files.append(connection.makefile("rwb", buffering=0))
        while data := files[-1].read(1024):
            files[-1].write(data)


files: list[socket.SocketIO] = []


@serve_one.wrong("I reset the connection, not finishing.*listener is still open")
def closes_only_when_all_is_well(listener):
    connection, _ = listener.accept()
    byte_by_byte(connection)
    connection.close()
    listener.close()


@serve_one.wrong("still running when I stopped waiting, in line.*accept")
def serves_for_ever(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            byte_by_byte(connection)


@serve_one.wrong("raised OSError")
def talks_to_the_listener(listener):
    listener.sendall(listener.recv(1024))


@serve_one.wrong("still running, in line.*accept")
def waits_for_a_second_client(listener):
    with listener:
        first, _ = listener.accept()
        second, _ = listener.accept()
        byte_by_byte(first)
        byte_by_byte(second)


which_socket = Table(ex.which_socket)
RIGHT = {
    "accept": "listener",
    "recv": "connection",
    "sendall": "connection",
    "getpeername": "connection",
}

which_socket.stub(...)
which_socket.stub(dict.fromkeys(RIGHT, ...))
which_socket.stub(RIGHT | {"recv": ...})
which_socket.right({name: kind.upper() for name, kind in RIGHT.items()})
which_socket.right(dict(reversed(RIGHT.items())))
which_socket.wrong("`accept` on a connection, and Python raised OSError")(
    RIGHT | {"accept": "connection"}
)
which_socket.wrong("`recv` on a listener")(RIGHT | {"recv": "listener"})
which_socket.wrong("`sendall` on a listener")(RIGHT | {"sendall": "Listener"})
which_socket.wrong("`getpeername` on a listener")(RIGHT | {"getpeername": "listener"})
which_socket.wrong("For `recv` you said None")(RIGHT | {"recv": None})
which_socket.wrong("you said 'both'")(RIGHT | {"recv": "both"})
which_socket.wrong("a dict with the keys")(["listener", "connection"])
