"""What code leaves behind: threads, sockets and tasks that were not there before.

A check compares before and after the learner's answer; the tests of the notebooks do the same
around a whole notebook. Sockets are found among the objects that Python's garbage collector knows,
so this works alike on every system, and nothing needs to be replaced or patched to watch them.
Whoever made them is not known: what is new is taken for the doing of the code between. Only what a
notebook's kernel makes for itself is known by its class: it starts threads when it needs them, for
the first widget or for a large output, and that may be in the midst of a check.
"""

import asyncio
import contextlib
import gc
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import thread as pool_thread
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from sockkit.sync import Client, Server

T = TypeVar("T")

_THINGS: tuple[type, ...] = (
    *(socket.socket, Server, Client),
    *(asyncio.AbstractEventLoop, ThreadPoolExecutor, subprocess.Popen),
)
_KERNEL = {"ipykernel", "IPython", "tornado", "zmq"}  # packages of Jupyter's kernel


def living(*kinds: type[T]) -> list[T]:
    """Every object of these classes, or of one below them, that the garbage collector knows.

    It looks at all there is, which takes 10 ms and more: ask for all that you want at once.
    """
    wanted = set[type]().union(*map(_with_subclasses, kinds))
    return [thing for thing in gc.get_objects() if type(thing) in wanted]


def _with_subclasses(kind: type) -> set[type]:
    kinds = {kind}
    below: list[type] = type.__subclasses__(kind)
    for subclass in below:
        kinds |= _with_subclasses(subclass)
    return kinds


def open_sockets() -> list[socket.socket]:
    """Every socket object of this process that is still open."""
    return [sock for sock in living(socket.socket) if sock.fileno() >= 0]


def tasks_here() -> set[asyncio.Task[Any]]:
    """Unfinished tasks of the loop that runs in this thread; none where no loop runs."""
    try:
        return asyncio.all_tasks()
    except RuntimeError:
        return set()


class Before:
    """What is there now. Ask later what was added.

    Example:
        >>> before = Before()
        >>> listener = socket.create_server(("127.0.0.1", 0))
        >>> before.new_sockets() == [listener]
        True
        >>> listener.close()
        >>> before.new_sockets()
        []
    """

    def __init__(self) -> None:
        # By id: a class with `__eq__` alone, a dataclass say, has objects that no set can hold.
        things: list[Any] = living(*_THINGS)
        self._things = weakref.WeakValueDictionary({id(thing): thing for thing in things})
        self._threads = weakref.WeakSet(threading.enumerate())
        self._tasks = weakref.WeakSet(tasks_here())
        self._processes = weakref.WeakSet(multiprocessing.active_children())
        self._children = children()

    def new_sockets(self) -> list[socket.socket]:
        """Open sockets that were made since. What only a reference cycle holds does not count."""
        added = self._added_sockets()
        if not added:
            return []
        del added
        gc.collect()
        return self._added_sockets()

    def made(self) -> "Made":
        """What else was made since that has to be ended: one look for all of it."""
        things: list[Any] = living(*_THINGS)
        return Made(thing for thing in things if id(thing) not in self._things)

    def new_threads(self) -> list[threading.Thread]:
        """Running threads that were started since, but for those of a notebook's kernel.

        Neither do those count that wait for work in a pool that was there before: it starts them
        when it needs them, and needs them again.
        """
        running = [thread for thread in threading.enumerate() if thread not in self._threads]
        own = [thread for thread in running if not _is_kernels_thread(thread)]
        if not any(map(_waits_in_a_pool, own)):
            return own
        of_new_pools = {thread for pool in self.made().pools() for thread in pool._threads}
        return [each for each in own if each in of_new_pools or not _waits_in_a_pool(each)]

    def new_processes(self) -> list[BaseProcess]:
        """Children of `multiprocessing` that were started since, and run."""
        running = multiprocessing.active_children()
        return [process for process in running if process not in self._processes]

    def new_children(self) -> list[int]:
        """Numbers of all processes that were started since, however; needs psutil."""
        helper = getattr(resource_tracker._resource_tracker, "_pid", None)
        return [pid for pid in children() if pid not in self._children and pid != helper]

    def new_tasks(self) -> list[asyncio.Task[Any]]:
        """Unfinished tasks of this thread's loop that were made since, but for the current one."""
        mine = asyncio.current_task() if tasks_here() else None
        return [task for task in tasks_here() if task not in self._tasks and task is not mine]

    def _added_sockets(self) -> list[socket.socket]:
        added = [sock for sock in open_sockets() if id(sock) not in self._things]
        kernels = _kernels_sockets() if added else []
        return [sock for sock in added if sock not in kernels]


