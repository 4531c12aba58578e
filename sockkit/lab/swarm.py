"""Any number of real clients at once, each with a script, from one thread.

    >>> result = swarm(1000, server.address)      # every client checks its own upper-case echo
    >>> print(result.to_text())
    1,000 clients: 1,000 connected at once, 1,000 finished, 0 failed
    3,000 replies: 3,000 right, 0 wrong
    ...

Your own script says what a client does; it may fail as it likes, that is counted:

    async def script(client, number):
        client.send(f"/join room{number % 10}")
        await client.recv()
        await client.ask("hello", expect="HELLO")

    swarm(200, address, script).plot()

Where one process or one machine is too small for it, engines of ipyparallel share it:

    swarm(10_000, address, on=ipyparallel.Client())

`swarm` waits for the end, in any thread, in a notebook too. Its clients live on an event loop of
their own; a server on *your* loop would wait for you meanwhile: use `await async_swarm(…)` there.
"""

import asyncio
import contextlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sockkit.lab.swarm_client import SwarmClient, Unfinished, WrongReply
from sockkit.lab.swarm_engines import swarm_on
from sockkit.lab.swarm_result import ErrorGroup, SwarmResult
from sockkit.lab.swarm_run import Address, Run, Script
from sockkit.portal import Portal

__all__ = [
    "ErrorGroup",
    "SwarmClient",
    "SwarmResult",
    "Unfinished",
    "WrongReply",
    "async_swarm",
    "echo_script",
    "swarm",
]

_LAST_WORD = 2.0  # seconds that a script which blocks its loop may keep the caller waiting


async def echo_script(client: SwarmClient, number: int, lines: int = 3) -> None:
    """Send a few lines that no other client sends, and expect each back in upper case."""
    for line in range(1, lines + 1):
        text = f"client {number} line {line}"
        await client.ask(text, expect=text.upper())


def swarm(
    count: int,
    address: Address,
    script: Script = echo_script,
    *,
    timeout: float = 60.0,
    progress: bool = True,
    on: Any = None,
    **options: Any,
) -> SwarmResult:
    """Connect `count` clients, have each run `script(client, number)`, and wait for the end.

    Args:
        count: how many clients.
        address: `(host, port)` of any server that runs in another thread or process.
        script: a coroutine function; it may return what it likes, and raise what it likes.
        timeout: seconds for everything. Clients that are not done then are `Unfinished` errors.
        on: an `ipyparallel.Client`: its engines, on whatever machines, share the clients. They
            must have sockkit, and reach the address; what the script uses it must import itself.
        progress: show a bar on stderr if it takes longer than two seconds, and if tqdm is there.
        options: `framing`, `limits`, `ssl`, `token` for each client; `connecting`: how many
            connect at the same time at most (100), so that no server's backlog overflows.

    Returns:
        What was counted. Failures of clients are in there, and are not raised.

    Raises:
        OSError: this process may not open so many connections; the text says what to do.
        ipyparallel.RemoteError: an engine can't begin, for this or another reason.
    """
    if on is not None:
        with _bar(count, shown=progress) as show:
            return swarm_on(on, count, address, script, timeout, show, options)
    portal = Portal("sockkit swarm")
    try:
        run = portal.call(lambda: Run(count, address, script, timeout, **options))
        with _bar(count, shown=progress) as show:
            run.wait(show)
        return run.result()
    finally:
        portal.stop(_LAST_WORD)


async def async_swarm(
    count: int,
    address: Address,
    script: Script = echo_script,
    *,
    timeout: float = 60.0,
    **options: Any,
) -> SwarmResult:
    """The same as `swarm`, on the running event loop: the server may live on it too."""
    run = Run(count, address, script, timeout, **options)
    try:
        await asyncio.wrap_future(run.over)
    except asyncio.CancelledError:
        run.cancel()
        raise
    return run.result()


@contextlib.contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Callable[[str, int], object]]:
    # Only the waiting thread prints: what a background thread prints lands in any cell.
    if not shown or importlib.util.find_spec("tqdm") is None:
        yield lambda what, count: None
        return
    # A class of our own: its monitor would leave a thread behind, and its default lock is one
    # between processes.
    bar_class: Any = type("Bar", (importlib.import_module("tqdm").tqdm,), {"monitor_interval": 0})
    bar_class.set_lock(threading.RLock())
    with bar_class(total=total, unit=" clients", delay=2.0, leave=False) as bar:

        def show(what: str, count: int) -> None:
            if count != bar.n:
                bar.set_description(what, refresh=False)
                bar.update(count - bar.n)

        yield show
