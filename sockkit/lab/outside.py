"""Child processes to measure with: what they do does not share this process's interpreter lock.

`Caller` is a client of your server; `EchoServer` is a server for your client. Both are ended with
their `with` block, whatever happens in it.

    with Server(shout) as server, Caller(server.address) as caller:
        with caller.measuring() as times:
            compute()
        print(len(times), "replies, the slowest took", max(times))
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

_PACKAGE_ROOT = Path(__file__).parents[2]
_ENDED = "the child process has ended; its stderr says why"

# A thread reads what the parent says, so that the rest may wait for something else. The end of
# stdin is the end of the child, also when the parent dies.
_ORDERS = """
import json, queue, socket, sys, threading, time
orders = queue.SimpleQueue()
def listen():
    for line in sys.stdin:
        orders.put(line.strip())
    orders.put("end")
threading.Thread(target=listen, daemon=True).start()
"""
_CALLER = (
    _ORDERS
    + """
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) as sock:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    def call():
        begun = time.perf_counter()
        sock.sendall(b"hello\\n")
        if not sock.recv(100):
            raise SystemExit("the server has closed the connection")
        return time.perf_counter() - begun
    call()
    print("connected", flush=True)
    while orders.get() == "begin":
        print("begun", flush=True)
        times = [call()]
        while orders.empty():
            times.append(call())
        if orders.get() == "enough":
            print(json.dumps(times), flush=True)
"""
)
_ECHO_SERVER = (
    _ORDERS
    + """
from sockkit import Server
with Server(lambda connection, text: connection.send(text.upper())) as server:
    print(json.dumps(server.address), flush=True)
    orders.get()
"""
)


class _Child:
    """A program in a process of its own, until the end of its `with` block."""

    def __init__(self, program: str, *arguments: object) -> None:
        paths = [str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is ours to deal with
        )
        try:
            self._first_line = self._hear()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process. More than once does no harm."""
        if self._process.poll() is None:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # what it never read is lost
                    pipe.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _say(self, order: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(order + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ConnectionError(_ENDED) from None

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ConnectionError(_ENDED)
        return line


class Caller(_Child):
    """A client in another process, which sends a line, waits for the reply, and so on.

    Connected from the line that makes it. It calls only while it is `measuring`.

    Args:
        address: `(host, port)` of a server that answers each line with one short line.

    Raises:
        ConnectionError: nobody answered there.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(_CALLER, *address)

    @contextlib.contextmanager
    def measuring(self) -> Iterator[list[float]]:
        """Call without a pause while the block runs.

        The list is filled at the end of the block: how long each reply took, in seconds, in order.

        Raises:
            ConnectionError: no more replies came.
        """
        times: list[float] = []
        self._say("begin")
        self._hear()
        yield times
        self._say("enough")
        times += json.loads(self._hear())


class EchoServer(_Child):
    """The upper-case echo in another process.

    Attributes:
        address: `(host, port)`, the port really bound.
    """

    def __init__(self) -> None:
        super().__init__(_ECHO_SERVER)
        host, port = json.loads(self._first_line)
        self.address: tuple[str, int] = (host, port)
