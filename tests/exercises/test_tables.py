"""Every answer that somebody has thought of gets the verdict that it deserves."""

import asyncio
import importlib
import pkgutil
import re
import threading
import time

import pytest

import sockkit.exercises
from sockkit.exercises.leftovers import Before
from sockkit.exercises.lesson import Exercise
from sockkit.exercises.verdict import Status

from .table import Case, Table, all_tables

TABLES = all_tables()
CASES = [case for table in TABLES for case in table.cases]
LESSONS = [
    importlib.import_module(f"sockkit.exercises.{module.name}")
    for module in pkgutil.iter_modules(sockkit.exercises.__path__)
    if module.name.startswith("nb")
]
EXERCISES = [exercise for module in LESSONS for exercise in module.lesson.exercises]


def table_of(exercise: Exercise) -> Table:
    tables = [table for table in TABLES if table.exercise is exercise]
    assert len(tables) == 1, f"{exercise.name} has {len(tables)} tables"
    return tables[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_answer_gets_its_verdict(case: Case) -> None:
    before = Before()
    start = time.monotonic()
    verdict = case.exercise.check(case.answer)
    assert time.monotonic() - start < 5
    assert verdict.status is case.status, verdict
    assert re.search(case.pattern, repr(verdict), re.DOTALL), verdict
    assert verdict._repr_html_().count("<pre") == len(verdict.details)
    assert before.new_sockets() == []
    assert before.new_threads() == []
    assert before.made().loops() == []


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_each_exercise_has_a_full_table(exercise: Exercise) -> None:
    table = table_of(exercise)
    assert table.count(Status.NOT_ATTEMPTED) >= 1
    assert table.count(Status.SOLVED) >= 2
    assert table.count(Status.NOT_YET) >= 3
    assert all(case.pattern for case in table.cases if case.status is Status.NOT_YET)
    assert exercise.hints
    assert "*" not in exercise.goal  # a page shows words between backticks as code, and no more


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_model_solution_is_right_and_says_the_same_each_time(exercise: Exercise) -> None:
    model = table_of(exercise).model()
    first, second = exercise.check(model), exercise.check(model)
    assert first, first
    assert repr(first) == repr(second)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_model_solution_is_right_inside_a_running_event_loop(exercise: Exercise) -> None:
    async def cell() -> None:
        verdict = exercise.check(table_of(exercise).model())
        assert verdict, verdict
        await asyncio.sleep(0)  # the loop still works

    asyncio.run(cell(), debug=False)  # its one long step is what a check is


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_model_solution_is_right_off_the_main_thread(exercise: Exercise) -> None:
    verdicts = []
    model = table_of(exercise).model()
    thread = threading.Thread(target=lambda: verdicts.append(exercise.check(model)))
    thread.start()
    thread.join(10)
    assert verdicts[0], verdicts[0]
