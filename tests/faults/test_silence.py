"""Silence: a peer that says nothing, and a cable that is cut, in a network of the test's own."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator

import pytest

from sockkit import AsyncServer, Connection, Limits, Reason

from ..core.clock import clock, run_with_clock
from ..core.peers import echo
from ..core.program import Program
from .catalogue import bound

LIMIT = 30.0
CLIENTS = 100


async def _silence(figure: Callable[[str], None]) -> None:
    times: dict[int, float] = {}
    reasons: set[Reason] = set()

    def left(connection: Connection, reason: Reason) -> None:
        times[connection.number] = clock().time()
        reasons.add(reason)

    limits = Limits(idle_timeout=LIMIT)
    heard: dict[int, float] = {}
    async with AsyncServer(echo, on_disconnect=left, limits=limits) as server:
        streams = []
        for number in range(1, CLIENTS + 1):
            reader, writer = await asyncio.open_connection(*server.address)
            await server.wait_for_clients(number)
            streams.append((reader, writer))
        for number, (reader, writer) in enumerate(streams, start=1):  # one after the other
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
            heard[number] = clock().time()
            await clock().advance(0.1)
        while len(times) < CLIENTS:
            await clock().advance(0.1)
        for _, writer in streams:
            writer.close()
    assert reasons == {Reason.TIMED_OUT}
    late = [times[number] - heard[number] - LIMIT for number in times]
    assert -0.1 <= min(late) <= max(late) < 0.5
    figure(
        f"idle_timeout of {LIMIT:g} s: {CLIENTS} of {CLIENTS} TIMED_OUT, the last "
        f"{max(late):.2f} s late, by a clock that is put forward"
    )


@pytest.mark.row("silence, cable cut")
@pytest.mark.usefixtures("at_full_speed")
def test_who_says_nothing_is_timed_out(figure: Callable[[str], None]) -> None:
    run_with_clock(lambda: _silence(figure))


# A server in one network namespace, its client in another, and a cable between them.

KEEPALIVE, USER_TIMEOUT = 1, 1

SERVER = """
    import json, sys, time, warnings
    from sockkit import Limits, Server

    # Nobody else is in this network, so neither TLS nor a token is needed in it.
    warnings.simplefilter("ignore", RuntimeWarning)
    host, keepalive, user_timeout = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    limits = Limits(keepalive=keepalive, user_timeout=user_timeout)

    def heard(connection, text):
        print(text, flush=True)

    def left(connection, reason):
        print(json.dumps([reason, time.monotonic()]), flush=True)

    with Server(heard, host=host, on_disconnect=left, limits=limits) as server:
        print(server.address[1], flush=True)
        for line in sys.stdin:
            server.broadcast(line.strip())
            print("sent", flush=True)
"""

CLIENT = """
    import socket, sys
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20) as raw:
        raw.sendall(b"hello\\n")
        sys.stdin.read()
"""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture
def cable() -> Iterator[tuple[str, str]]:
    """Two network namespaces, `(here, there)`, with 10.0.0.1 and 10.0.0.2 and a cable between."""
    if sys.platform != "linux" or shutil.which("ip") is None:
        pytest.skip("a cable can only be cut where there are network namespaces and `ip`: on Linux")
    if os.geteuid() != 0:
        pytest.skip("only root may make network namespaces, and cut a cable in them")
    here, there = (f"sockkit-{os.getpid()}-{end}" for end in ("a", "b"))
    with contextlib.ExitStack() as stack:
        try:
            for name in (here, there):
                ip("netns", "add", name)
                stack.callback(ip, "netns", "delete", name)
            ip("-n", here, "link", "add", "cable", "type", "veth", "peer", "cable", "netns", there)
            for name, address in ((here, "10.0.0.1/24"), (there, "10.0.0.2/24")):
                ip("-n", name, "address", "add", address, "dev", "cable")
                ip("-n", name, "link", "set", "cable", "up")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        yield here, there


def inside(name: str, program: str, *arguments: str) -> Program:
    """A Python program that runs in this network namespace."""
    python = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments]
    return Program("ip", "netns", "exec", name, *python)


@pytest.mark.row("silence, cable cut")
@pytest.mark.usefixtures("at_full_speed")
@pytest.mark.parametrize("state", ["idle", "data is on its way"])
def test_a_cut_cable_is_noticed(
    state: str, cable: tuple[str, str], figure: Callable[[str], None]
) -> None:
    here, there = cable
    with inside(here, SERVER, "10.0.0.1", str(KEEPALIVE), str(USER_TIMEOUT)) as server:
        port = server.line()
        with inside(there, CLIENT, "10.0.0.1", port):
            assert server.line() == "hello"
            ip("-n", there, "link", "set", "cable", "down")
            cut = time.monotonic()
            if state != "idle":
                server.type("to nobody\n")
                assert server.line() == "sent"
            reason, told = json.loads(server.line())
    took = told - cut
    assert reason == Reason.TIMED_OUT
    # Idle, the first probe goes out after the keepalive; unanswered, it gets the user timeout.
    interval = KEEPALIVE + USER_TIMEOUT if state == "idle" else USER_TIMEOUT
    assert took < 15
    figure(f"cable cut, {state}: TIMED_OUT after {took:.2f} s; the interval is {interval} s")
    bound(took < interval + 0.5, f"noticed only after {took:.2f} s")
