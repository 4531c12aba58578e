"""What belongs to the whole process: a check puts it back, and says what the answer changed.

A notebook's kernel lives on after the answer. Left as it was, a pending alarm would end it, and a
`print` that does nothing would make every later cell silent.
"""

import asyncio
import builtins
import contextlib
import gc
import getpass
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

_INEXACT = 0.5  # seconds between two clocks that are the same
_STANDARD = (0, 1, 2)  # descriptors: standard input, output and error


class _Setting(NamedTuple):
    """One of the process's settings: how it is changed, in words, and how read and put back."""

    how: str
    get: Callable[[], Any]
    put: Callable[[Any], object]


def _attribute(of: Any, name: str) -> _Setting:
    """What may be replaced, and is used by everybody under this name."""
    how = f"replaced `{of.__name__}.{name}`"
    return _Setting(how, lambda: getattr(of, name), lambda value: setattr(of, name, value))


def _environment() -> dict[str, str]:
    return dict(os.environ)


def _put_environment(values: dict[str, str]) -> None:
    for name in os.environ.keys() - values.keys():
        del os.environ[name]
    os.environ.update(values)


def _folder() -> str:
    """The current one, or nothing if it has been deleted."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _put_folder(folder: str) -> None:
    with contextlib.suppress(OSError):
        os.chdir(folder)


def _put_gc(on: bool) -> None:
    (gc.enable if on else gc.disable)()


_SETTINGS = [
    # First what the check itself, and the other settings, need.
    *(_attribute(time, name) for name in ("monotonic", "sleep")),
    *(_attribute(socket, name) for name in ("socket", "create_connection", "create_server")),
    *(_attribute(threading, name) for name in ("Thread", "Event", "Lock")),
    *(_attribute(asyncio, name) for name in ("sleep", "run", "wait_for")),
    *(_attribute(builtins, name) for name in ("print", "input", "open")),
    *(_attribute(sys, name) for name in ("stdout", "stderr", "stdin", "excepthook")),
    _Setting(
        "called `socket.setdefaulttimeout`", socket.getdefaulttimeout, socket.setdefaulttimeout
    ),
    _Setting("called `sys.setswitchinterval`", sys.getswitchinterval, sys.setswitchinterval),
    _Setting("called `sys.setrecursionlimit`", sys.getrecursionlimit, sys.setrecursionlimit),
    _Setting("called `sys.setprofile`", sys.getprofile, sys.setprofile),
    _Setting("turned the garbage collector off or on", gc.isenabled, _put_gc),
    _Setting("called `os.chdir`", _folder, _put_folder),
    _Setting("changed `os.environ`", _environment, _put_environment),
]


@contextlib.contextmanager
def kept() -> Iterator[list[str]]:
    """Put back settings of the whole process, and say which the answer changed.

    Signals and alarms are put back where this is the main thread: nobody else may set them.
    """
    before = [setting.get() for setting in _SETTINGS]
    changed: list[str] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(_standard_descriptors_kept(changed))
        if threading.current_thread() is threading.main_thread():
            stack.enter_context(_signals_kept(changed))
        try:
            yield changed
        finally:
            for setting, value in zip(_SETTINGS, before, strict=True):
                if _differs(setting, value):
                    setting.put(value)
                    changed.append(f"you {setting.how}, which changes it for the whole process.")


@contextlib.contextmanager
def no_keyboard() -> Iterator[None]:
    """Let `input` and `getpass` raise, as they do where nobody can type.

    A notebook would show a field that outlives the check, and runs no cell until it is filled.
    """
    asked, secret = builtins.input, getpass.getpass
    builtins.input = getpass.getpass = _nobody_types
    try:
        yield
    finally:
        builtins.input, getpass.getpass = asked, secret


def _nobody_types(*_: object, **__: object) -> NoReturn:
    raise EOFError("nobody can type while a check runs")


def _differs(setting: _Setting, value: Any) -> bool:
    try:
        now = setting.get()
    except AttributeError:  # a name that is there no more
        return True
    return now is not value and now != value


@contextlib.contextmanager
def _signals_kept(changed: list[str]) -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    timer = getattr(signal, "ITIMER_REAL", None)  # Windows has none
    seconds, every = (0.0, 0.0) if timer is None else signal.getitimer(timer)
    begun = time.monotonic()
    try:
        yield
    finally:
        rest = max(seconds - (time.monotonic() - begun), 0.001) if seconds else 0.0
        if timer is not None and abs(signal.getitimer(timer)[0] - rest) > _INEXACT:
            signal.setitimer(timer, rest, every)
            changed.append("you set an alarm, which may end the whole process.")
        for number, handler in handlers.items():
            if signal.getsignal(number) != handler:
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
                changed.append(f"you set a handler for signal {number}, and left it there.")


@contextlib.contextmanager
def _standard_descriptors_kept(changed: list[str]) -> Iterator[None]:
    spares: dict[int, int] = {}
    for descriptor in _STANDARD:
        with contextlib.suppress(OSError):  # some programs have none
            spares[descriptor] = os.dup(descriptor)
    try:
        yield
    finally:
        for descriptor, spare in spares.items():
            if not _is_same(descriptor, spare):
                os.dup2(spare, descriptor)
                changed.append(f"you closed descriptor {descriptor}, which the whole process uses.")
            os.close(spare)


def _is_same(one: int, other: int) -> bool:
    try:
        return os.path.sameopenfile(one, other)
    except OSError:
        return False
