"""A swarm whose clients are shared out among the engines of ipyparallel.

Every engine connects its share; when all clients of all engines are connected, the scripts begin.
An engine that dies meanwhile is named among the errors, and the others go on.
"""

import contextlib
import importlib
import importlib.util
import pickle
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from sockkit.lab import swarm_part
from sockkit.lab.swarm_part import Progress
from sockkit.lab.swarm_result import ErrorGroup, SwarmResult, merge
from sockkit.lab.swarm_run import Address, Script

ANSWER = 30.0  # seconds that an engine may take for an answer, which it should give at once
_LOOK = 0.2  # seconds between two looks at the progress
_AFTER = 10.0  # seconds after the deadline for scripts to end and clients to leave
_ENDED = "it ended in the midst of the swarm"


def swarm_on(
    client: Any,
    count: int,
    address: Address,
    script: Script,
    timeout: float,
    show: Callable[[str, int], object],
    options: Mapping[str, Any],
) -> SwarmResult:
    """Run a swarm on the engines of an `ipyparallel.Client`, and wait for the end.

    Raises:
        ValueError: there are no engines.
        ipyparallel.RemoteError: an engine can't begin.
    """
    engines = list(client.ids)
    if not engines:
        raise ValueError("this ipyparallel client knows no engines: are they started?")
    swarm = _Swarm(client, engines, count)
    try:
        swarm.begin(address, timeout, _pickled(script, options))
        deadline = time.monotonic() + timeout + _AFTER
        swarm.wait(lambda now: not now.outside, deadline, lambda: show("connecting", swarm.inside))
        swarm.ask(swarm_part.go)
        swarm.wait(lambda now: now.over, deadline, lambda: show("in their scripts", swarm.done))
        return swarm.result()
    finally:
        swarm.end()


class _Swarm:
    """The parts of one swarm."""

    def __init__(self, client: Any, engines: list[int], count: int) -> None:
        self._views = {engine: client[engine] for engine in engines}  # those that live
        self._token = secrets.token_hex(8)
        share, more = divmod(count, len(engines))
        self._shares = {e: share + (place < more) for place, e in enumerate(engines)}
        self._seen = {e: Progress(n, 0, 0, False) for e, n in self._shares.items()}
        self._died: dict[int, str] = {}
        self._began = time.monotonic()

    @property
    def inside(self) -> int:
        """How many have connected or failed to."""
        return sum(self._shares[e] - now.outside for e, now in self._seen.items())

    @property
    def done(self) -> int:
        """How many have come to their end."""
        return sum(now.done for now in self._seen.values())

    def begin(self, address: Address, timeout: float, pickled: bytes) -> None:
        """Have all connect."""
        arguments, first = {}, 1
        for engine, share in self._shares.items():
            arguments[engine] = (share, first, address, timeout, pickled)
            first += share
        self.ask(swarm_part.begin, arguments)

    def ask(
        self, function: Callable[..., Any], arguments: Mapping[int, tuple[Any, ...]] | None = None
    ) -> dict[int, Any]:
        """Call it on every engine that lives, at once; return what each answered."""
        errors: Any = importlib.import_module("ipyparallel.error")
        asked: dict[int, Any] = {}
        for engine, view in tuple(self._views.items()):
            more = arguments[engine] if arguments else ()
            try:
                asked[engine] = view.apply_async(function, self._token, *more)
            except IndexError:  # its end was heard of since the last call
                self._gone(engine, _ENDED)
        answers = {}
        for engine, answer in asked.items():
            try:
                answers[engine] = answer.get(ANSWER)
            except errors.TimeoutError:
                self._gone(engine, f"it did not answer for {ANSWER:g} s")
            except errors.RemoteError as error:
                if error.ename != "EngineError":
                    raise
                self._gone(engine, _ENDED)
        return answers

    def _gone(self, engine: int, why: str) -> None:
        del self._views[engine]
        self._died[engine] = why

    def wait(
        self, true: Callable[[Progress], bool], deadline: float, show: Callable[[], object]
    ) -> None:
        """Wait until it is true of every engine that lives."""
        while True:
            self._seen.update(self.ask(swarm_part.look))
            show()
            if all(true(self._seen[engine]) for engine in self._views):
                return
            if time.monotonic() > deadline:
                return
            time.sleep(_LOOK)

    def result(self) -> SwarmResult:
        """That of all parts together."""
        parts = list(self.ask(swarm_part.take).values())
        for engine, why in self._died.items():
            share = self._shares[engine]
            error = ErrorGroup(f"engine {engine} died", share, why)
            parts.append(
                SwarmResult(
                    clients=share,
                    connected=self._seen[engine].connected,
                    finished=0,
                    replies=0,
                    right=0,
                    wrong=0,
                    errors=[error],
                    connecting=0.0,
                    duration=0.0,
                )
            )
        return merge(parts)

    def end(self) -> None:
        """Leave nothing on the engines, without waiting for them."""
        for view in self._views.values():
            with contextlib.suppress(IndexError):  # it has died
                view.apply_async(swarm_part.end, self._token)


def _pickled(script: Script, options: Mapping[str, Any]) -> bytes:
    # A script from a cell can't be imported elsewhere: cloudpickle carries its code.
    if importlib.util.find_spec("cloudpickle") is None:
        return pickle.dumps((script, dict(options)))
    cloudpickle: Any = importlib.import_module("cloudpickle")
    packed: bytes = cloudpickle.dumps((script, dict(options)))
    return packed
