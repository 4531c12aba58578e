"""Answers to the exercises of lesson 00."""

import asyncio
import platform
import socket
import sys
import threading
import time
from unittest.mock import ANY

import sockkit
from sockkit import AsyncClient, Client
from sockkit.exercises import nb00 as ex

from ..table import Table

environment = Table(ex.environment)
PYTHON, KIT = platform.python_version(), sockkit.__version__

environment.stub(...)
environment.stub({"python": ..., "sockkit": ...})
environment.right({"sockkit": KIT, "python": PYTHON})
environment.right({"python": sys.version.split()[0], "sockkit": KIT})
environment.wrong("For python you gave me '2.7'")({"python": "2.7", "sockkit": KIT})
environment.wrong("For sockkit you gave me '9.9'")({"python": PYTHON, "sockkit": "9.9"})
environment.wrong("for python is a function")({"python": platform.python_version, "sockkit": KIT})
environment.wrong("keys `python` and `sockkit`")(PYTHON)
environment.wrong("keys `python` and `sockkit`")({"python": PYTHON})
environment.wrong("which is no text")({"python": (3, 11), "sockkit": KIT})
environment.wrong("For python you gave me None, which is no text")(
    {"python": print(), "sockkit": KIT}
)
environment.wrong("which is no text")({"python": sys.version_info, "sockkit": KIT})
environment.wrong("For python you gave me.*the whole version")(
    {"python": f"{sys.version_info.major}.{sys.version_info.minor}", "sockkit": KIT}
)
environment.wrong("For python you gave me.*and nothing else")(
    {"python": sys.version, "sockkit": KIT}
)
environment.wrong("which is no text")(dict.fromkeys(["python", "sockkit"], ANY))


first_reply = Table(ex.first_reply)


@first_reply.stub
async def blank(address): ...


@first_reply.stub
async def not_implemented(address):
    raise NotImplementedError("your turn")


@first_reply.right
async def with_the_kit(address):
    async with AsyncClient(address) as client:
        client.send("hello")
        return await client.recv()


@first_reply.right
async def in_a_thread(address):
    def ask():
        with Client(address) as client:
            client.send("hello")
            return client.recv()

    return await asyncio.to_thread(ask)


@first_reply.right
async def with_the_loops_own_calls(address):
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, b"hello\n")
        line = b""
        while not line.endswith(b"\n"):
            line += await loop.sock_recv(sock, 5)
    return line.decode().strip()


@first_reply.right
def not_itself_async(address):
    return asyncio.ensure_future(with_the_kit(address))


@first_reply.right
async def gathers_what_comes(address):
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(b"hello\n")
        await writer.drain()
        data = b""
        while b"\n" not in data:
            data += await reader.read(1024)
    finally:
        writer.close()
        await writer.wait_closed()
    return data.decode()


@first_reply.wrong("held its event loop, in line")
async def blocks(address):
    with socket.create_connection(address) as sock:
        sock.sendall(b"hello\n")
        return sock.makefile().readline().strip()


@first_reply.wrong("nothing else could run on your event loop")
def plain_function(address):
    with socket.create_connection(address) as sock:
        sock.sendall(b"hello\n")
        return sock.recv(1024).decode().strip()


@first_reply.wrong("held its event loop, in line .*sleep")
async def sleeps_on_the_loop(address):
    async with AsyncClient(address) as client:
        client.send("hello")
        time.sleep(30)
        return await client.recv()


@first_reply.wrong("I read `.*hello.*Bytes, or text")
async def sends_bytes_as_they_print(address):
    async with AsyncClient(address) as client:
        client.send(str(b"hello"))
        return await client.recv()


@first_reply.wrong("I read `b'Hello.n'`.\nExpected: the line `hello`.\n")
async def with_a_capital(address):
    async with AsyncClient(address) as client:
        client.send("Hello")
        return await client.recv()


