"""What becomes of output that nobody reads: a program that offers it, in a process of its own.

    kept = offer("writer.write(data)")                   # memory grows, until there is none
    print(kept.end)

The program writes to a client that never reads, by a policy that is one line of Python, and tells
how much memory it has while it goes on.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from sockkit.lab.limits import run_limited

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROGRAM = """\
import asyncio, psutil, socket

HOST = "127.0.0.1"

async def main():
    joined = asyncio.Queue()
    room = await asyncio.start_server(lambda _, writer: joined.put_nowait(writer), HOST, 0)
    sloth = socket.create_connection(room.sockets[0].getsockname())
    writer = await joined.get()
    waiting = writer.transport.get_write_buffer_size
    for line in range(LINES):
        if line % 20 == 0:
            print(line / 10, psutil.Process().memory_info().rss / 1e6, flush=True)
        data = b"x" * 100_000
        POLICY
        await asyncio.sleep(0)

asyncio.run(main())
"""


class Offered(NamedTuple):
    """What a program did with output for a client that never reads."""

    points: list[tuple[float, float]]
    """Megabytes offered, and megabytes of memory in use then."""

    end: str
    """The error that it ended with; "" if it could offer all."""


def offer(
    policy: str, megabytes: int = 300, *, memory: int = 250_000_000, timeout: float = 30.0
) -> Offered:
    """Offer so many megabytes to a client that never reads, in a child process.

    Args:
        policy: what to do with each 100 KB, called `data`: a line of Python inside a coroutine. It
            has `writer`, an asyncio `StreamWriter`, and `waiting()`, the bytes in its buffer.
        megabytes: how much to offer.
        memory: bytes of address space that the child may have. Only Linux holds it to that.
        timeout: seconds after which the child is ended.
    """
    program = PROGRAM.replace("POLICY", policy).replace("LINES", str(megabytes * 10))
    run = run_limited(program, memory=memory if sys.platform == "linux" else None, timeout=timeout)
    points = [tuple(map(float, line.split())) for line in run.stdout.splitlines()]
    end = f"ended after {timeout:g} s" if run.timed_out else run.error
    return Offered([(each[0], each[1]) for each in points if len(each) == 2], end)


def plot_memory(offers: Mapping[str, Offered]) -> "Figure":
    """Memory against what was offered, a line for each policy, as a matplotlib figure.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    for (name, offered), mark in zip(offers.items(), "o^sDv*" * len(offers), strict=False):
        label = f"{name}: {offered.end or 'all offered'}"
        xs, ys = [x for x, _ in offered.points], [y for _, y in offered.points]
        axes.plot(xs, ys, "-", marker=mark, markevery=[-1], markersize=9, label=label)  # its end
    axes.set(xlabel="MB offered to a client that never reads", ylabel="MB of memory in use")
    axes.set_ylim(bottom=0)
    axes.legend()
    plt.close(figure)  # or a notebook would show it twice
    return figure
