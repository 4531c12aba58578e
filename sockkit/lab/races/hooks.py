"""Ties the witness to frontrun, and frontrun to sockets and queues. Only for the child process.

- Memory: frontrun 0.7 gives each thread a function that hears of every access, its access sink.
- Locks, events, conditions: frontrun's stand-ins for them are wrapped.
- Sends and queues: frontrun hears of a send when it is done, and not at all of the order in which
  items enter a queue, so it would not try the other order. Here it is asked first.

The first two are no public interface of frontrun. They are used here and nowhere else, and
`explorer` refuses a frontrun of another version.
"""

import _thread
import dis
import importlib
import queue
import socket
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

from sockkit.lab.races.witness import CONTAINERS, Witness, show

# Class in frontrun._cooperative, method, what to note before the call, and what after it.
_STAND_INS = (
    ("CooperativeLock", "acquire", "wants", "takes"),
    ("CooperativeLock", "release", "frees", ""),
    ("CooperativeRLock", "acquire", "wants", "takes"),
    ("CooperativeRLock", "release", "frees", ""),
    ("CooperativeSemaphore", "acquire", "wants", "takes"),
    ("CooperativeSemaphore", "release", "frees", ""),
    ("CooperativeEvent", "wait", "wants", "sees"),
    ("CooperativeEvent", "set", "sets", ""),
    ("CooperativeCondition", "wait", "wants", "wakes"),
    ("CooperativeCondition", "notify", "notifies", ""),
)

Call = Callable[..., Any]


