"""Inside your own event loop: `AsyncServer` and `AsyncClient`.

All behaviour of the kit is in these two and the modules below them. `sync` offers the same to code
that has no loop, by running them on a thread of its own.
"""

from sockkit.client import AsyncClient
from sockkit.server import AsyncServer

__all__ = ["AsyncClient", "AsyncServer"]
