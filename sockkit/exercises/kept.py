"""What an object of the answer still keeps: found through all that can be reached from it."""

import gc
import types
from collections import deque
from collections.abc import Iterator
from typing import Any

_MOST = 50_000  # objects to look through
_NO_WAY_ON = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.FrameType,
    types.CodeType,
)


def times_kept(keeper: Any, text: str, *but: object) -> int:
    """How often a text is found in the strings that `keeper` holds, itself or through others.

    What its class holds counts, too, and whatever the methods know by a name.

    Args:
        keeper: to start from.
        text: to count. A line that many strings hold is counted in each of them.
        but: objects that are not looked into.
    """
    seen = {id(thing) for thing in but}
    waiting, count = deque([keeper, *_of_its_class(keeper)]), 0
    while waiting and len(seen) < _MOST:
        thing = waiting.popleft()
        if id(thing) in seen or isinstance(thing, _NO_WAY_ON):
            continue
        seen.add(id(thing))
        if isinstance(thing, str):
            count += thing.count(text)
        elif isinstance(thing, bytes | bytearray):
            count += thing.count(text.encode())
        else:
            waiting.extend(gc.get_referents(thing))
    return count


def _of_its_class(keeper: Any) -> Iterator[Any]:
    for kind in type(keeper).__mro__[:-1]:
        for value in vars(kind).values():
            yield value
            if isinstance(value, types.FunctionType):
                names = value.__code__.co_names
                yield from (value.__globals__[name] for name in names if name in value.__globals__)
                yield from value.__closure__ or ()