class Hooks:
    """Everything that is changed in the child process, once.

    Args:
        witness: hears of what happens.

    Sockets and queues are changed before frontrun is imported: it wraps them as well.
    """

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._report: Callable[[], Call | None] = lambda: None
        self._unseen: weakref.WeakSet[Any] = weakref.WeakSet()
        socket.socket.send = self._ordered(socket.socket.send)  # type: ignore[method-assign]
        socket.socket.sendall = self._ordered(socket.socket.sendall)  # type: ignore[method-assign]
        self._queue_init = queue.Queue.__init__
        queue.Queue.__init__ = self._new_queue()  # type: ignore[method-assign]
        queue.Queue.put = self._put()  # type: ignore[method-assign]
        queue.Queue.get = self._get()  # type: ignore[method-assign]
        self._queues = queue.Queue, queue.LifoQueue, queue.PriorityQueue
        self._join()

    def _join(self) -> None:
        """Hook into frontrun."""
        runner: Any = importlib.import_module("frontrun._dpor_runtime.runner")
        shuffler: Any = importlib.import_module("frontrun.bytecode")
        observer: Any = importlib.import_module("frontrun._opcode_observer")
        stand_ins: Any = importlib.import_module("frontrun._cooperative")
        self._report = importlib.import_module("frontrun._io_detection").get_io_reporter
        self._abort = importlib.import_module("frontrun._deadlock").SchedulerAbortError
        for module in (runner, shuffler):
            module.set_context = self._entering(module.set_context)
        runner.set_access_sink = self._listening(runner.set_access_sink)
        scheduler = shuffler.OpcodeScheduler
        scheduler.wait_for_turn = self._noting_turns(scheduler.wait_for_turn)
        # frontrun lets "is this key in the dict?" and "put a value there" commute, so it would
        # never try them the other way round. They don't: that is the check-then-act race.
        observer._REPORT_DISPATCH["weak_write"] = observer._REPORT_DISPATCH["write"]
        for name, method, before, after in _STAND_INS:
            kind = getattr(stand_ins, name)
            setattr(kind, method, self._noting(getattr(kind, method), before, after))

    def keep_queues(self) -> None:
        """Undo frontrun's replacement of queues, which it makes anew for each execution."""
        queue.Queue, queue.LifoQueue, queue.PriorityQueue = self._queues  # type: ignore[misc]

    # Memory and locks.

    def _entering(self, set_context: Call) -> Call:
        def wrapped(scheduler: Any, thread: int) -> None:
            self._witness.enter(thread, scheduler)
            set_context(scheduler, thread)

        return wrapped

    def _listening(self, set_access_sink: Call) -> Call:
        def wrapped(sink: Call | None) -> None:
            if sink is None:
                self._witness.leave()
                set_access_sink(None)
                return

            def both(thread: int, owner: Any, name: Any, kind: str, key: int) -> None:
                self._note_access(owner, name, kind)
                sink(thread, owner, name, kind, key)

            set_access_sink(both)

        return wrapped

    def _note_access(self, owner: Any, name: Any, kind: str) -> None:
        frame, changes = self._witness.frame(), kind == "write"
        if not isinstance(owner, CONTAINERS) or (frame and owner is frame.f_globals):
            self._witness.note("writes" if changes else "reads", owner, str(name))
        elif name == "__cmethods__" and not self._passes_on(owner, frame):
            # That is frontrun's word for all that a list or dict holds.
            does = "changes" if changes else "reads"
            self._witness.note(does, owner, weak=kind == "weak_read")

    def _passes_on(self, owner: Any, frame: types.FrameType | None) -> bool:
        """Whether a call only hands on a method of this list or dict; for frontrun it calls it."""
        turn = self._witness.turn()
        if turn is None or frame is None:
            return False
        operation, count = frame.f_code.co_code[frame.f_lasti : frame.f_lasti + 2]
        if dis.opname[operation] != "CALL":
            return False
        stack = turn[1].get_shadow_stack(id(frame)).stack
        methods_of = [getattr(item, "__self__", None) is owner for item in stack[-count - 2 :]]
        return any(methods_of[2:]) and not any(methods_of[:2])

    def _noting_turns(self, wait_for_turn: Call) -> Call:
        def wrapped(scheduler: Any, thread: int) -> Any:
            granted = wait_for_turn(scheduler, thread)
            if granted:
                self._witness.note("runs", None, value="")
            return granted

        return wrapped

    def _noting(self, call: Call, before: str, after: str) -> Call:
        def wrapped(this: Any, *args: Any, **kwargs: Any) -> Any:
            if this in self._unseen:
                return call(this, *args, **kwargs)
            self._witness.note(before, this, value="")
            result = call(this, *args, **kwargs)
            if after and result is not False:
                self._witness.note(after, this, value="")
            return result

        return wrapped

    # Sends and queues.

    def _offer_turn(self, resource: str = "") -> None:
        """Let the scheduler choose who goes on, before something that can't be taken back."""
        turn = self._witness.turn()
        if turn is not None:
            report = self._report()
            if resource and report is not None:
                report(resource, "write")
            turn[1].report_and_wait(None, turn[0])  # frontrun's form for a database's statements.

    def _ordered(self, send: Call) -> Call:
        # A send gives up the interpreter's lock on its way into the kernel. Taking a lock of our
        # own while we still have that one keeps the sends in the order of the schedule.
        order = _thread.allocate_lock()

        def wrapped(this: socket.socket, data: Any, *flags: int) -> Any:
            self._offer_turn()
            with order:
                self._witness.note("sends", this, value=show(bytes(data)))
                return send(this, data, *flags)

        return wrapped

    # The standard queue waits in conditions, where frontrun is not the same on every run. In
    # semaphores it is; these count the items and the room.

    def _new_queue(self) -> Call:
        def init(this: Any, maxsize: int = 0) -> None:
            self._queue_init(this, maxsize)
            this._items = threading.Semaphore(0)
            this._room = threading.Semaphore(maxsize) if maxsize > 0 else None
            self._unseen.update(part for part in (this._items, this._room) if part)

        return init

    def _put(self) -> Call:
        def put(this: Any, item: Any, block: bool = True, timeout: float | None = None) -> None:
            self._offer_turn("queue:")
            if this._room is not None and not _acquire(this._room, block, timeout):
                raise queue.Full if not block or timeout is not None else self._abort("no room")
            self._witness.note("puts", this, value=show(item))
            this._put(item)
            this.unfinished_tasks += 1
            this._items.release()

        return put

    def _get(self) -> Call:
        def get(this: Any, block: bool = True, timeout: float | None = None) -> Any:
            self._witness.note("wants", this, value="")
            self._offer_turn("queue:")
            if not _acquire(this._items, block, timeout):
                # Who waits without a limit gets something, or frontrun has given up.
                raise queue.Empty if not block or timeout is not None else self._abort("no item")
            item = this._get()
            self._witness.note("gets", this, value=show(item))
            if this._room is not None:
                this._room.release()
            return item

        return get


def _acquire(semaphore: Any, block: bool, timeout: float | None) -> bool:
    got: bool = semaphore.acquire(timeout=timeout) if block else semaphore.acquire(blocking=False)
    return got
