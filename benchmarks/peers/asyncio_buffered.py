"""asyncio's BufferedProtocol with the kit's tricks and none of its duties: about the limit.

One receive buffer for all, and one write for each receive. There are no clients to look up, no
limits, no order of callbacks, no reasons for an end; nothing but bytes in and bytes out.
"""

import asyncio
import sys

BUFFER = memoryview(bytearray(65_536))


class Shout(asyncio.BufferedProtocol):
    """One client."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.rest = b""

    def get_buffer(self, sizehint: int) -> memoryview:
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        whole, newline, self.rest = (self.rest + bytes(BUFFER[:nbytes])).rpartition(b"\n")
        if newline:
            lines = [line.upper() for line in whole.split(b"\n")]
            self.transport.write(b"\n".join(lines) + b"\n")


async def main() -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Shout, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if "--uvloop" in sys.argv:
    import uvloop

    uvloop.run(main())
else:
    asyncio.run(main())
