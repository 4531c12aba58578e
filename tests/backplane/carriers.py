"""What carries messages between servers, and how to take it away: a hub in memory, a real Redis."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import pytest

from sockkit.backplane import MemoryBackplane, MemoryHub, RedisBackplane

from ..waiting import PATIENCE, until


class InMemory:
    """A hub in this process."""

    def __init__(self) -> None:
        self._hub = MemoryHub()

    def backplane(self, server: str, **options: Any) -> MemoryBackplane:
        return MemoryBackplane(self._hub, server=server, **options)

    def kill(self) -> None:
        self._hub.unplug()

    def start(self) -> None:
        self._hub.plug()


class OverRedis:
    """A redis-server in a process of its own, behind a Unix socket. Ended with the `with` block."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._folder = tempfile.TemporaryDirectory(prefix="redis")  # short: a socket's path must be
        self._socket = Path(self._folder.name, "socket")
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def backplane(self, server: str, **options: Any) -> RedisBackplane:
        return RedisBackplane(self.url, server=server, **options)

    def start(self) -> None:
        settings = ("--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir")
        self._process = subprocess.Popen(
            [self._program, *settings, self._folder.name], stdout=subprocess.DEVNULL
        )
        until(self._answers)

    def ask_for_password(self, word: str) -> None:
        """From now on, serve only who knows it."""
        assert self._say(f"CONFIG SET requirepass {word}").startswith(b"+OK")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "redis-server has ended"
        try:
            return self._say("PING").startswith(b"+PONG")
        except OSError:
            return False

    def _say(self, command: str) -> bytes:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(str(self._socket))
            sock.sendall(command.encode() + b"\r\n")
            return sock.recv(100)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def freeze(self) -> None:
        """Answer nothing, and hold on to every connection."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, which: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(which)

    def command(self, *words: str) -> bytes:
        """Have it do something; return the first line of its answer."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(w.encode())}\r\n{w}\r\n" for w in words)
        with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as answer:
            sock.connect(str(self._socket))
            sock.settimeout(PATIENCE)
            sock.sendall(request.encode())
            return answer.readline().rstrip()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()
        self._folder.cleanup()


def redis_program() -> str:
    """The real redis-server. Without it: a failure in CI on Linux, a skip elsewhere."""
    found = shutil.which("redis-server")
    if found is None:
        must = os.environ.get("CI", "").lower() == "true" and os.name == "posix"
        text = "redis-server is not installed: apt install redis-server"
        (pytest.fail if must else pytest.skip)(text)
    pytest.importorskip("redis", reason='redis is not installed: pip install "sockkit[cluster]"')
    return found
