"""What Ctrl-C is, and waits of ours that the stop button of a notebook ends at once.

While a cell awaits, ipykernel answers the button's signal by queueing the cell's cancellation on
its own loop. Queueing does not wake a loop that sleeps, so nothing happens until something else
does: https://github.com/ipython/ipykernel/issues/881. The kernel is not ours to mend. But where a
wait of ours keeps it asleep, that wait can have the loop turn now and then.
"""

import asyncio
import signal
import sys
import threading

TURN = 0.2  # seconds until the button is noticed, at most


class Interruptible:
    """While this context lasts, the loop turns often enough for a cell to be interrupted.

    It does nothing except in a notebook's cell that awaits, and leaves nothing there but a timer
    that was cancelled. Should the wait go on after the cell, the turning has ended with the cell.

    Example:
        with Interruptible():
            await something.wait()
    """

    __slots__ = ("_timer",)

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        if "ipykernel" in sys.modules:
            self._turn()

    def __exit__(self, *exc_info: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _turn(self) -> None:
        if _a_cell_awaits_here():
            self._timer = asyncio.get_running_loop().call_later(TURN, self._turn)


def is_interrupt(error: BaseException) -> bool:
    """Whether it is Ctrl-C, which comes to the main thread alone. Elsewhere, somebody raised it."""
    return (
        isinstance(error, KeyboardInterrupt)
        and threading.current_thread() is threading.main_thread()
    )


def _a_cell_awaits_here() -> bool:
    # Signals come to the main thread alone; there, the kernel has a handler for just that long.
    handler = signal.getsignal(signal.SIGINT)
    return (
        threading.current_thread() is threading.main_thread()
        and getattr(handler, "__module__", "") == "ipykernel.ipkernel"
    )
