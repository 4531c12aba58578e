"""Races are found by exploring schedules: the same ones, each time, and what holds is said to."""

import json
import os
import queue
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from sockkit.lab import races
from sockkit.lab.races import traces

from ..sizes import FULL
from . import exploring, racing
from .racing import Littered, Shared, is_two

LOSING = ["lost_update", "same_number", "torn_frame", "lock_order"]
REPAIRED = sorted(set(races.DEMOS) - set(LOSING))


@pytest.fixture(autouse=True)
def explorer() -> None:
    exploring.required()


@pytest.mark.parametrize("name", LOSING)
def test_the_explorer_finds_the_losing_schedule(name: str) -> None:
    assert not races.DEMOS[name].explore().holds


@pytest.mark.parametrize("name", REPAIRED)
def test_the_repaired_version_holds_in_every_schedule_there_is(name: str) -> None:
    result = races.DEMOS[name].explore()
    assert (result.outcome, result.complete, result.sampled) == ("holds", True, 20)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["lost_update", "torn_frame", "lock_order"])
def test_it_finds_the_same_schedule_every_time_within_5_seconds_each(name: str) -> None:
    texts = set()
    for _ in range(20 if FULL else 5):
        begin = processor_time_of_children()
        texts.add(races.DEMOS[name].explore().to_text())
        assert processor_time_of_children() - begin < 5, "seconds that no other program can take"
    assert len(texts) == 1


def processor_time_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


@pytest.mark.parametrize("name", sorted(races.DEMOS))
def test_what_was_recorded_is_what_comes_out_now(name: str) -> None:
    fresh, recorded = races.DEMOS[name].explore().to_json(), traces.load(name).to_json()
    assert fresh | {"recorded": ""} == recorded | {"recorded": ""}


def test_the_lost_update_is_told_step_by_step() -> None:
    result = races.DEMOS["lost_update"].explore()
    told = [(step.thread, step.line, step.action, step.note) for step in result.steps]
    assert told == [
        ("A", "self.value += 1", "reads value: 0", ""),
        ("B", "self.value += 1", "reads value: 0", ""),
        ("B", "self.value += 1", "writes value: 1", ""),
        ("A", "self.value += 1", "writes value: 1", "acts on what it read in step 1"),
    ]
    assert result.verdict == "Lost: c.value == 2 is not true, value is 1"


def test_the_torn_frame_is_told_with_the_bytes_that_were_sent() -> None:
    result = races.DEMOS["torn_frame"].explore()
    assert [step.value for step in result.steps] == [
        "b'ann: '",
        "b'bob: '",
        "b'bye\\n'",
        "b'hello\\n'",
    ]
    assert result.final == "received ['ann: bob: bye', 'hello']"


def test_the_deadlock_says_who_waits_for_what_and_who_has_it() -> None:
    result = races.DEMOS["lock_order"].explore()
    assert result.final == "A waits for garden, which B has; B waits for lobby, which A has"
    assert [step.note for step in result.steps] == ["", "", "taken in step 1", "taken in step 2"]


def test_a_check_and_an_act_on_a_dict_are_explored_in_either_order() -> None:
    result = races.explore(Shared, [Shared.admit] * 2, lambda s: s.admitted == ["bob"], samples=0)
    assert result.outcome == "broken"
    assert [step.note for step in result.steps if step.note] == ["acts on what it read in step 1"]


def test_a_method_that_is_only_handed_on_has_changed_nothing() -> None:
    result = races.explore(Shared, [Shared.hand_on] * 2, is_two)
    assert {(step.does, step.target) for step in result.steps} >= {("writes", "value")}
    assert "changes" not in {step.does for step in result.steps}


def test_a_schedule_in_which_a_thread_raises_loses() -> None:
    result = races.explore(Shared, [Shared.look_through, Shared.remove], lambda s: True)
    assert (
        result.verdict == "Raised: A raises RuntimeError: dictionary changed size during iteration"
    )


def test_a_collector_that_comes_meanwhile_holds_nothing_up() -> None:
    result = races.explore(Littered, [Littered.add_locked] * 2, is_two, timeout=20)
    assert result.outcome == "holds"


def test_a_thread_that_raises_while_another_is_half_done_has_met_a_race() -> None:
    result = races.explore(Shared, [Shared.swap, Shared.look_up], lambda s: s.numbers[2] == "z")
    assert result.verdict == "Raised: B raises KeyError: 2"
    assert [step.thread for step in result.steps][-2:] == ["A", "B"]


@pytest.mark.parametrize("threads", [("put_one", "put_two"), ("send_one", "send_two")])
def test_the_order_in_a_queue_and_on_a_socket_is_explored(threads: tuple[str, str]) -> None:
    result = races.explore(
        Shared,
        [getattr(Shared, name) for name in threads],
        lambda s: s.queue.get() == 1 if s.queue.qsize() else s.theirs.recv(2) == b"12",
        samples=0,
    )
    assert (result.outcome, result.explored) == ("broken", 2)