class Made:
    """What was made meanwhile. Whether it is still open is asked anew with each call."""

    def __init__(self, things: Iterable[Any]) -> None:
        # Weakly: what is held here would not be garbage, nor would its sockets.
        self._references = [weakref.ref(thing) for thing in things]

    def servers(self) -> list[Server]:
        """Servers of the kit that run."""
        return [server for server in self._all(Server) if server.running]

    def clients(self) -> list[Client]:
        """Clients of the kit that are not closed, though they may be lost."""
        return [client for client in self._all(Client) if client._portal is not None]

    def loops(self) -> list[asyncio.AbstractEventLoop]:
        """Event loops that are neither closed nor at work."""
        loops = self._all(asyncio.AbstractEventLoop)  # type: ignore[type-abstract]
        return [loop for loop in loops if not (loop.is_closed() or loop.is_running())]

    def pools(self) -> list[ThreadPoolExecutor]:
        """Pools that have threads, and have not been shut down."""
        pools = self._all(ThreadPoolExecutor)
        return [pool for pool in pools if pool._threads and not pool._shutdown]

    def commands(self) -> list[subprocess.Popen[Any]]:
        """Commands that run."""
        return [command for command in self._all(subprocess.Popen) if command.poll() is None]

    def _all(self, kind: type[T]) -> list[T]:
        things = (reference() for reference in self._references)
        return [thing for thing in things if isinstance(thing, kind)]


class Guard(Before):
    """The same around a whole notebook, child processes included.

    Made in the first cell and asked in the last one; see `tools/guard.py`.
    """

    async def left(self, patience: float = 2.0) -> list[str]:
        """What is still there after `patience` seconds, one sentence each; at once if nothing."""
        deadline = time.monotonic() + patience
        while (left := self._left()) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        return left

    def _left(self) -> list[str]:
        new_children = children().items() - self._children.items()
        return [
            *(f"thread {thread.name} still runs" for thread in self.new_threads()),
            *(
                f"task {task.get_name()} still waits: {task.get_coro()!r}"
                for task in self.new_tasks()
                if not _is_kernels(task)
            ),
            *(f"{describe(sock)} is still open" for sock in self.new_sockets()),
            *(f"child process {pid} still runs: {name}" for pid, name in new_children),
        ]


def _is_kernels_thread(thread: threading.Thread) -> bool:
    return type(thread).__module__.partition(".")[0] in _KERNEL


def wakers_of_running_loops() -> list[socket.socket]:
    """With which event loops that run wake themselves: they close with their loop."""
    loops: list[Any] = living(asyncio.AbstractEventLoop)
    return _wakers(loop for loop in loops if loop.is_running())


def _kernels_sockets() -> list[socket.socket]:
    """The same of the kernel's threads, which have their loops before they run."""
    return _wakers(
        getattr(getattr(thread, "io_loop", None), "asyncio_loop", None)
        for thread in living(threading.Thread)
        if _is_kernels_thread(thread)
    )


def _wakers(loops: Iterable[Any]) -> list[socket.socket]:
    # asyncio has no public name for this pair.
    pairs = [(getattr(loop, "_ssock", None), getattr(loop, "_csock", None)) for loop in loops]
    return [sock for pair in pairs for sock in pair if sock is not None]


def _is_kernels(task: asyncio.Task[Any]) -> bool:
    """Whether the notebook's kernel has made this task, to run a cell."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and not _KERNEL.isdisjoint(Path(code.co_filename).parts)


def _waits_in_a_pool(thread: threading.Thread) -> bool:
    """Whether this is a thread of a `ThreadPoolExecutor` that has nothing to do."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code is pool_thread._worker.__code__


def kill(pids: Iterable[int]) -> None:
    """End child processes, at once."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def children() -> dict[int, str]:
    """Child processes by number, and what they are called. Needs psutil; without it, none."""
    try:
        import psutil
    except ImportError:
        return {}
    found = {}
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found[child.pid] = child.name()
    return found


def is_listening(sock: socket.socket) -> bool:
    """Whether this socket waits for connections."""
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except (OSError, AttributeError):
        return False


def describe(sock: socket.socket) -> str:
    """A few words for a person who wants to find this socket in their code."""
    with contextlib.suppress(OSError, TypeError, ValueError, IndexError):
        if is_listening(sock):
            return f"a listener on port {sock.getsockname()[1]}"
        return f"a connection from port {sock.getsockname()[1]} to {sock.getpeername()[1]}"
    return "a socket without a connection"


def wake(sock: socket.socket) -> None:
    """End every wait on this socket, in whatever thread.

    `shutdown` wakes a receive everywhere, an accept only on Linux: elsewhere a connection does.
    """
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
        return
    if is_listening(sock):
        with contextlib.suppress(OSError):
            socket.create_connection(sock.getsockname()[:2], timeout=0.1).close()
