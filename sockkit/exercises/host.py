"""A server that a check runs, with the learner's functions as its callbacks."""

import asyncio
import functools
import inspect
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

from sockkit.aio import AsyncServer
from sockkit.connection import Connection
from sockkit.exercises.calls import close_unbegun
from sockkit.exercises.running import Running


class Host:
    """An `AsyncServer` as one long call of the answer, so that its callbacks can be interrupted.

    Args:
        failed: told the name of the callback that raised an exception, and the exception; the
            client's connection is closed.
        options: as for `AsyncServer`.

    Attributes:
        running: the call that this is, once `Trial.serve` has begun it.
    """

    running: Running

    def __init__(
        self, failed: Callable[[str, BaseException], None], options: dict[str, Any]
    ) -> None:
        self.listening = threading.Event()
        self.address: tuple[str, int] = ("", 0)
        self.thread = ""  # the name of the thread that its callbacks run on
        self._failed = failed
        self._to_await: weakref.WeakSet[Coroutine[Any, Any, Any]] = weakref.WeakSet()
        callbacks = {name: value for name, value in options.items() if name.startswith("on_")}
        guarded: Any = {name: self.guarded(value) for name, value in callbacks.items()}
        only = next(iter(callbacks.values())) if len(callbacks) == 1 else None
        self.name = getattr(only, "__name__", "")  # or none: which of several works can't be told
        self.server = AsyncServer(**{**options, **guarded})

    async def serve(self) -> None:
        """Serve until cancelled."""
        try:
            await self.server.start()
            self.thread = threading.current_thread().name
            self.address = self.server.address
            self.listening.set()
            await asyncio.Event().wait()
        finally:
            await self.server.stop(grace=0)

    def close(self) -> None:
        """Forget the calls that had not begun when the server ended."""
        for coroutine in tuple(self._to_await):
            close_unbegun(coroutine)

    def guarded(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        """The callback of a server, of this one or another, of whose exceptions the check is told.

        The client's connection is closed then.
        """

        def fail(error: BaseException) -> None:
            self._failed(getattr(callback, "__name__", type(callback).__name__), error)

        async def finished(connection: Connection, result: Any) -> None:
            try:
                await result
            except (Exception, SystemExit) as error:
                fail(error)
                connection.close()

        def ending(connection: Connection, result: Any) -> Any:
            end = finished(connection, result)
            self._to_await.update(c for c in (result, end) if inspect.iscoroutine(c))
            return end

        @functools.wraps(callback)
        def guarded(connection: Connection, *args: Any) -> Any:
            if self.running.call.ending:  # what still comes could hold the loop once more
                return None
            try:
                result = callback(connection, *args)
            except (Exception, SystemExit) as error:
                fail(error)
                connection.close()
                return None
            return ending(connection, result) if inspect.isawaitable(result) else None

        return guarded
