"""Code that stands still before one of its lines, so that something else can happen meanwhile.

Whatever two threads share may change between any two lines. Left to chance, it does so once in a
thousand runs; here it does so every time, at each line in turn.
"""

import contextlib
import dis
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from sockkit.exercises.running import Running
from sockkit.exercises.trial import Trial
from sockkit.exercises.where import is_learners, learners_place

_NEXT = dis.opmap["FOR_ITER"]  # the step of a loop that asks for one more
_SLICE = 0.002
_LONGEST = 5.0  # seconds for which a call can stand still
_BLOCKED = 0.05  # seconds at one line, from which a callback is taken for one that waits


class Stop:
    """What runs under `watch` stops once: at the `point`-th place that it comes to.

    Places are the learner's lines, each once, and each loop before it takes its second item.

    Args:
        point: 1 for the first place.
    """

    def __init__(self, point: int) -> None:
        self.place = ""  # of the learner's code, in words
        self.stands = threading.Event()
        self._point = point
        self._met: set[object] = set()
        self._asked: set[object] = set()
        self._go = threading.Event()

    def go_on(self) -> None:
        """Let it go on to its end."""
        self._go.set()

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Stop this thread's code in here, also where it awaits."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        if not is_learners(frame.f_code.co_filename):
            return None
        frame.f_trace_opcodes = True
        return self._step

    def _step(self, frame: FrameType, event: str, arg: Any) -> Any:
        place: object = None
        if event == "line":
            place = (frame.f_code, frame.f_lineno)
        elif event == "opcode" and frame.f_code.co_code[frame.f_lasti] == _NEXT:
            loop = (frame, frame.f_lasti)
            place = loop if loop in self._asked else None
            self._asked.add(loop)
        if place and place not in self._met:
            self._met.add(place)
            if len(self._met) == self._point:
                self.place = learners_place(frame)
                self.stands.set()
                self._go.wait(_LONGEST)
        return self._step


class Meanwhile(Stop):
    """A call in a thread of its own, which stops once.

    Args:
        trial: of the check that this is for.
        function: to call, without arguments.
        point: 1 for the first place.
    """

    def __init__(self, trial: Trial, function: Callable[[], Any], point: int) -> None:
        super().__init__(point)
        self._function = function
        self.running = trial.start_beside(self._run)
        self.running.call.name = getattr(function, "__name__", "answer")

    def stopped(self) -> bool:
        """Wait until the call stands still, or has ended; whether it stands."""
        while not self.stands.wait(_SLICE) and not self.running.ended():
            pass
        return self.stands.is_set()

    def _run(self) -> Any:
        with self.watch():
            return self._function()


class Patience:
    """How a check waits for callbacks that may have to wait, themselves, for the stopped call.

    One that takes the lock which the stopped call holds can't end before. That is no fault, and
    neither is it the fault of the answer that its event loop stands still meanwhile. The same the
    other way round, where a callback was stopped and a call has to wait for it.

    Args:
        trial: is asked for the time.
        serving: the call that is the server, which calls these callbacks.
    """

    def __init__(self, trial: Trial, serving: Running) -> None:
        self._trial = trial
        self._serving = serving
        self._held = self._serving.call.held

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until this is so, or a callback stands where the stopped call lets it stand."""
        self._wait(condition, self._serving)

    def wait_for(self, running: Running) -> None:
        """Wait until this call has ended, or stands where the stopped callback lets it stand."""
        self._wait(running.ended, running)

    def _wait(self, condition: Callable[[], bool], running: Running) -> None:
        self._held = self._serving.call.held
        deadline = time.monotonic() + self._trial.left(1.0)
        place, since = "", 0.0
        while not condition() and (now := time.monotonic()) < deadline:
            if place != (here := running.call.place()):
                place, since = here, now
            if (place and now - since > _BLOCKED) or self._trial.hopeless():
                return
            time.sleep(_SLICE)

    def wait_after(self, condition: Callable[[], bool]) -> None:
        """Wait until this is so, now that what was stopped goes on."""
        self._trial.wait(condition)
        if self._serving.goes_on(turns=1):
            self._serving.call.held = self._held

    @property
    def at_end(self) -> bool:
        """Whether so little time is left that the check must do with the places it has tried."""
        return self._trial.left(1.0) < 1.0
