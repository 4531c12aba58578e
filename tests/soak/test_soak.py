"""A short soak is part of the tests; and what a soak tells is told right, also when all is not."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable

import pytest

from sockkit import Reason

from ..core.program import ROOT
from ..faults.catalogue import size
from ..sizes import FULL
from .accounts import FAULTS, Done, Judge, Seen, Series
from .gauges import Gauges, look
from .growth import Line, Reading, judge_growth

CLOSED = frozenset({Reason.CLOSED})


def run(module: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, which holds nothing that other tests left."""
    command = [sys.executable, "-W", "error", "-m", module, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)


@pytest.mark.timeout(540)
def test_nothing_is_lost_and_nothing_leaks() -> None:
    minutes = size(1, 0)  # or as long as the least number of tides takes
    done = run("tests.soak", *f"--minutes {minutes} --clients 10 --length 1".split())
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert done.stdout.endswith("\nnothing lost, nothing leaked\n")
    # It was not idle: whoever could come came, and each end but one was seen. A server that is
    # full ends nobody whom it let in.
    for reason in set(Reason) - {Reason.REFUSED, Reason.SERVER_STOPPED}:
        assert re.search(rf"\b[1-9]\d* {reason}\b", done.stdout), reason


@pytest.mark.skipif(not FULL, reason="half a minute; SOCKKIT_FIGURES=1 runs it")
@pytest.mark.timeout(540)
def test_a_server_with_faults_does_not_pass() -> None:
    done = run("tests.soak.planted")
    assert done.returncode == 1
    assert done.stdout.endswith("\nNOT AS PROMISED\n")
    [counts] = re.findall(r"^\d+ lost, .*$", done.stdout, re.MULTILINE)
    told = {fault: int(re.search(rf"(\d+) {fault}\b", counts)[1]) for fault in FAULTS}
    for planted in ("lost", "doubled", "missing", "twice", "wrong end"):
        assert told[planted] > 0, done.stdout
    growing = re.findall(r"^(\w+ \w+) .*GROWS$", done.stdout, re.MULTILINE)
    assert {"here descriptors", "here objects"} <= set(growing), done.stdout
    assert not {"child descriptors", "child threads"} & set(growing)


def test_objects_of_any_class_are_counted() -> None:
    """Compiled libraries have classes whose `__module__` is no string."""
    odd = type("Odd", (), {"__module__": property()})()
    before = look(0).objects
    ours = type("Ours", (), {"__module__": "sockkit.ours"})()
    assert look(0).objects == before + 1
    del odd, ours


# The judge, case by case.


@pytest.mark.parametrize(
    ("numbers", "faults"),
    [
        ([0, 1, 2], {}),
        ([0, 2, 3], {"lost": 1}),
        ([1], {"lost": 1}),
        ([0, 1, 1, 2], {"doubled": 1}),
        ([0, 2, 1, 3], {"reordered": 1}),
        ([0, 3, 1, 1], {"lost": 1, "reordered": 1, "doubled": 1}),
    ],
)
def test_a_series_knows_what_is_missing(numbers: list[int], faults: dict[str, int]) -> None:
    series = Series()
    for number in numbers:
        series.take(number)
    assert +series.faults == Counter(faults)


def judged(seen: Iterable[Seen], done: Iterable[Done]) -> Counter[str]:
    judge = Judge(patience=0)
    for account in seen:
        judge.seen(account)
    for account in done:
        judge.done(account)
    judge.settle()
    return judge.faults


SEEN = Seen("a", Reason.CLOSED, messages=3, sent=5)
DONE = Done("a", CLOSED, sent=3, received=5, all_up=True, all_down=True)


@pytest.mark.parametrize(
    ("seen", "done", "faults"),
    [
        ([SEEN], [DONE], {}),
        ([SEEN._replace(messages=2)], [DONE], {"lost": 1}),
        ([SEEN._replace(messages=2)], [DONE._replace(all_up=False)], {}),
        ([SEEN._replace(messages=4)], [DONE._replace(all_up=False)], {"doubled": 1}),
        ([SEEN], [DONE._replace(received=3)], {"lost": 2}),
        ([SEEN], [DONE._replace(received=3, all_down=False)], {}),
        ([SEEN], [DONE._replace(received=6)], {"doubled": 1}),
        ([SEEN._replace(reason=Reason.RESET)], [DONE], {"wrong end": 1}),
        ([SEEN, SEEN], [DONE], {"twice": 1}),
        ([], [DONE], {"missing": 1}),
        ([], [DONE._replace(sure=False)], {}),
        ([SEEN], [], {"unexpected": 1}),
        ([SEEN._replace(name="")], [], {}),
    ],
)
def test_both_accounts_must_agree(
    seen: list[Seen], done: list[Done], faults: dict[str, int]
) -> None:
    told = judged(seen, done)
    told.pop("unexpected", None) if "twice" in faults else None  # the second has no client
    assert +told == Counter(faults)


# The line.

QUIET = Gauges(20, 5, 8, 60, 250_000, 20 << 20, 60 << 20, 50 << 20, 3)


def growing(**per_tide: float) -> set[str]:
    """Which gauges are said to grow, if each grows by so much in a tide of 100 clients."""
    readings = [
        Reading(
            60.0 * tide,
            100 * tide,
            QUIET._replace(
                **{name: getattr(QUIET, name) + step * tide for name, step in per_tide.items()}
            ),
        )
        for tide in range(20)
    ]
    return {growth.what for growth in judge_growth("it", readings) if not growth.fulfilled}


def test_what_grows_is_named() -> None:
    assert growing() == set()
    assert growing(descriptors=0.2, threads=0.1, tasks=1) == {
        "it descriptors",
        "it threads",
        "it tasks",
    }
    assert growing(objects=2, blocks=40) == {"it objects", "it blocks"}
    assert growing(allocated=1 << 18, uss=1 << 18) == {"it allocated"}
    assert growing(blocks=-100, rss=-(1 << 20)) == set()


def test_a_line_through_points() -> None:
    assert Line.through([(0, 1), (1, 3), (2, 5)]) == Line(2, 0, 0)
    assert Line.through([(0, 0), (1, 3), (2, 0)]).slope == 0
    assert Line.through([(0, 0), (1, 3), (2, 0)]).scatter > 1
