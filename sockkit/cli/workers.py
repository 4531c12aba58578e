"""`python -m sockkit serve --workers N`: several processes listen at one port.

The system gives each new client to one of them. This process only starts them, repeats what they
tell, and ends them. Each holds one end of a pipe to us as its stdin and ends when that is closed;
so none is left, whatever we die of.
"""

import asyncio
import contextlib
import socket
import sys
from asyncio.subprocess import PIPE, Process

from sockkit.cli.output import complain, new_line_after_control_c, nobody_reads
from sockkit.sockets import listen

PATIENCE = 5.0  # seconds that a worker may take to end


def run(host: str, port: int, workers: int, options: list[str], *, together: bool) -> int:
    """Run workers until Ctrl-C, until none is left, or until nobody reads; return the exit code.

    Args:
        host: where to listen.
        port: 0 takes any free one.
        workers: how many.
        options: more of the command line, for each of them.
        together: whether they know of each other.

    Raises:
        OSError: the address can't be listened on.
    """
    if sys.platform != "linux":
        complain(
            "--workers needs a system that shares out the clients of one port among several "
            "processes, as Linux does with SO_REUSEPORT; this one does not. Leave it out"
        )
        return 1
    try:
        return asyncio.run(_Crew(together).run(host, port, workers, options))
    except KeyboardInterrupt:
        return 0


class _Crew:
    """The workers of one port."""

    def __init__(self, together: bool) -> None:
        self._together = together
        self._processes: list[Process] = []

    async def run(self, host: str, port: int, count: int, options: list[str]) -> int:
        with await _reserved(host, port) as place:
            host, port = place.getsockname()[:2]
            command = [sys.executable, "-m", "sockkit", "serve", "--host", host, "--port"]
            try:
                for number in range(1, count + 1):
                    more = [str(port), "--worker", str(number), *options]
                    self._processes.append(await _start([*command, *more]))
                if await self._all_listen():
                    await self._repeat_all()
                return 1
            except asyncio.CancelledError:  # Ctrl-C
                new_line_after_control_c()
                await self._end(tell=True)
                print("Stopped, with all workers.")
                raise
            except OSError:  # such as a pipe to a program that has ended
                nobody_reads()
                return 1
            finally:
                await self._end(tell=False)

    async def _all_listen(self) -> bool:
        for process in self._processes:
            assert process.stdout is not None
            first, _ = await process.stdout.readline(), await process.stdout.readline()
            if not first:
                return False  # it has said why, on stderr
        print(first.decode().rstrip())
        many = f"{len(self._processes)} workers"
        if self._together:
            print(f"({many}; /all TEXT reaches everybody, /who lists them; Ctrl-C here ends all)")
        else:
            print(
                f"({many} that do not know of each other, without --redis: /all TEXT and /who are "
                "about the clients of one; Ctrl-C here ends all)"
            )
        return True

    async def _repeat_all(self) -> None:
        tasks = [
            asyncio.create_task(self._repeat(number, process))
            for number, process in enumerate(self._processes, 1)
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _repeat(self, number: int, process: Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            print(f"worker {number}: {line.decode(errors='replace').rstrip()}")
        code = await process.wait()
        print(f"worker {number} has ended, exit code {code}; clients come to the others")

    async def _end(self, tell: bool) -> None:
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        for number, process in enumerate(self._processes, 1):
            try:
                async with asyncio.timeout(PATIENCE):
                    rest, _ = await process.communicate()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
                rest = b""
            for line in rest.decode(errors="replace").splitlines() if tell else ():
                with contextlib.suppress(OSError):
                    print(f"worker {number}: {line}")


async def _reserved(host: str, port: int) -> socket.socket:
    """A socket that holds a port without listening, so that only who shares it can have it."""
    listener = await listen(host, port)  # refused, if somebody else listens there, sharing or not
    with listener:
        family, address = listener.family, listener.getsockname()
    place = socket.socket(family)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
    except BaseException:
        place.close()
        raise
    return place


async def _start(command: list[str]) -> Process:
    # In a session of its own, so that Ctrl-C at the terminal comes to us alone. A shell may have
    # started us with Ctrl-C ignored; that is nothing to hand on.
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, start_new_session=True
    )


async def parent_gone() -> None:
    """In a worker: wait until who started it wants it to end, or is no more."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        await reader.read()
    finally:
        transport.close()
