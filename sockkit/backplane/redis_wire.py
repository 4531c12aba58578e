"""What servers say, over Redis publish/subscribe. Needs the package `redis`.

Two connections, one that speaks and one that listens, held by ourselves and not by a pool: a pool
may send a command again after an error, and then everybody hears it twice.

    GROUP               the channel for all
    GROUP:to:SERVER     the channel of one server
    GROUP:servers       a set: the names of all servers
    GROUP:here:SERVER   its last list of clients; expires
"""

from collections.abc import Iterator, Sequence
from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from sockkit.backplane.wire import Post

Command = tuple[str | bytes | int, ...]


def connections(url: str) -> Any:
    """What makes connections to this Redis. None of them tries anything twice.

    Raises:
        ValueError: no URL of a Redis. What it is instead is not repeated: it may hold a password.
    """
    never = Retry(NoBackoff(), 0)
    try:
        return ConnectionPool.from_url(url, protocol=2, retry=never, health_check_interval=0)
    except ValueError:
        text = "no URL of a Redis: one is redis://:password@host:port, %2F for a / in the password"
        raise ValueError(text) from None


class RedisWire:
    """One server's connection to Redis, on the running loop."""

    def __init__(self, pool: Any, group: str, server: str, expiry: float) -> None:
        self._group, self._server = group, server
        self._milliseconds = round(expiry * 1000)
        self._mouth = pool.make_connection()
        self._ears = pool.make_connection()

    async def open(self) -> None:
        """Connect, and listen from now on.

        Raises:
            OSError: Redis can't be reached, or refuses us.
        """
        try:
            await self._mouth.connect()
            await self._ears.connect()
            channels = self._group, f"{self._group}:to:{self._server}"
            await self._ears.send_command("SUBSCRIBE", *channels)
            for _ in channels:
                await self._ears.read_response()
        except RedisError as error:
            raise ConnectionError(str(error)) from error

    async def present(self) -> list[bytes]:
        """See `Wire`."""
        (names,) = await self._do([("SMEMBERS", f"{self._group}:servers")])
        if not names:
            return []
        (lists,) = await self._do([("MGET", *(self._key(name.decode()) for name in names))])
        expired = [name for name, packed in zip(names, lists, strict=True) if packed is None]
        if expired:
            await self._do([("SREM", f"{self._group}:servers", *expired)])
        return [packed for packed in lists if packed is not None]

    async def send(self, posts: Sequence[Post]) -> None:
        """See `Wire`."""
        await self._say([command for post in posts for command in self._commands(post)])

    async def confirm(self) -> None:
        """See `Wire`."""
        # Not by who sends: waiting for each answer would take some turns of a busy loop each time.
        try:
            while True:
                await self._mouth.read_response()
        except RedisError as error:
            raise ConnectionError(str(error)) from error

    async def receive(self) -> bytes:
        """See `Wire`."""
        try:
            while True:
                kind, _, packed = await self._ears.read_response()
                if kind == b"message":
                    return bytes(packed)
        except RedisError as error:
            raise ConnectionError(str(error)) from error

    async def close(self) -> None:
        """See `Wire`."""
        for connection in (self._mouth, self._ears):
            await connection.disconnect(nowait=True)

    def _commands(self, post: Post) -> Iterator[Command]:
        everybody = f"{self._group}:servers"
        if post.kind == "here":
            yield "SADD", everybody, self._server
            yield "SET", self._key(self._server), post.packed, "PX", self._milliseconds
        elif post.kind == "gone":
            yield "SREM", everybody, self._server
            yield "DEL", self._key(self._server)
        yield "PUBLISH", f"{self._group}:to:{post.to}" if post.to else self._group, post.packed

    def _key(self, server: str) -> str:
        return f"{self._group}:here:{server}"

    async def _do(self, commands: Sequence[Command]) -> list[Any]:
        await self._say(commands)
        try:
            return [await self._mouth.read_response() for _ in commands]
        except RedisError as error:
            raise ConnectionError(str(error)) from error

    async def _say(self, commands: Sequence[Command]) -> None:
        try:
            packed = self._mouth.pack_commands(commands)
            await self._mouth.send_packed_command(packed, check_health=False)
        except RedisError as error:
            raise ConnectionError(str(error)) from error
