"""A server of yours in a process of its own: measured from outside, and gone afterwards.

A server is a function here. It opens a listener, says `ready(address)`, and serves for as long as
it likes; a coroutine function is run in an event loop.

    def echo(ready):
        listener = socket.create_server(("127.0.0.1", 0))
        ready(listener.getsockname())
        ...

    with Served(echo) as server:
        socket.create_connection(server.address)

The function may stand in a cell: cloudpickle carries it over, with the globals that it uses.
"""

import asyncio
import inspect
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sockkit.lab.descriptors import limit_descriptors
from sockkit.lab.limits import end_with_its_own

Serve = Callable[[Callable[[tuple[str, int]], object]], Any]

_PACKAGE_ROOT = Path(__file__).parents[2]
_CHILD = "from sockkit.lab.served import child; child()"
_MOST_WORDS = 1 << 20  # bytes of them that are shown
_WATCHER = 1  # threads of the child that are not the server's


class NotServing(Exception):
    """The server function ended, or failed, before it was ready; the text holds its last words."""


class Served:
    """A server function at work in a child process, inside `with`. The child is always ended.

    With it end the processes that it has started, though not on Windows.

    Args:
        serve: the function, see above.
        descriptors: how many the process may have open, its own dozen included (POSIX).
        patience: seconds until it must be ready.

    Raises:
        NotServing: it was not.
        NotImplementedError: `descriptors` on Windows.
    """

    def __init__(
        self, serve: Serve, *, descriptors: int | None = None, patience: float = 20.0
    ) -> None:
        self.address: tuple[str, int] = ("", 0)
        self._job = (_pickled(serve), descriptors)
        self._patience = patience
        if descriptors is not None and sys.platform == "win32":
            raise NotImplementedError("Windows has no descriptor limit that could be lowered")

    def __enter__(self) -> Self:
        # Its words go to a file: nobody has to read a pipe meanwhile.
        self._folder = tempfile.TemporaryDirectory(prefix="sockkit-")
        self._file = Path(self._folder.name, "words")
        with self._file.open("wb") as file:
            self._child = subprocess.Popen(
                [sys.executable, "-c", _CHILD],
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
            )
        try:
            self.address = self._wait_until_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end_with_its_own(self._child)
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._folder.cleanup()

    @property
    def running(self) -> bool:
        """Whether the function still serves."""
        return self._child.poll() is None

    def wait(self, timeout: float = 5.0) -> bool:
        """Wait for the function to end by itself; whether it has."""
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def words(self) -> str:
        """What it has written to stdout and stderr so far, its traceback included."""
        with self._file.open("rb") as file:
            return file.read(_MOST_WORDS).decode(errors="replace")

    @property
    def last_words(self) -> str:
        """The last line of them: after an exception, what it was."""
        return (self.words.splitlines() or [""])[-1]

    @property
    def memory(self) -> int:
        """Bytes of physical memory that the process has now."""
        return self._process().memory_info().rss  # type: ignore[no-any-return]  # psutil is optional

    @property
    def threads(self) -> int:
        """Threads of the server now, its main thread included."""
        return self._process().num_threads() - _WATCHER  # type: ignore[no-any-return]

    def _process(self) -> Any:
        import psutil

        return psutil.Process(self._child.pid)

    def _wait_until_ready(self) -> tuple[str, int]:
        said: list[bytes] = []
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            pickle.dump(self._job, stdin)
            stdin.flush()  # and stays open: the child ends when this process does
        except BrokenPipeError:
            pass  # it ended at once; its words say why
        reader = threading.Thread(target=lambda: said.append(stdout.readline()), daemon=True)
        reader.start()
        reader.join(self._patience)
        if not said:
            self._child.kill()
            reader.join()
            raise NotServing(f"the server was not ready after {self._patience:g} s")
        if not said[0]:
            self._child.wait()
            raise NotServing(f"the server ended before it was ready. {self.last_words}".strip())
        host, port = json.loads(said[0])[:2]
        return str(host), int(port)


def child() -> None:
    """The child process: take the function from stdin, and call it."""
    told = os.dup(1)
    os.dup2(2, 1)  # what the server prints goes to its words
    data, descriptors = pickle.load(sys.stdin.buffer)
    serve = pickle.loads(data)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if descriptors is not None:
        limit_descriptors(descriptors)

    def ready(address: tuple[str, int]) -> None:
        os.write(told, json.dumps(address).encode() + b"\n")

    result = serve(ready)
    if inspect.iscoroutine(result):
        asyncio.run(result)


def _end_with_parent() -> None:
    while os.read(0, 1):  # b"" when the parent is gone, however it went
        pass
    if sys.platform != "win32":
        os.killpg(0, signal.SIGKILL)  # with all that the server has started
    os._exit(0)


def _pickled(serve: Serve) -> bytes:
    import cloudpickle  # type: ignore[import-untyped]  # it has none

    module = sys.modules.get(getattr(serve, "__module__", ""))
    by_value = module is not None and module.__name__.split(".")[0] not in ("sockkit", "__main__")
    if by_value:  # a test's module, say, which the child could not import
        cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps(serve)  # type: ignore[no-any-return]
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)


def _environment() -> dict[str, str]:
    paths = [str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
