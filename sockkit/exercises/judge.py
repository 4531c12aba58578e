"""From an answer to a verdict: run the check, end what still runs, look at what was left behind."""

import contextlib
import gc
import os
import threading
import traceback
from collections.abc import Callable
from typing import Any

from sockkit.exercises import report, settings, tidy
from sockkit.exercises.calls import OwnThread
from sockkit.exercises.desk import MainThread
from sockkit.exercises.leftovers import Before
from sockkit.exercises.printed import Printed
from sockkit.exercises.running import Failed, Stopped
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet, Status, Verdict
from sockkit.exercises.where import named

Check = Callable[[Trial, Any], str]

_one_at_a_time = threading.Lock()  # standard output, settings and garbage are the whole process's

SECONDS = 4.7  # for the check and for ending what it began


def judge(check: Check, answer: Any, goal: str) -> Verdict:
    """Run the check on the answer, on live sockets, and say what came of it, all within 5 s.

    Works on any thread, with or without a running event loop. An interrupt (Ctrl-C) ends the check
    and everything it began, and then goes on to the caller as `KeyboardInterrupt`.
    """
    if not _one_at_a_time.acquire(blocking=False):
        return Verdict(Status.NOT_YET, "Another check is at work.", then="Wait until it has ended.")
    gc.freeze()  # what was there before is not looked at: neither by `Before` nor as garbage
    try:
        return _judge(check, answer, goal)
    finally:
        gc.unfreeze()
        _one_at_a_time.release()


def _judge(check: Check, answer: Any, goal: str) -> Verdict:
    before = Before()
    on_main = threading.current_thread() is threading.main_thread() and os.name == "posix"
    desk = MainThread() if on_main else None
    place = desk or OwnThread()
    trial = Trial(place, before, SECONDS - place.ends_within)
    examiner = Examiner(check, answer, trial)
    printed, warned = Printed(), Printed(trial.is_ending)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(printed))
        stack.enter_context(contextlib.redirect_stderr(warned))
        dropped = stack.enter_context(tidy.troubles_noted(warned))
        stack.enter_context(settings.no_keyboard())
        if desk:
            stack.enter_context(desk)
        with settings.kept() as changed:
            interrupted = examiner.work(desk)
        trial.close()
        faults, survivors = tidy.up(before, trial.begun, dropped)
        found = examiner.praise, examiner.finding
        verdict = report.write(trial, goal, *found, changed + faults, survivors)
        _forget_frames(trial, examiner.finding)
    if interrupted or (desk and desk.interrupted):
        raise KeyboardInterrupt
    return report.with_output(verdict, printed.lines(), warned.lines())


class Examiner(threading.Thread):
    """Runs one check in its own thread, and keeps what it found."""

    def __init__(self, check: Check, answer: Any, trial: Trial) -> None:
        super().__init__(name="check", daemon=True)
        self.praise = ""
        self.finding: NotYet | None = None
        self._check = check
        self._answer = answer
        self._trial = trial
        self._desk: MainThread | None = None

    def work(self, desk: MainThread | None) -> bool:
        """Run the check to its end; return whether it was interrupted.

        If this is the main thread, the calls of the answer are made here meanwhile.
        """
        self._desk = desk
        self.start()
        try:
            if desk:
                desk.attend()
            while self.is_alive():
                self.join(0.1)
        except KeyboardInterrupt:  # where there is no desk to take it
            self._trial.stopping.set()
            self.join()
            return True
        return False

    def run(self) -> None:
        """The check, and the end of every call it began."""
        try:
            self.praise = self._check(self._trial, self._answer)
        except NotYet as finding:
            self.finding = finding
        except Stopped:
            self.finding = report.out_of_time(self._trial)
        except Failed:
            pass  # the report knows the call and its exception
        except Exception as error:
            self.finding = NotYet(
                f"My own check failed, with {named(error)}. Your answer may be right.",
                then="Please report this to those who made the lesson.",
            )
        finally:
            try:
                self._trial.end_calls()
            finally:
                if self._desk:
                    self._desk.dismiss()


def _forget_frames(trial: Trial, finding: NotYet | None) -> None:
    # A traceback keeps every local variable alive, so the learner's sockets too, and what the check
    # got: a coroutine, say, of which Python would tell in a later cell that nobody awaited it.
    if finding:
        traceback.clear_frames(finding.__traceback__)
    for running in trial.begun:
        if error := running.call.error:
            traceback.clear_frames(error.__traceback__)
            running.call.error = None
    trial.begun.clear()
