"""websockets: messages in frames of their own, without compression; the handshake is not timed."""

import asyncio

from websockets.asyncio.server import ServerConnection, serve


async def shout(connection: ServerConnection) -> None:
    """One client, until it leaves."""
    async for message in connection:
        await connection.send(message.upper())


async def main() -> None:
    """Serve until the process is ended."""
    async with serve(shout, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