@pytest.mark.parametrize(
    ("thread", "final"),
    [
        ("add_nested", "A waits for lock, which A has"),
        ("wait", "A waits for event, and nobody is left to help"),
        ("get", "A waits for queue, and nobody is left to help"),
    ],
)
def test_a_thread_that_waits_for_ever_is_a_deadlock(thread: str, final: str) -> None:
    result = races.explore(Shared, [getattr(Shared, thread), Shared.add], is_two)
    assert (result.outcome, result.final) == ("deadlock", final)


def test_variables_of_the_module_may_be_what_the_threads_share() -> None:
    result = races.explore(
        racing.begin_count, [racing.count_up, racing.count_up], lambda _: racing.COUNT == 2
    )
    assert [step.action for step in result.steps] == [
        "reads COUNT: 0",
        "reads COUNT: 0",
        "writes COUNT: 1",
        "writes COUNT: 1",
    ]
    assert racing.COUNT == 0, "the child works on copies"


def test_random_schedules_find_what_the_systematic_search_cannot_see() -> None:
    threads = [racing.join_once, racing.join_once]
    systematic = races.explore(
        racing.forget_names, threads, lambda _: racing.NAMES["joined"] == 1, samples=0
    )
    assert systematic.holds, "if this fails, frontrun sees more than it did: simplify"
    result = races.explore(racing.forget_names, threads, lambda _: racing.NAMES["joined"] == 1)
    assert (result.outcome, result.sampled > 0) == ("broken", True)
    assert "up to this one" in result.explored_means
    assert result.steps[0].line == 'if "bob" not in NAMES:'


def test_it_says_when_schedules_were_left() -> None:
    result = races.explore(Shared, [Shared.add_locked] * 3, lambda s: True, schedules=4, samples=2)
    assert (result.explored, result.complete, result.sampled) == (4, False, 2)
    assert "the first 4 schedules, and more were left" in result.verdict


def test_of_a_long_schedule_what_goes_wrong_is_shown() -> None:
    result = races.explore(Shared, [Shared.add_many] * 2, lambda s: s.value == 60)
    shown = result.shown()
    assert len(result.steps) > 100 > 30 > len(shown)
    assert sum(step if isinstance(step, int) else 1 for step in shown) == len(result.steps)
    assert "acts on what it read in step" in result.to_text()


def test_what_the_threads_print_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    assert races.explore(Shared, [Shared.shout, Shared.add], is_two).outcome == "broken"
    assert capfd.readouterr() == ("", "")


def test_this_process_is_left_as_it_was() -> None:
    before = threading.Lock, queue.Queue.get, socket.socket.send, sys.getswitchinterval()
    races.DEMOS["torn_frame"].explore()
    assert before == (threading.Lock, queue.Queue.get, socket.socket.send, sys.getswitchinterval())
    assert psutil.Process().children(recursive=True) == []


def test_code_that_was_typed_in_travels_with_its_text() -> None:
    source = (
        "class Typed:\n"
        "    def __init__(self): self.value = 0\n"
        "    def add(self):\n"
        "        self.value += step\n"
        "step = 1\n"
    )
    import linecache

    linecache.cache["<typed in>"] = (len(source), None, source.splitlines(True), "<typed in>")
    typed: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "<typed in>", "exec"), typed)
    result = races.explore(typed["Typed"], [typed["Typed"].add] * 2, lambda t: t.value == 2)
    assert {step.line for step in result.steps} == {"self.value += step"}
    assert result.invariant == "t.value == 2"


@pytest.mark.notebook
def test_a_learner_explores_the_class_of_a_cell() -> None:
    import nbclient
    import nbformat.v4 as v4

    cells = [
        "from sockkit.lab import races\nimport threading",
        "class Counter:\n    def __init__(self):\n        self.value = 0\n"
        "    def add(self):\n        self.value += 1",
        "wanted = 2",
        "races.explore(Counter, [Counter.add, Counter.add], lambda c: c.value == wanted)",
    ]
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    root = str(Path(races.__file__).parents[3])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute(
        env=os.environ | {"PYTHONPATH": path}
    )
    [shown] = notebook.cells[-1].outputs
    assert "Lost: c.value == wanted is not true, value is 1" in shown.data["text/plain"]
    assert "acts on what it read in step 1" in shown.data["text/html"]


def test_the_traces_in_the_package_are_those_of_the_demonstrations() -> None:
    assert traces.names() == sorted(races.DEMOS)
    assert json.loads(traces.FILE.read_text(encoding="utf-8"))
