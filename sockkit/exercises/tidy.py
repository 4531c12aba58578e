"""What an answer left behind, ended and closed, and told in sentences.

Gently first: a server of the kit is stopped, a thread gets time to end by itself.
"""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

from sockkit.exercises.calls import patiently, throw_into
from sockkit.exercises.leftovers import (
    Before,
    Made,
    describe,
    kill,
    wake,
    wakers_of_running_loops,
)
from sockkit.exercises.printed import Logged, Printed
from sockkit.exercises.running import Running
from sockkit.exercises.where import learners_place, learners_traceback

_PATIENCE = 0.5  # seconds for threads to end by themselves, and again when made to
_PRESS = 0.2  # seconds between two attempts to make them
_TIDY = "Whoever opens one closes it, on every way out."

_PIPES = getattr(socket, "AF_UNIX", None)


@contextlib.contextmanager
def troubles_noted(shown: Printed) -> Iterator[list[str]]:
    """Collect what Python had to close itself; other warnings, and errors in threads, are shown."""
    dropped: list[str] = []

    def note_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        text = str(message).splitlines()[0]
        if issubclass(category, ResourceWarning):
            dropped.append(_kind(text))
        else:
            shown.write(f"{category.__name__}: {text}\n")

    def note_error(args: threading.ExceptHookArgs) -> None:
        if args.exc_value and args.thread and not isinstance(args.exc_value, SystemExit):
            lines = learners_traceback(args.exc_value)
            shown.write("\n".join([f"In your thread {args.thread.name}:", *lines]) + "\n")

    hook, log = threading.excepthook, Logged(shown)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note_warning
        threading.excepthook = note_error
        logging.getLogger().addHandler(log)
        try:
            yield dropped
        finally:
            logging.getLogger().removeHandler(log)
            threading.excepthook = hook


def up(
    before: Before, begun: Sequence[Running], dropped: Sequence[str]
) -> tuple[list[str], list[str]]:
    """End new threads and processes, close new sockets.

    Returns:
        A sentence for each kind of fault, and then what is no fault, but good to know: where the
        check itself had to end a call, only which threads could not be ended with it.
    """
    made = before.made()
    said = _servers_and_clients(made)
    said += [_tasks(running.call.tasks_left) for running in begun if running.call.tasks_left]
    said += _loops(made.loops())
    if sockets := before.new_sockets():
        wakers = wakers_of_running_loops()  # told by the threads that run them
        said += _sockets([sock for sock in sockets if sock not in wakers])
    said += [_dropped(what) for what in dict.fromkeys(dropped)]
    said += _processes(before, made)
    stuck = [running for running in begun if not running.call.done.is_set()]
    ended, survivors = _threads(before, {running.call.thread for running in begun})
    for loop in made.loops():  # whose threads have been ended; it can't close without its sockets
        loop.close()
    for sock in before.new_sockets():
        wake(sock)
        if not stuck or sock.family != _PIPES:  # its event loop needs its own pair to end well
            sock.close()
            if sock.fileno() >= 0:  # a file that was made of it keeps it open
                socket.close(sock.detach())
    if any(running.forced for running in begun):
        return [], [*map(_stuck, stuck), *survivors]
    return [*said, *ended, *survivors], []


def _servers_and_clients(made: Made) -> list[str]:
    """Stop and close what knows itself how to end: servers and clients of the kit, and pools."""
    said = []
    for server in made.servers():
        said.append(f"you left a `Server` running, on port {server.address[1]}. {_TIDY}")
        server.stop(grace=0)
    for client in made.clients():
        said.append(f"you left a `Client` unclosed. {_TIDY}")
        client.close()
    for pool in made.pools():
        said.append(f"you left a `ThreadPoolExecutor` open. {_TIDY}")
        pool.shutdown(wait=False, cancel_futures=True)
    return said


def _tasks(places: Sequence[str]) -> str:
    some = "a task" if len(places) == 1 else f"{len(places)} tasks"
    where = next((f", in {place}" for place in places if place), "")
    return f"you left {some} running in the event loop{where}."


def _loops(loops: Sequence[asyncio.AbstractEventLoop]) -> list[str]:
    for loop in loops:
        loop.close()
    return [f"you left an event loop open. {_TIDY}"] if loops else []


