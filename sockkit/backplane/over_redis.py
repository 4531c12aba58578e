"""The backplane for servers in other processes and on other machines."""

from typing import TYPE_CHECKING

from sockkit.backplane.member import Member

if TYPE_CHECKING:
    from sockkit.backplane.redis_wire import RedisWire


class RedisBackplane(Member):
    """The backplane of one server, to others that use the same Redis.

    What is promised, and what is not, stands in the docstring of `sockkit.backplane`.

    Args:
        url: `redis://[[user]:password@]host[:port][/db]`, `rediss://…` for TLS, or
            `unix:///path/of/the/socket`.
        server: the name of this server; no other of the group may have it.
        group: servers of the same group act as one.
        expiry: seconds after which a server that says nothing counts as gone.

    A server starts, and serves, also where no Redis is there; it joins the others when there is.

    Raises:
        ImportError: the package `redis` is not installed.
        ValueError: no URL of a Redis, a name that is none, or an expiry that is no finite time.
    """

    def __init__(
        self, url: str, *, server: str, group: str = "sockkit", expiry: float = 3.0
    ) -> None:
        super().__init__(server=server, group=group, expiry=expiry)
        try:
            from sockkit.backplane import redis_wire
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "redis":
                raise
            text = 'RedisBackplane needs the package redis: pip install "sockkit[cluster]"'
            raise ModuleNotFoundError(text, name="redis") from None
        self._make_wire = redis_wire.RedisWire
        self._pool = redis_wire.connections(url)

    async def connect(self) -> "RedisWire":
        """Reach Redis, and listen."""
        wire = self._make_wire(self._pool, self.group, self.server, self.expiry)
        try:
            await wire.open()
        except BaseException:
            await wire.close()
            raise
        return wire
