"""The locks that somebody's objects hold: found to free them, when their threads are to end."""

import contextlib
import gc
import threading
import types
from collections import deque
from typing import Any

_LOCK, _RLOCK = type(threading.Lock()), type(threading.RLock())
_MOST = 2_000  # objects to look through
_NO_WAY_ON = (types.ModuleType, types.FrameType, types.CodeType, threading.Thread)
# Whose objects may be looked into: no lock of the kit, of asyncio or of Jupyter is touched.
_OPEN = {"builtins", "threading", "queue", "collections", "functools", "__main__"}


def free_all(*things: Any) -> None:
    """Free every lock that can be reached from these things and is held. Any thread.

    For locks whose owners have ended or never let go: whoever waits for one goes on, and must be
    about to end. Conditions, events and queues are made of locks, so their waiters go on as well.
    """
    seen: set[int] = set()
    waiting = deque(things)
    own = _OPEN | {str(getattr(thing, "__module__", "")) for thing in things}
    own |= {type(thing).__module__ for thing in things}
    while waiting and len(seen) < _MOST:
        thing = waiting.popleft()
        if id(thing) in seen or isinstance(thing, _NO_WAY_ON):
            continue
        seen.add(id(thing))
        if isinstance(thing, _LOCK):
            with contextlib.suppress(RuntimeError):  # nobody holds it
                thing.release()
        elif isinstance(thing, _RLOCK):
            with contextlib.suppress(RuntimeError):
                thing._release_save()  # type: ignore[attr-defined]  # the only way not to own it
        elif type(thing).__module__ in own:
            waiting.extend(_parts(thing))


def _parts(thing: Any) -> list[Any]:
    if isinstance(thing, types.MethodType):
        return [thing.__self__, thing.__func__]
    if isinstance(thing, types.FunctionType):
        cells = [cell for cell in thing.__closure__ or () if _is_full(cell)]
        names = [thing.__globals__.get(name) for name in thing.__code__.co_names]
        used = [value for value in names if not isinstance(value, type)]
        return [*(cell.cell_contents for cell in cells), *used, *(thing.__defaults__ or ())]
    if isinstance(thing, type):
        return list(vars(thing).values()) if thing.__module__ == "__main__" else []
    return gc.get_referents(thing)


def _is_full(cell: types.CellType) -> bool:
    with contextlib.suppress(ValueError):
        return cell.cell_contents is not cell
    return False
