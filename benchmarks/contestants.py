"""Who takes part, and in what."""

from typing import NamedTuple


class Peer(NamedTuple):
    """A server: the name of its file in `peers`, and its options.

    Attributes:
        name: what it is called in tables.
        program: the file, without its ending.
        options: the program's.
        package: what it needs from `requirements.txt`; empty if nothing.
        websocket: whether messages travel in WebSocket frames.
    """

    name: str
    program: str
    options: tuple[str, ...] = ()
    package: str = ""
    websocket: bool = False


class Cell(NamedTuple):
    """One kind of load: bytes of a line, and lines on their way for each client."""

    size: int
    in_flight: int

    @property
    def name(self) -> str:
        """What it is called in tables."""
        size = f"{self.size // 1024} KiB" if self.size >= 1024 else f"{self.size} B"
        return f"{size}, {self.in_flight} in flight"


BASE = "asyncio streams"  # what ratios are to
PEERS = [
    Peer("sockkit", "kit"),
    Peer("sockkit, coroutine function", "kit", ("--coroutine",)),
    Peer("sockkit on uvloop", "kit", ("--loop", "uvloop"), "uvloop"),
    Peer(BASE, "asyncio_streams"),
    Peer("asyncio Protocol", "asyncio_protocol"),
    Peer("asyncio BufferedProtocol", "asyncio_buffered"),
    Peer("uvloop streams", "asyncio_streams", ("--uvloop",), "uvloop"),
    Peer("uvloop BufferedProtocol", "asyncio_buffered", ("--uvloop",), "uvloop"),
    Peer("trio", "trio_streams", package="trio"),
    Peer("anyio", "anyio_streams", package="anyio"),
    Peer("Twisted", "twisted_lines", package="twisted"),
    Peer("gevent", "gevent_server", package="gevent"),
    Peer("socketserver, threads", "socketserver_threads"),
    Peer("websockets", "websockets_server", package="websockets", websocket=True),
]
CELLS = [Cell(16, 1), Cell(16, 16), Cell(1024, 16)]
