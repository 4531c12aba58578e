"""Both editions of each lesson: they run, say what they show, fit together, leave nothing."""

import re
import sys
from pathlib import Path

import pytest

from tools.answers import ANSWERS, is_ignored, shown, solved_lesson
from tools.guard import guarded
from tools.notebooks import cleaned, lessons, read
from tools.stubs import find_stubs

from .runs import in_turn, nbval

LESSONS = lessons()

# What an output must not hold, unless its cell is marked: it would be another one next time.
OF_THE_MOMENT = {
    "a port": r"127\.0\.0\.1['\"]?[:,]\s*\d+|\bport \d{4,5}\b",
    "a time": r"\b\d{1,2}:\d\d:\d\d\b|\b\d{4}-\d\d-\d\d\b|\b\d+\.\d\d+ ?(s|ms|µs|ns|seconds)\b",
    "an id": r"\b0x[0-9a-f]{6,}|\b[0-9a-f]{8}-[0-9a-f]{4}-|\bfd=\d+|\bpid[ =]\d+",
    "a path": r"/(home|root|tmp|Users|usr|opt|var)/|site-packages|ipykernel_\d|\b[A-Z]:\\",
    "a thread number": r"\b(Thread|Task|ThreadPoolExecutor|asyncio)[-_]\d+|\bident=\d+",
}


def each_lesson(function):
    return pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)(function)


def found_in(text: str) -> list[str]:
    return [
        f"{what}: {match.group()}"
        for what, pattern in OF_THE_MOMENT.items()
        if (match := re.search(pattern, text))
    ]


@each_lesson
def test_the_learners_edition_is_stored_as_it_was_written(path: Path) -> None:
    stored = read(path)
    assert stored == cleaned(read(path))


@pytest.mark.notebook
@pytest.mark.timeout(300)
@each_lesson
def test_a_lesson_and_then_its_key_run_in_one_kernel_and_each_leaves_nothing(
    path: Path, tmp_path: Path
) -> None:
    """As a learner works: all cells, then all of them again with the exercises solved."""
    learner, key = guarded(read(path)), guarded(read(ANSWERS / path.name))
    if sys.platform == "linux":
        nbval(in_turn(learner, key), tmp_path, "--nbval")
    else:  # the key shows errors in the words of Linux, so there is nothing to compare with
        nbval(in_turn(learner, learner), tmp_path, "--nbval-lax")


@each_lesson
def test_the_answer_key_is_the_lesson_solved(path: Path) -> None:
    key, expected = read(ANSWERS / path.name), solved_lesson(path)
    cells = [(cell.id, cell.cell_type, cell.source) for cell in key.cells]
    assert cells == [(cell.id, cell.cell_type, cell.source) for cell in expected.cells], (
        f"run: python -m tools.answers {path.name[:2]}"
    )


@each_lesson
def test_each_check_in_the_answer_key_says_solved(path: Path) -> None:
    key = read(ANSWERS / path.name)
    for stub in find_stubs(key):
        assert "Solved." in shown(key.cells[stub.check_cell]), stub.exercise.name


@each_lesson
def test_no_output_holds_anything_of_the_moment(path: Path) -> None:
    cells = [cell for cell in read(ANSWERS / path.name).cells if cell.cell_type == "code"]
    for cell in cells:
        if not is_ignored(cell):
            assert found_in(shown(cell)) == [], cell.source


@each_lesson
def test_marked_outputs_hold_no_path_of_the_machine_they_came_from(path: Path) -> None:
    cells = [cell for cell in read(ANSWERS / path.name).cells if cell.cell_type == "code"]
    for cell in cells:
        paths = [found for found in found_in(shown(cell)) if found.startswith("a path")]
        assert paths == [], cell.source


def test_there_is_no_answer_key_without_a_lesson() -> None:
    assert {path.name for path in ANSWERS.glob("*.ipynb")} <= {path.name for path in LESSONS}


@pytest.mark.parametrize(
    "text",
    [
        "('127.0.0.1', 43210)",
        "127.0.0.1:80",
        "listening on port 40123",
        "it took 0.123 s",
        "12:34:56",
        "<object at 0x7f3a2c11d0>",
        'File "/usr/lib/python3.11/asyncio/runners.py"',
        "Thread-12 (serve)",
        "<socket.socket fd=61>",
    ],
)
def test_the_search_finds_what_changes(text: str) -> None:
    assert len(found_in(text)) >= 1


@pytest.mark.parametrize("text", ["3 clients", "127.0.0.1", "waits 0.5 s", "b'\\x00\\x05hello'"])
def test_the_search_leaves_the_rest_alone(text: str) -> None:
    assert found_in(text) == []
