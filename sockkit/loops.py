"""Which event loop a server's thread runs: asyncio's own, or uvloop's, where that is installed."""

import asyncio
import importlib
import sys
from collections.abc import Callable

NewLoop = Callable[[], asyncio.AbstractEventLoop]


def loop_factory(name: str) -> NewLoop:
    """What makes event loops of this kind: "asyncio" or "uvloop".

    Raises:
        ValueError: another name.
        ModuleNotFoundError: uvloop is not installed, or cannot be.
    """
    if name == "asyncio":
        return asyncio.new_event_loop
    if name != "uvloop":
        raise ValueError(f"a loop is 'asyncio' or 'uvloop'; this is {name!r}")
    try:
        new_loop: NewLoop = importlib.import_module("uvloop").new_event_loop
    except ModuleNotFoundError:
        missing = "uvloop is not installed: pip install 'sockkit[speed]' brings it"
        if sys.platform == "win32":
            missing = "there is no uvloop for Windows: leave `loop` away"
        raise ModuleNotFoundError(missing, name="uvloop") from None
    return new_loop
