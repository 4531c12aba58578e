"""One server under load: the server, its ledger, and a thread that talks to it from outside."""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, Self

from sockkit import ClosedError, Limits, Server, UnknownClient

from ..lab.loopback import HOST
from .accounts import Seen
from .ledger import Ledger, Wrong

LONGEST = 4096  # bytes of a message
TICK = 0.25  # seconds between two broadcasts from outside the server's thread


def message_timeout(idle: float) -> float:
    """How long a begun message may take, beside this limit on silence."""
    return idle * 2 / 3


MakeServer = Callable[..., Server]


class Host:
    """A running server with everything around it; use it as a context manager.

    Args:
        seen, wrong: as for `Ledger`.
        most: clients at the same time.
        idle: seconds of silence until one of them goes.
        make: what makes the server, from the arguments of `Server`.
        coroutine: whether its handler is a coroutine function.
    """

    def __init__(
        self,
        seen: Callable[[Seen], object],
        wrong: Wrong,
        *,
        most: int,
        idle: float,
        make: MakeServer = Server,
        coroutine: bool = False,
    ) -> None:
        self._asked = queue.SimpleQueue[int]()
        self.ledger = Ledger(seen, wrong, self._asked.put)
        callbacks: dict[str, Any] = self.ledger.callbacks
        if coroutine:
            callbacks["on_message"] = self.ledger.message_later
        limits = Limits(
            max_clients=most, max_message=LONGEST, max_pending=65_536, idle_timeout=idle,
            message_timeout=message_timeout(idle), linger=0.5,
        )  # fmt: skip
        self.server = make(host=HOST, limits=limits, **callbacks)
        self.ledger.broadcast = self.server.broadcast
        self._wrong = wrong
        self._end, self._pause = threading.Event(), threading.Event()
        self._paused = threading.Event()
        self._ticking = threading.Thread(target=self._tick, name="soak ticker")
        self._log = _Errors()

    def __enter__(self) -> Self:
        logger = logging.getLogger("sockkit")
        self._before = logger.propagate
        logger.propagate = False
        logger.addHandler(self._log)
        self.server.start()
        self._ticking.start()
        return self

    def __exit__(self, kind: object, *exc_info: object) -> None:
        self._end.set()
        self._ticking.join()
        self.server.stop()
        if kind is None and self._log.count != self.ledger.raised:
            self._wrong(
                "unexpected",
                f"{self._log.count} errors logged, and {self.ledger.raised} faults of the handler: "
                f"{self._log.last}",
            )
        logger = logging.getLogger("sockkit")
        logger.removeHandler(self._log)
        logger.propagate = self._before

    def pause(self) -> None:
        """No more broadcasts until `resume`."""
        self._pause.set()
        self._paused.wait()

    def resume(self) -> None:
        """Go on."""
        self._paused.clear()
        self._pause.clear()

    def _tick(self) -> None:
        count = 0
        while not self._end.wait(TICK / 5):
            with contextlib.suppress(queue.Empty):
                while True:
                    self._kick(self._asked.get_nowait())
            if self._pause.is_set():
                self._paused.set()
                continue
            count += 1
            if count % 5 == 0:
                self.server.broadcast(f"tick {count // 5}")

    def _kick(self, number: int) -> None:
        with contextlib.suppress(UnknownClient, ClosedError):
            self.server.disconnect(number)


class _Errors(logging.Handler):
    """Counts what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.count = 0
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        self.count += 1
        self.last = record.getMessage()
