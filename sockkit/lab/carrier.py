"""What carries messages between the servers of a lesson: a Redis of its own, or a hub in memory.

    with Carrier() as carrier:
        print(carrier)                                   # says which of the two it is
        a = Server(backplane=carrier.backplane("a"))
        carrier.unplug()                                 # kill -9, if it is a Redis
        carrier.plug()

Where `redis-server` and the package `redis` are installed, a Redis is started that nobody else
uses: behind a Unix socket in a folder of its own, with nothing written to disk. It ends with the
block, and also when this process dies, whatever of; then its folder goes as well.
"""

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sockkit.portal import Portal
from sockkit.sync import Server

if TYPE_CHECKING:
    from sockkit.backplane import MemoryBackplane, RedisBackplane

PATIENCE = 10.0  # seconds until Redis must answer
_LOOK = 0.01
# It reads until its stdin is closed: by us, or because we are no more. Then it kills Redis, and
# takes the folder away.
_KEEPER = 'folder=$1; shift; "$@" & read -r line; kill -9 $!; wait; rm -rf "$folder"'


class Carrier:
    """A carrier for backplanes, inside `with`.

    Args:
        redis: whether it is a Redis; None for one where that is possible.

    Raises:
        RuntimeError: it must be a Redis, and can't; or it did not start.
    """

    def __init__(self, redis: bool | None = None) -> None:
        program = shutil.which("redis-server") if os.name == "posix" else None
        possible = bool(program and importlib.util.find_spec("redis"))
        if redis and not possible:
            raise RuntimeError("there is no redis-server here, or the package redis is missing")
        self._carrier: _Redis | _Hub
        self._carrier = _Redis(str(program)) if possible and redis is not False else _Hub()

    def backplane(self, server: str, **options: Any) -> "MemoryBackplane | RedisBackplane":
        """The backplane of one server; `options` are those of every backplane."""
        return self._carrier.backplane(server, **options)

    def unplug(self) -> None:
        """Be gone, without a word."""
        self._carrier.unplug()

    def plug(self) -> None:
        """Be back, with nothing remembered. The servers notice at their next try."""
        self._carrier.plug()

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._carrier.close()

    def __str__(self) -> str:
        return self._carrier.what

    def __repr__(self) -> str:
        return f"<Carrier: {self}>"


class _Hub:
    what = "a hub in this process: no Redis is installed here"

    def __init__(self) -> None:
        from sockkit.backplane import MemoryHub

        self._hub = MemoryHub()

    def backplane(self, server: str, **options: Any) -> "MemoryBackplane | RedisBackplane":
        from sockkit.backplane import MemoryBackplane

        return MemoryBackplane(self._hub, server=server, **options)

    def unplug(self) -> None:
        self._hub.unplug()

    def plug(self) -> None:
        self._hub.plug()

    def close(self) -> None:
        self._hub.unplug()


class _Redis:
    what = "a Redis, started for this alone"

    def __init__(self, program: str) -> None:
        self._program = program
        self._folder = Path(tempfile.gettempdir(), f"redis-{secrets.token_hex(8)}")
        self._socket = str(self._folder / "socket")
        self._process: subprocess.Popen[bytes] | None = None

    def backplane(self, server: str, **options: Any) -> "MemoryBackplane | RedisBackplane":
        from sockkit.backplane import RedisBackplane

        return RedisBackplane(f"unix://{self._socket}", server=server, **options)

    def plug(self) -> None:
        if self._process is None:
            settings = ("--port", "0", "--unixsocket", self._socket, "--save", "")
            redis = [self._program, *settings, "--dir", str(self._folder)]
            self._folder.mkdir(mode=0o700)  # it was not there: nobody else has put anything in it
            self._process = subprocess.Popen(
                ["sh", "-c", _KEEPER, "sh", str(self._folder), *redis],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # the stop button of a notebook is not for it
            )
            deadline = time.monotonic() + PATIENCE
            while not self._answers():
                if time.monotonic() > deadline:
                    self.unplug()
                    raise RuntimeError(f"redis-server did not answer within {PATIENCE:g} s")
                time.sleep(_LOOK)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE)
            try:
                sock.connect(self._socket)
                sock.sendall(b"PING\r\n")
                return sock.recv(100).startswith(b"+PONG")
            except OSError:
                return False

    def unplug(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.communicate()  # closes its stdin, and waits

    def close(self) -> None:
        self.unplug()


def crash(server: Server) -> None:
    """Stop a server with a backplane as `kill -9` would, for all others: it says no goodbye.

    Raises:
        ValueError: it has no backplane, or is not running.
    """
    portal: Portal | None = server._portal
    talk = getattr(server.backplane, "_talk", None)
    if portal is None or talk is None:
        raise ValueError("only a running server with a backplane can be missed by others")
    portal.run(talk.be_cut)
    server.stop(grace=0)
