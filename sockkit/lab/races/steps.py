"""From everything that happened to the few steps that matter. Only for the child process.

An execution of two short functions makes dozens of events; most touch what nobody else touches.
What is left here are the accesses to things that two threads share and one of them changes, the
locks and queues that two threads use, and what a thread waits for at the end. Each step says which
earlier step it collides with, and whether it acts on something that has changed since it was read.
"""

import queue
import types
from collections.abc import Iterable
from typing import Any

from sockkit.lab.races.witness import CONTAINERS, Event

CHANGES = frozenset({"writes", "changes", "sends"})
SYNCHRONIZES = frozenset(
    {"wants", "takes", "frees", "sees", "sets", "wakes", "notifies", "gets", "puts"}
)
_ENDS_A_WAIT = frozenset({"takes", "sees", "wakes", "gets"})
_NAMED_OBJECTS = 2000  # An object graph may be endless; a name nobody needs may be missing.


def steps(events: list[Event], roots: dict[str, Any]) -> list[dict[str, Any]]:
    """What is worth showing of these events, in order, as plain data.

    Args:
        events: of one execution.
        roots: where names start: what setup returned as "", global variables under their names.
    """
    names = _names(roots)
    chosen = _merged([event for event in _shared(events) if _named(event, names)])
    return [_step(number, chosen, names) for number, _ in enumerate(chosen)]


def waiting(events: list[Event], roots: dict[str, Any]) -> list[tuple[int, str, int | None]]:
    """Who waits at the end: thread, the name of what for, the thread that has it (None: nobody)."""
    names = _names(roots)
    found = []
    for event in _unanswered(events):
        holder = _holder(event, events)
        name = names.get(id(event.owner), type(event.owner).__name__)
        found.append((event.thread, name, None if holder is None else holder.thread))
    return sorted(found, key=lambda wait: wait[0])


def _group(event: Event) -> tuple[int, str]:
    """What an event touches: two events collide only within one group."""
    return (id(event.owner), event.key)


def _shared(events: list[Event]) -> list[Event]:
    """The events on things that several threads touch and one changes, and the waits at the end."""
    users: dict[tuple[int, str], set[int]] = {}
    changed = set()
    for event in events:
        users.setdefault(_group(event), set()).add(event.thread)
        if event.does in CHANGES or event.does in SYNCHRONIZES:
            changed.add(_group(event))
    missed = {_group(event) for event in _unanswered(events)}
    return [
        event
        for event in events
        if event.does == "runs"
        or _group(event) in missed
        or (_group(event) in changed and len(users[_group(event)]) > 1)
    ]


def _merged(events: list[Event]) -> list[Event]:
    """Leave out what a neighbour says as well, or better."""
    kept: list[Event] = []
    for number, event in enumerate(events):
        last = kept[-1] if kept else None
        if event.weak and _is_for_the_next(event, events[number + 1 :]):
            continue
        if last is None or _place(last) != _place(event):
            kept.append(event)
        elif event.does == "runs":
            continue
        elif last.does == "runs":
            kept[-1] = event
        elif _group(last) != _group(event):
            kept.append(event)
        elif last.does == "wants" and event.does in _ENDS_A_WAIT:
            kept[-1] = event  # It did not have to wait.
        elif event.does == last.does and (event.does == "reads" or _together(event, last)):
            kept[-1] = event
        else:
            kept.append(event)
    return kept


def _is_for_the_next(event: Event, later: list[Event]) -> bool:
    """Whether a list or dict is only picked up for what the same line then does with it."""
    following = (other for other in later if other.thread == event.thread)
    after = next((other for other in following if _group(other) == _group(event)), None)
    return after is not None and not after.weak and _place(after) == _place(event)


def _place(event: Event) -> tuple[int, str, int]:
    return (event.thread, event.file, event.line)


def _together(event: Event, other: Event) -> bool:
    return event.instruction == other.instruction


def _step(number: int, events: list[Event], names: dict[int, str]) -> dict[str, Any]:
    event = events[number]
    before = events[:number]
    return {
        "thread": event.thread,
        "file": event.file,
        "line": event.line,
        "does": event.does,
        "target": _target(event, names),
        "value": event.value,
        "stale": _stale(event, before),
        "clash": _clash(event, before, events),
    }


def _stale(event: Event, before: list[Event]) -> int | None:
    """The index of this thread's last read of the same thing, if another changed it since."""
    if event.does not in ("writes", "changes"):
        return None
    changed = False
    for index in range(len(before) - 1, -1, -1):
        earlier = before[index]
        if _group(earlier) != _group(event):
            continue
        if earlier.thread == event.thread:
            return index if changed and earlier.does == "reads" else None
        changed = changed or earlier.does in CHANGES
    return None


def _clash(event: Event, before: list[Event], events: list[Event]) -> int | None:
    """The index of the step of another thread that this one runs into."""
    if any(event is wait for wait in _unanswered(events)):
        holder = _holder(event, events)
        return next((i for i, earlier in enumerate(before) if earlier is holder), None)
    if event.does in SYNCHRONIZES or event.does == "runs":
        return None
    for index in range(len(before) - 1, -1, -1):
        earlier = before[index]
        if _group(earlier) == _group(event):
            changes = event.does in CHANGES or earlier.does in CHANGES
            return index if changes and earlier.thread != event.thread else None
    return None


def _unanswered(events: list[Event]) -> list[Event]:
    """The waits that never ended: the last thing their threads did."""
    last: dict[int, Event] = {}
    for event in events:
        last[event.thread] = event
    return [event for event in last.values() if event.does == "wants"]


def _holder(wait: Event, events: Iterable[Event]) -> Event | None:
    """The event by which the lock that is waited for was taken, if it was not freed again."""
    holder = None
    for event in events:
        if event.owner is wait.owner and event.does == "takes":
            holder = event
        elif event.owner is wait.owner and event.does == "frees":
            holder = None
    return holder


def _named(event: Event, names: dict[int, str]) -> bool:
    """Whether a reader could know the thing; the locks inside a queue, for one, nobody can."""
    return event.does not in SYNCHRONIZES or id(event.owner) in names


def _target(event: Event, names: dict[int, str]) -> str:
    name = names.get(id(event.owner), "")
    if event.owner is None or isinstance(event.owner, types.CodeType):
        return event.key
    if not event.key:
        return name or type(event.owner).__name__
    return f"{name}.{event.key}" if name else event.key


def _names(roots: dict[str, Any]) -> dict[int, str]:
    """A name for each object that can be reached: "lock", "clients", "line.outbox"."""
    names: dict[int, str] = {}
    found = [(value, name) for name, value in roots.items()]
    for value, name in found:
        if id(value) in names or len(names) > _NAMED_OBJECTS:
            continue
        names[id(value)] = name
        found.extend(_parts(value, name))
    return names


def _parts(value: Any, name: str) -> list[tuple[Any, str]]:
    """The objects inside an object, named."""
    if isinstance(value, type | types.ModuleType | types.FunctionType | queue.Queue):
        return []
    if isinstance(value, dict):
        return [(part, f"{name}[{key!r}]") for key, part in value.items() if _is_plain(key)]
    if isinstance(value, list | tuple):
        return [(part, f"{name}[{index}]") for index, part in enumerate(value)]
    if isinstance(value, CONTAINERS):
        return []
    own = type(value).__module__.startswith("frontrun.")  # A condition is named, not its lock.
    parts = getattr(value, "__dict__", {})
    return [
        (part, name if own else f"{name}.{key}".lstrip("."))
        for key, part in sorted(parts.items())
        if not _is_plain(part)
    ]


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | bytes | int | float | None)
