"""trio: a task for each client, which cuts lines out of what arrives."""

import trio


async def serve(stream: trio.SocketStream) -> None:
    """One client, until it leaves."""
    rest = b""
    async for data in stream:
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            await stream.send_all(line.upper() + b"\n")


async def main() -> None:
    """Serve until the process is ended."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    print(listeners[0].socket.getsockname()[1], flush=True)
    await trio.serve_listeners(serve, listeners)


trio.run(main)
