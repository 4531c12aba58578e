"""An event loop whose clock can be put forward, so that no test has to wait for a time limit."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class ClockLoop(asyncio.SelectorEventLoop):
    """Real sockets, but the time is what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0

    def time(self) -> float:
        return super().time() + self._ahead

    async def advance(self, seconds: float) -> None:
        """Put the clock forward, and let everything run that is due then."""
        self._ahead += seconds
        for _ in range(5):  # turns: a timer, what it ends, and who waits for that
            await asyncio.sleep(0)

    def hold(self, seconds: float) -> None:
        """Put the clock forward as a callback does that takes that long: nothing else has run."""
        self._ahead += seconds


def clock() -> ClockLoop:
    """The clock of the running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ClockLoop)
    return loop


def run_with_clock(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """`asyncio.run`, with a clock that `clock().advance` puts forward."""
    with asyncio.Runner(loop_factory=ClockLoop) as runner:
        runner.run(main())
