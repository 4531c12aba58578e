"""One engine's part of a swarm. These functions are called on the engine, and none of them waits.

So the engine answers while its clients are at work, on a thread of their own: who started the swarm
sees how far it is, can end it, and notices when an engine is gone.
"""

import pickle
from typing import Any, NamedTuple

from sockkit.lab.swarm_result import SwarmResult
from sockkit.lab.swarm_run import Address, Run
from sockkit.portal import Portal


class Progress(NamedTuple):
    """How far a part is."""

    outside: int  # clients that have neither connected nor failed to
    connected: int  # clients that have
    done: int  # clients that are at the end of their script, or have failed
    over: bool


_parts: dict[str, tuple[Portal, Run]] = {}  # by the token that whoever began it made up


def begin(
    token: str, count: int, first: int, address: Address, timeout: float, pickled: bytes
) -> None:
    """Have `count` clients connect. `pickled` holds the script and the options."""
    for old, (_, run) in tuple(_parts.items()):
        if run.over.done():  # whoever began it did not come back
            end(old)
    script, options = pickle.loads(pickled)
    portal = Portal("sockkit swarm")

    def start() -> Run:
        address_here = (str(address[0]), int(address[1]))
        return Run(count, address_here, script, timeout, first=first, hold=True, **options)

    try:
        _parts[token] = portal, portal.call(start)
    except BaseException:
        portal.stop()
        raise


def look(token: str) -> Progress:
    """How far it is."""
    _, run = _parts[token]
    tally = run.tally
    done = tally.finished + tally.failed
    return Progress(run.outside, tally.connected, done, run.over.done())


def go(token: str) -> None:
    """Have the scripts begin."""
    portal, run = _parts[token]
    portal.call(run.go)


def take(token: str) -> SwarmResult:
    """The result; the part is over with that, whether all are done or not."""
    result = _parts[token][1].result()
    end(token)
    return result


def end(token: str) -> None:
    """Leave nothing of it."""
    portal_and_run: Any = _parts.pop(token, None)
    if portal_and_run is not None:
        portal, run = portal_and_run
        if not run.over.done():
            portal.leave_behind(_cancelled(run), then=lambda: None)
        portal.stop(wait=2.0)


def _cancelled(run: Run) -> Any:
    async def cancel() -> None:
        run.cancel()

    return cancel
