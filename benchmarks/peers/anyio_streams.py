"""anyio over asyncio: its buffered stream finds the end of each line."""

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream


async def serve(stream: SocketStream) -> None:
    """One client, until it leaves."""
    lines = BufferedByteReceiveStream(stream)
    async with stream:
        while True:
            try:
                line = await lines.receive_until(b"\n", max_bytes=65_536)
            except (anyio.IncompleteRead, anyio.EndOfStream):
                break
            await stream.send(line.upper() + b"\n")


async def main() -> None:
    """Serve until the process is ended."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    print(listener.extra(SocketAttribute.local_port), flush=True)
    await listener.serve(serve)


anyio.run(main)
