"""Stand-ins for what `frontrun` can't steer: a loop that is a queue, and a lock that is none.

frontrun steers threads at every access to what they share, but can't look into a wait for the
operating system, which is what a loop does between two turns. So the loop is a queue here, and who
plays its thread takes calls from it. The child process that explores imports this and its two
neighbours, so they import little.
"""

import asyncio
import contextlib
import queue
from collections.abc import Callable, Coroutine
from typing import Any


class Unlocked:
    """A lock that keeps nobody out."""

    def acquire(self, timeout: float = -1) -> bool:
        return True

    def release(self) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *exc_info: object) -> None: ...


class QueueLoop(asyncio.AbstractEventLoop):
    """What the kit needs of a loop; its turns are taken by whoever calls `turn`."""

    def __init__(self) -> None:
        self.stopped = False
        self.woken: queue.Queue[Callable[[], object]] = queue.Queue()

    def call_soon_threadsafe(self, call: Callable[..., object], *args: Any) -> None:
        self.call_soon(call, *args)

    def call_soon(self, call: Callable[..., object], *args: Any, context: Any = None) -> None:
        self.woken.put(lambda: call(*args))

    def call_later(self, seconds: float, call: Callable[..., object], *args: Any) -> None: ...

    def time(self) -> float:
        return 0.0

    def turn(self) -> None:
        """One call, once there is one."""
        self.woken.get()()

    def turn_while_woken(self) -> None:
        """All calls that there are now, and what they call for."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.woken.get(block=False)()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        raise AssertionError(context)

    # What a portal needs besides.

    def create_task(self, coroutine: Coroutine[Any, Any, Any], **options: Any) -> Any:
        return asyncio.Task(coroutine, loop=self, **options)  # type: ignore[arg-type]

    def get_debug(self) -> bool:
        return False

    def set_default_executor(self, executor: Any) -> None: ...

    async def shutdown_asyncgens(self) -> None: ...

    def stop(self) -> None:
        self.stopped = True

    def run_forever(self) -> None:
        asyncio._set_running_loop(self)  # type: ignore[arg-type]
        try:
            while not self.stopped:
                self.turn()
            self.turn_while_woken()
        finally:
            asyncio._set_running_loop(None)

    def run_until_complete(self, coroutine: Coroutine[Any, Any, None]) -> None:
        with contextlib.suppress(StopIteration):
            coroutine.send(None)

    def close(self) -> None:
        self.stopped = True