@first_reply.wrong(r"you returned `b'welcome, .*as bytes")
async def returns_bytes(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line


@first_reply.wrong("waited for the end of the line")
async def no_newline(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello")
    return (await reader.readline()).decode().strip()


@first_reply.wrong("you returned `'welcome, '`")
async def one_receive_is_a_line(address):
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, b"hello\n")
        return (await loop.sock_recv(sock, 9)).decode()


@first_reply.wrong("you returned `'welcome, '.*two pieces")
async def one_read_is_a_line(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello\n")
    line = await reader.read(1024)
    writer.close()
    return line.decode()


@first_reply.wrong("you returned `'welcome, '.*two pieces")
async def one_receive_in_a_thread(address):
    def ask():
        with socket.create_connection(address) as sock:
            sock.sendall(b"hello\n")
            return sock.recv(1024).decode()

    return await asyncio.to_thread(ask)


@first_reply.wrong("you returned `'welcome, späte Gäste'`")
async def knows_it_beforehand(address):
    async with AsyncClient(address) as client:
        client.send("hello")
        return "welcome, späte Gäste"


@first_reply.wrong("You returned, and I had not replied yet")
async def does_not_read(address):
    _, writer = await asyncio.open_connection(*address)
    writer.write(b"hello\n")
    writer.close()
    await writer.wait_closed()
    return "welcome"


@first_reply.wrong("After `hello` you also sent `b'and goodbye")
async def says_goodbye(address):
    async with AsyncClient(address) as client:
        client.send("hello")
        client.send("and goodbye")
        return await client.recv()


@first_reply.wrong("AttributeError.*write")
async def calls_what_is_not_there(address):
    async with AsyncClient(address) as client:
        client.write("hello")
        return await client.recv()


@first_reply.wrong("TypeError.*carries str")
async def sends_bytes_to_lines(address):
    async with AsyncClient(address) as client:
        client.send(b"hello")
        return await client.recv()


@first_reply.wrong("ProtocolError.*newline")
async def sends_the_newline_too(address):
    async with AsyncClient(address) as client:
        client.send("hello\n")
        return await client.recv()


@first_reply.wrong("FileNotFoundError")
async def looks_for_a_file(address):
    with socket.create_connection(address):
        return await asyncio.to_thread(open, "there is no such file")


@first_reply.wrong("I read nothing")
async def says_nothing(address):
    async with AsyncClient(address) as client:
        return await client.recv()


@first_reply.wrong("you returned `.*a list")
async def wraps_it(address):
    return [await with_the_kit(address)]


@first_reply.wrong("as I wrote it: UTF-8")
async def another_encoding(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello\n")
    line = await reader.readline()
    writer.close()
    return line.decode("latin-1")


@first_reply.wrong("as I wrote it")
async def the_bytes_as_they_print(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello\n")
    line = await reader.readline()
    writer.close()
    return str(line)


@first_reply.wrong("still open|never closed")
async def leaves_it_open(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello\n")
    forgotten.append(writer)
    return (await reader.readline()).decode().strip()


forgotten: list[object] = []


@first_reply.wrong("returned the coroutine .*recv.*has never been awaited")
async def forgets_to_await(address):
    async with AsyncClient(address) as client:
        client.send("hello")
        return client.recv()


@first_reply.wrong("Nobody connected to me")
async def does_nothing(address):
    return "welcome"


@first_reply.wrong("You returned nothing")
async def returns_nothing(address):
    await with_the_kit(address)


@first_reply.wrong("raised ConnectionRefusedError")
async def asks_the_wrong_port(address):
    await asyncio.open_connection(address[0], 1)


@first_reply.wrong(r"Nobody listens there: is the server started, and is this its port\?\n")
async def asks_the_wrong_port_with_the_kit(address):
    async with AsyncClient((address[0], 1)) as client:
        return await client.recv()


first_reply.wrong("Leave out the parentheses")(with_the_kit(("127.0.0.1", 1)))


where_am_i = Table(ex.where_am_i)


@where_am_i.stub
def silent_stub(connection, message):
    """Answer."""


@where_am_i.right
def by_current_thread(connection, message):
    thread = threading.current_thread()
    connection.send(thread.name)


@where_am_i.right
async def as_a_coroutine(connection, message):
    await asyncio.sleep(0)
    connection.send(threading.current_thread().name)


@where_am_i.right
def by_its_number(connection, message):
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    connection.send(names[threading.get_ident()])


@where_am_i.right
class AnswersWhenMade:
    def __init__(self, connection, message):
        connection.send(threading.current_thread().name)


@where_am_i.wrong("a thread that the server has started.*it answered")
def one_of_two_names(connection, message):
    main = threading.current_thread() is threading.main_thread()
    connection.send("MainThread" if main else "sockkit-server")


@where_am_i.wrong("I sent a second message, and you closed the connection.*for each message")
def closes_after_the_first(connection, message):
    connection.send(threading.current_thread().name)
    connection.close()


@where_am_i.wrong("I sent a second message and got no answer.*for each message.\n\n")
def only_the_first(connection, message):
    if connection not in greeted:
        greeted.append(connection)
        connection.send(threading.current_thread().name)


greeted: list[object] = []


@where_am_i.wrong("After two answers to two messages you sent `b'bye")
def says_bye_to_the_second(connection, message):
    connection.send(threading.current_thread().name)
    if connection.received == 2:
        connection.send("bye")


@where_am_i.wrong("KeyError")
def knows_only_one_thread(connection, message):
    names = {threading.main_thread().ident: threading.main_thread().name}
    connection.send(names[threading.get_ident()])


@where_am_i.wrong("a thread that the server has started.*it answered")
def always_the_main_thread(connection, message):
    connection.send(threading.main_thread().name)


@where_am_i.wrong("on the cell's own thread, and it answered")
def learnt_by_heart(connection, message):
    connection.send("sockkit-server")


@where_am_i.wrong("got no answer")
def returns_it(connection, message):
    return threading.current_thread().name


@where_am_i.wrong("raised TypeError.*str")
def sends_the_thread_itself(connection, message):
    connection.send(threading.current_thread())


@where_am_i.wrong(r"raised TypeError.*\b1 positional argument")
def takes_too_little(connection):
    connection.send(threading.current_thread().name)


@where_am_i.wrong("held its event loop, in line")
def sleeps(connection, message):
    time.sleep(30)


@where_am_i.wrong("got no answer")
async def waits_for_ever(connection, message):
    await asyncio.Event().wait()
