"""The stop button, without a page: a cell that waits in the kit ends at once when interrupted."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

AT_ONCE = 10.0  # seconds, on a busy machine; each wait below would last for half a minute
PATIENCE = 60  # seconds: for a kernel's answer
BEGIN = """
import asyncio, socket
from IPython.display import display
from sockkit import AsyncClient, AsyncServer
"""
BEGUN = "display('begun')"
WAITS = {
    "a message": "async with AsyncServer() as own, AsyncClient(own.address) as client:\n"
    "    {begun}; await client.recv(timeout=30)",
    "the next of all messages": "client = AsyncClient(server.address, timeout=30)\n"
    "async with client:\n    {begun}\n    async for _ in client: pass",
    "a server that does not answer": "door = socket.create_server(('127.0.0.1', 0), backlog=1)\n"
    "client = AsyncClient(door.getsockname(), timeout=30, token='secret')\n"
    "with door:\n    {begun}; await client.connect()",
    "clients": "async with AsyncServer() as own:\n"
    "    {begun}; await own.wait_for_clients(1, timeout=30)",
    "the clients of an older server": "{begun}; await server.wait_for_clients(1, timeout=30)",
    "room to send": "door = socket.create_server(('127.0.0.1', 0))\n"
    "with door:\n    async with AsyncClient(door.getsockname()) as client:\n"
    "        for _ in range(100): client.send('x' * 60_000) if client.pending < 900_000 else None\n"
    "        {begun}; await client.drain()",
    "the end of a server that runs for ever": "async with AsyncServer():\n"
    "    {begun}; await asyncio.wait_for(asyncio.Event().wait(), 30)",
}


@pytest.fixture(scope="module")
def manager() -> Iterator[KernelManager]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(extra_arguments=["--IPKernelApp.log_level=ERROR"])
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(manager: KernelManager) -> Iterator[BlockingKernelClient]:
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    assert run(client, f"{BEGIN}\nserver = await AsyncServer().start()") == ""
    yield client
    client.stop_channels()


def run(kernel: BlockingKernelClient, code: str) -> str:
    """Run a cell; the name of its error, or nothing."""
    answer = kernel.execute(code, reply=True, timeout=PATIENCE)
    return str(answer["content"].get("ename", ""))


def next_of(cell: str, get: Callable[..., dict[str, Any]], wanted: str) -> dict[str, Any]:
    """The next message of this kind that belongs to this cell."""
    while True:
        message = get(timeout=PATIENCE)
        if message["parent_header"].get("msg_id") == cell:
            assert message["msg_type"] != "error", message["content"]
            if message["msg_type"] == wanted:
                return dict(message["content"])


@pytest.mark.notebook
@pytest.mark.parametrize("wait", WAITS)
def test_an_interrupt_ends_a_wait_for(
    wait: str, manager: KernelManager, kernel: BlockingKernelClient
) -> None:
    cell = kernel.execute(WAITS[wait].format(begun=BEGUN), stop_on_error=False)
    next_of(cell, kernel.get_iopub_msg, "display_data")
    begun = time.monotonic()
    manager.interrupt_kernel()
    answer = next_of(cell, kernel.get_shell_msg, "execute_reply")
    assert answer.get("ename") == "CancelledError"
    assert time.monotonic() - begun < AT_ONCE


@pytest.mark.notebook
def test_an_interrupted_wait_leaves_nothing_on_the_loop(kernel: BlockingKernelClient) -> None:
    wait = "client = await AsyncClient(server.address).connect()\nawait client.recv(timeout=0.5)"
    assert run(kernel, wait) == "TimeoutError"
    left = (
        "await client.close(); await server.stop()\n"
        "await asyncio.sleep(0.3)\n"  # as long as a turn, so that one under way would go on
        "timers = asyncio.get_running_loop()._scheduled\n"
        "ours = [t for t in timers if not t.cancelled() and 'sockkit' in repr(t)]\n"
        "assert not ours, ours"
    )
    assert run(kernel, left) == ""
