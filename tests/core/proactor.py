"""The usual loop of Windows, anywhere: asyncio's own, over a proactor made of a selector.

A proactor is asked to do something and tells when it is done; that of Windows is part of the system
(IOCP). This one tries at once, and again when the selector says so. asyncio's loop and transports
above it are those that run on Windows, which is what a channel has to live with there.
"""

import asyncio
import contextlib
import selectors
import socket
from asyncio.proactor_events import BaseProactorEventLoop
from collections.abc import Callable
from typing import Any


class SelectorProactor:
    """Does what asyncio's proactor loop asks for."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._waiting: dict[tuple[int, int], tuple[asyncio.Future[Any], Callable[[], Any]]] = {}
        self._loop: Any = None

    def set_loop(self, loop: Any) -> None:
        self._loop = loop

    def recv(self, sock: socket.socket, size: int, flags: int = 0) -> asyncio.Future[bytes]:
        return self._do(sock, selectors.EVENT_READ, lambda: sock.recv(size, flags))

    def recv_into(self, sock: socket.socket, buffer: Any, flags: int = 0) -> asyncio.Future[int]:
        return self._do(sock, selectors.EVENT_READ, lambda: sock.recv_into(buffer, 0, flags))

    def send(self, sock: socket.socket, data: Any, flags: int = 0) -> asyncio.Future[int]:
        return self._do(sock, selectors.EVENT_WRITE, lambda: sock.send(data, flags))

    def accept(self, listener: socket.socket) -> asyncio.Future[Any]:
        return self._do(listener, selectors.EVENT_READ, listener.accept)

    def connect(self, sock: socket.socket, address: Any) -> asyncio.Future[None]:
        with contextlib.suppress(BlockingIOError):
            sock.connect(address)

        def connected() -> None:
            if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, "cannot connect")
            sock.getpeername()

        return self._do(sock, selectors.EVENT_WRITE, connected)

    def _do(self, sock: socket.socket, event: int, call: Callable[[], Any]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self._finish(future, call):
            key = sock.fileno(), event
            self._waiting[key] = future, call
            self._watch(key[0])

            def forget(_: object) -> None:
                if self._waiting.get(key, (None,))[0] is future:
                    del self._waiting[key]
                    self._watch(key[0])

            future.add_done_callback(forget)
        return future

    @staticmethod
    def _finish(future: asyncio.Future[Any], call: Callable[[], Any]) -> bool:
        try:
            result = call()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        return True

    def _watch(self, handle: int) -> None:
        """Have the selector watch for what is waited for, and for nothing else."""
        events = sum(event for watched, event in self._waiting if watched == handle)
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._selector.unregister(handle)
        if events:
            self._selector.register(handle, events)

    def select(self, timeout: float | None = None) -> list[Any]:
        for key, events in self._selector.select(timeout):
            for event in (selectors.EVENT_READ, selectors.EVENT_WRITE):
                if events & event and (waiting := self._waiting.get((key.fd, event))):
                    future, call = waiting
                    if not future.done() and self._finish(future, call):
                        self._waiting.pop((key.fd, event), None)
                        self._watch(key.fd)
        return []  # nothing is left to be processed

    def _stop_serving(self, sock: socket.socket) -> None: ...

    def close(self) -> None:
        self._waiting.clear()
        self._selector.close()


class ProactorLoop(BaseProactorEventLoop):
    """The loop of Windows over such a proactor."""

    def __init__(self) -> None:
        super().__init__(SelectorProactor())

    def run_forever(self) -> None:
        self.call_soon(self._loop_self_reading)  # as that of Windows does, to be woken by threads
        try:
            super().run_forever()
        finally:
            if self._self_reading_future is not None:
                self._self_reading_future.cancel()
                self._self_reading_future = None