def _sockets(sockets: Sequence[socket.socket]) -> list[str]:
    if not sockets:
        return []
    names = ", ".join(describe(sock) for sock in sockets[:3])
    if len(sockets) == 1:
        return [f"you left a socket open: {names}. {_TIDY}"]
    more = ", …" if len(sockets) > 3 else ""
    return [f"you left {len(sockets)} sockets open: {names}{more}. {_TIDY}"]


def _kind(warning: str) -> str:
    """What a ResourceWarning is about."""
    kinds = ("a file", "an event loop", "a transport", "a socket", "a Server", "a Client")
    return next((kind for kind in kinds if kind.partition(" ")[2] in warning), warning)


def _dropped(what: str) -> str:
    return f"you never closed {what}: Python did, when nothing used it any more. {_TIDY}"


def _stuck(running: Running) -> str:
    thread = running.call.thread
    return _survivors([thread], running.call.place()) if thread else ""


def _processes(before: Before, made: Made) -> list[str]:
    """End child processes, whatever started them: `multiprocessing`, `subprocess`, a fork."""
    processes, commands = before.new_processes(), made.commands()
    known: list[BaseProcess | subprocess.Popen[Any]] = [*processes, *commands]
    others = set(before.new_children()) - {each.pid for each in known}
    for each in known:
        each.kill()
    kill(others)
    for process in processes:
        process.join()
    for command in commands:
        command.wait()
        for pipe in (command.stdin, command.stdout, command.stderr):
            if pipe is not None:
                pipe.close()
    for pid in others:
        with contextlib.suppress(OSError, AttributeError):  # somebody else's to wait for; Windows
            os.waitpid(pid, 0)
    count = len(known) + len(others)
    if not count:
        return []
    some, them = ("a child process", "it") if count == 1 else (f"{count} child processes", "them")
    return [f"you left {some} running, and I ended {them}."]


def _threads(before: Before, mine: set[threading.Thread | None]) -> tuple[list[str], list[str]]:
    """What is said of threads that ended when they were made to, and of those that did not."""

    def others() -> list[threading.Thread]:
        return [thread for thread in before.new_threads() if thread not in mine]

    patiently(lambda: not others(), _PATIENCE)
    left = others()
    places = {thread: _place(thread) for thread in left}
    if left:
        for _ in range(round(_PATIENCE / _PRESS) + 1):
            _press(before, others())
            patiently(lambda: not others(), _PRESS)
    survivors = others()
    ended = [thread for thread in left if thread not in survivors]
    stay = [thread for thread in survivors if thread in places]
    return (
        [_ended(threads, place) for place, threads in _by_place(ended, places)],
        [_survivors(threads, place) for place, threads in _by_place(stay, places)],
    )


def _by_place(
    threads: Sequence[threading.Thread], places: Mapping[threading.Thread, str]
) -> list[tuple[str, list[threading.Thread]]]:
    """Threads that were in the same line are told of together."""
    found: dict[str, list[threading.Thread]] = {}
    for thread in threads:
        found.setdefault(places[thread], []).append(thread)
    return list(found.items())


def _ended(threads: Sequence[threading.Thread], place: str) -> str:
    were, them = ("was", "it") if len(threads) == 1 else ("were", "them")
    return f"{_named(threads)} {were} still running{_in(place)}; I ended {them}."


def _named(threads: Sequence[threading.Thread]) -> str:
    more = f" and {len(threads) - 1} more like it" if len(threads) > 1 else ""
    return f"your thread `{threads[0].name}`{more}"


def _press(before: Before, threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        if isinstance(thread, threading.Timer):
            thread.cancel()
        else:
            throw_into(thread)
    for sock in before.new_sockets():
        wake(sock)


def _survivors(threads: Sequence[threading.Thread], place: str) -> str:
    run, stays = ("runs", "it stays") if len(threads) == 1 else ("run", "each stays")
    return (
        f"{_named(threads)} still {run}{_in(place)}. Python can't end a thread that waits "
        f"there: {stays} until it ends by itself, or the kernel is restarted."
    )


def _place(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    return learners_place(frame) if frame else ""


def _in(place: str) -> str:
    return f", in {place}" if place else ""
