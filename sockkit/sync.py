"""For code that has no event loop: `Server` and `Client`, callable from any thread.

They behave as `aio.AsyncServer` and `aio.AsyncClient`, because they only forward to them through a
`portal`. What waits there with `await`, waits here in the calling thread.
"""

from sockkit.sync_client import Client
from sockkit.sync_server import Server

__all__ = ["Client", "Server"]
