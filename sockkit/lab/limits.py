'''A snippet of code in a child process that has less than usual: descriptors, memory, time.

The limits of a process are for all of it, so a lesson that runs out of descriptors, or a test that
does, needs a process of its own. The child is always ended.

    >>> result = run_limited("""
    ... import socket
    ... sockets = []
    ... while True:
    ...     sockets.append(socket.socket())
    ... """, descriptors=32)
    >>> result.error
    'OSError: [Errno 24] Too many open files'

Descriptor and memory limits are POSIX (`setrlimit`); macOS does not hold to the one on memory, and
Windows has neither: there, asking for one raises `NotImplementedError` with these words.
'''

import contextlib
import inspect
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

_PACKAGE_ROOT = Path(__file__).parents[2]
_SNIPPET = "snippet.py"

# Runs in the child before the snippet. The limits are set by the child itself: subprocess would
# have to run Python code between fork and exec to set them, which is unsafe with threads. They are
# lifted before an exception is shown, since to print a traceback Python opens files and imports.
_SET_LIMITS_AND_RUN = f"""
import sys, traceback
with open({_SNIPPET!r}, encoding="utf-8") as file:
    source = file.read()
descriptors, memory = map(int, sys.argv[1:])
sys.argv = [{_SNIPPET!r}]
before = {{}}
if descriptors or memory:
    import resource
    for which, limit in ((resource.RLIMIT_NOFILE, descriptors), (resource.RLIMIT_AS, memory)):
        if limit:
            before[which] = resource.getrlimit(which)
            resource.setrlimit(which, (limit, before[which][1]))
try:
    exec(compile(source, {_SNIPPET!r}, "exec"), {{"__name__": "__main__"}})
except Exception as error:
    for which, limits in before.items():
        resource.setrlimit(which, limits)
    traceback.print_exception(error.with_traceback(error.__traceback__.tb_next))
    sys.exit(1)
"""


class LimitedRun(NamedTuple):
    """What became of a snippet."""

    stdout: str
    stderr: str

    returncode: int
    """0: it ended well; 1: an exception, its traceback is in `stderr`; below 0: ended by that
    signal, which is what happens after the timeout."""

    timed_out: bool
    """Whether it was ended because its time was over."""

    @property
    def error(self) -> str:
        """The last line of `stderr`: after an exception, what it was. "" if there is none."""
        return (self.stderr.splitlines() or [""])[-1]

    def to_text(self) -> str:
        """What it wrote, and how it ended, for people."""
        end = "ended: its time was over" if self.timed_out else f"exit code {self.returncode}"
        parts = (self.stdout.rstrip(), self.stderr.rstrip(), f"({end})")
        return "\n".join(part for part in parts if part)


def run_limited(
    snippet: str | Callable[[], object],
    *,
    descriptors: int | None = None,
    memory: int | None = None,
    timeout: float = 10.0,
    max_output: int = 100_000,
) -> LimitedRun:
    r"""Run a snippet in a child process under limits, and wait for its end.

    Args:
        snippet: source text, or a function without arguments whose source is taken and called. It
            runs by itself: it sees no variable of yours, and has to import what it needs.
        descriptors: how many it may have open, the standard three included (soft RLIMIT_NOFILE).
        memory: bytes of address space (soft RLIMIT_AS). That is more than what a program uses:
            Python starts at some 15 MiB, each thread reserves 8 MiB for its stack, and with glibc
            64 more where there is room. Linux only.
        timeout: seconds until it is ended, with its process group (on Windows it alone).
        max_output: characters of each output that are kept; a snippet may print for ever.

    Raises:
        NotImplementedError: this platform has no such limit.
        OSError: the source of a function can't be found.

    Example:
        >>> run_limited("print(6 * 7)").stdout
        '42\n'
    """
    _check_platform(descriptors, memory)
    with tempfile.TemporaryDirectory(prefix="sockkit-") as folder:
        Path(folder, _SNIPPET).write_text(_source(snippet), encoding="utf-8")
        child = subprocess.Popen(
            [sys.executable, "-c", _SET_LIMITS_AND_RUN, str(descriptors or 0), str(memory or 0)],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        return _attend(child, timeout, max_output)


def _attend(child: "subprocess.Popen[bytes]", timeout: float, max_output: int) -> LimitedRun:
    outputs = [_Output(pipe, max_output) for pipe in (child.stdout, child.stderr) if pipe]
    timed_out = False
    try:
        child.wait(timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
    finally:  # Ctrl-C during the wait comes here too
        end_with_its_own(child)
    stdout, stderr = [output.text() for output in outputs]
    return LimitedRun(stdout, stderr, child.returncode, timed_out)


def end_with_its_own(child: "subprocess.Popen[bytes]") -> None:
    """End a child that leads a session of its own, and all in it; on Windows the child alone."""
    if sys.platform == "win32":
        child.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()


class _Output:
    """Reads a pipe to its end in a thread of its own, so that no child ever waits for a reader."""

    def __init__(self, pipe: IO[bytes], most: int) -> None:
        self._pipe = pipe
        self._most = most
        self._data = bytearray()
        self._left_out = 0
        self._thread = threading.Thread(target=self._read, name="limits", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe:
            while data := self._pipe.read1(65_536):  # type: ignore[attr-defined]  # buffered
                kept = data[: self._most - len(self._data)]
                self._data += kept
                self._left_out += len(data) - len(kept)

    def text(self) -> str:
        self._thread.join()
        text = self._data.decode("utf-8", "replace").replace("\r\n", "\n")
        return text + (f"… and {self._left_out} bytes more" if self._left_out else "")


def _source(snippet: str | Callable[[], object]) -> str:
    if isinstance(snippet, str):
        return textwrap.dedent(snippet).lstrip("\n")
    return f"{textwrap.dedent(inspect.getsource(snippet))}\n{snippet.__name__}()\n"


def _environment() -> dict[str, str]:
    # The snippet can import sockkit wherever this process could.
    paths = [str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}


def _check_platform(descriptors: int | None, memory: int | None) -> None:
    if descriptors is not None and sys.platform == "win32":
        raise NotImplementedError("Windows has no descriptor limit that could be lowered")
    if memory is not None and sys.platform != "linux":
        raise NotImplementedError("only Linux holds a process to a limit on its address space")
