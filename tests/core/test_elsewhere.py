"""Other systems: the usual loop of Windows, and what Windows or macOS does not have.

A stand-in shows here what can be shown here; the matrix of the workflows runs on the systems.
"""

import asyncio
import socket
import ssl
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from sockkit import AsyncClient, AsyncServer, Limits, Raw, Reason

from .peers import Notes, dial, echo, read_to_end, reset
from .proactor import ProactorLoop
from .program import ROOT, complaints
from .secure import client_side, server_side


def on_windows_loop(main: Any) -> None:
    with asyncio.Runner(loop_factory=ProactorLoop) as runner:
        runner.run(main)


async def turns_until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


BIG = "x" * 3_000_000


async def _a_conversation() -> None:
    notes = Notes(echo)
    limits = Limits(max_message=len(BIG), max_pending=1 << 30)
    async with AsyncServer(**notes.callbacks, limits=limits, receive_buffer=1000) as server:
        async with AsyncClient(server.address, limits=limits) as client:
            await server.wait_for_clients(1)
            for text in ("one", "two", BIG, ""):
                client.send(text)
                assert await client.recv() == text
        await turns_until(lambda: notes.ends)
    assert notes.messages == ["one", "two", BIG, ""]
    assert notes.ends == [Reason.CLOSED]


def test_server_and_client_talk_on_the_loop_of_windows() -> None:
    on_windows_loop(_a_conversation())


async def _ends() -> None:
    notes = Notes()
    async with AsyncServer(**notes.callbacks, limits=Limits(max_message=10)) as server:
        for number, leave in enumerate(("fin", "reset", "garbage", "kick"), 1):
            raw = dial(server.address)
            raw.sendall(b"hello\n")
            await turns_until(lambda number=number: len(notes.messages) == number)
            if leave == "fin":
                raw.shutdown(socket.SHUT_WR)
            elif leave == "reset":
                reset(raw)
            elif leave == "garbage":
                raw.sendall(b"x" * 50)
            else:
                server.send(number, "goodbye")
                server.disconnect(number)
            await turns_until(lambda number=number: len(notes.ends) == number)
            if leave != "reset":
                expected = b"goodbye\n" if leave == "kick" else b""
                assert await asyncio.to_thread(read_to_end, raw) == expected
            raw.close()
        await asyncio.get_running_loop().shutdown_default_executor()
    assert notes.ends == [Reason.CLOSED, Reason.RESET, Reason.PROTOCOL_ERROR, Reason.KICKED]


def test_every_end_has_its_reason_on_the_loop_of_windows() -> None:
    on_windows_loop(_ends())


def say_fin(raw: socket.socket) -> None:
    raw.shutdown(socket.SHUT_WR)


def dial_over_tls(address: tuple[str, int]) -> ssl.SSLSocket:
    return client_side().wrap_socket(dial(address), server_hostname=address[0])


async def _ends_over_tls() -> None:
    notes = Notes()
    async with AsyncServer(**notes.callbacks, ssl=server_side()) as server:
        for number, leave in enumerate((say_fin, reset), 1):
            with await asyncio.to_thread(dial_over_tls, server.address) as raw:
                raw.sendall(b"hello\n")
                await turns_until(lambda number=number: len(notes.messages) == number)
                leave(raw)
                await turns_until(lambda number=number: len(notes.ends) == number)
        await asyncio.get_running_loop().shutdown_default_executor()
    assert notes.ends == [Reason.CLOSED, Reason.RESET]


def test_over_tls_too_every_end_has_its_reason_on_the_loop_of_windows() -> None:
    on_windows_loop(_ends_over_tls())


async def _a_slow_handler() -> None:
    messages: list[bytes] = []
    go_on = asyncio.Event()

    async def on_message(_: object, data: bytes) -> None:
        messages.append(data)
        await go_on.wait()

    async with AsyncServer(on_message, framing=Raw(), receive_buffer=4) as server:
        with dial(server.address) as raw:
            raw.sendall(b"0123456789" * 10)
            await turns_until(lambda: messages)
            assert messages == [b"0123"]
            go_on.set()
            await turns_until(lambda: sum(map(len, messages)) == 100)
    assert b"".join(messages) == b"0123456789" * 10


def test_a_slow_handler_is_waited_for_on_the_loop_of_windows() -> None:
    on_windows_loop(_a_slow_handler())


# What is not there: the first lines of a program that take it away.

LESS = """
    import asyncio, functools, importlib, os, pkgutil, signal, socket, sys

    if hasattr(socket, "AF_UNIX"):  # which the loop wakes itself with
        socket.socketpair = functools.partial(socket.socketpair, socket.AF_UNIX)
    if hasattr(os, "process_cpu_count"):  # since 3.13, with what is taken away here
        os.process_cpu_count = os.cpu_count
    for module, names in {
        os: "fork register_at_fork killpg geteuid getuid sched_getaffinity",
        socket: "AF_UNIX SO_REUSEPORT TCP_USER_TIMEOUT TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT",
        signal: "pthread_kill SIGURG SIGKILL SIGHUP SIGUSR1 SIGALRM setitimer",
    }.items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    for name in ("resource", "fcntl", "termios", "pty", "grp", "pwd"):
        sys.modules[name] = None

    def refuse(self, *args):
        raise NotImplementedError

    asyncio.SelectorEventLoop.add_signal_handler = refuse
"""
TALK = """
    import sockkit
    from sockkit import Client, Limits, Server

    limits = Limits(keepalive=7, user_timeout=7)
    with Server(lambda connection, text: connection.send(text), limits=limits) as server:
        with Client(server.address) as client:
            client.send("hello")
            assert client.recv() == "hello"
"""
IMPORT_ALL = """
    import sockkit
    left_out = ("__main__", "child")  # which are programs
    must_be_there = ("sockkit", *sys.stdlib_module_names)  # and not what an extra would install
    names = [module.name for module in pkgutil.walk_packages(sockkit.__path__, "sockkit.")]
    for name in names:
        if name.rpartition(".")[2] not in left_out and not name.startswith("sockkit.lab.races."):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name.partition(".")[0] in must_be_there:
                    raise
    assert len(names) > 50
"""


@pytest.mark.parametrize("program", [TALK, IMPORT_ALL], ids=["talk", "import"])
def test_it_works_where_half_of_a_unix_system_is_missing(program: str) -> None:
    code = textwrap.dedent(LESS) + textwrap.dedent(program)
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=55, cwd=ROOT)
    assert (done.returncode, complaints(done)) == (0, [])


def test_the_command_works_there_too() -> None:
    program = """
        import runpy
        sys.argv = ["sockkit", "doctor"]
        runpy.run_module("sockkit", run_name="__main__", alter_sys=True)
    """
    code = textwrap.dedent(LESS) + textwrap.dedent(program)
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=55, cwd=ROOT)
    assert "Traceback" not in done.stderr + done.stdout
    assert "no SO_REUSEPORT on this system" in done.stdout
