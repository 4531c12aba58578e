"""Each lesson has the shape of a lesson: short texts, short cells, exercises, and a way on."""

import re
from pathlib import Path
from typing import Any

import pytest

from sockkit.exercises.leftovers import Before
from tools.answers import ANSWERS
from tools.notebooks import LESSONS as FOLDER
from tools.notebooks import ROOT, from_text, lessons, read
from tools.shape import measured, shape, table, words
from tools.stubs import find_stubs

LESSONS = lessons()
CHANGING = r"127\.0\.0\.1(?:', |:)[1-9]\d+|\bpid=\d+| at 0x[0-9a-f]+|/tmp/\S+|/home/\S+|Thread-\d+"
COURSE = sorted(set(re.findall(r"notebooks/(\d\d_\w+\.ipynb)", (ROOT / "README.md").read_text())))


def each_lesson(function):
    return pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)(function)


def texts(path: Path) -> list[str]:
    return [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]


def test_the_figures_are_within_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    shapes = measured(LESSONS)
    with capsys.disabled():
        print("\n" + table(shapes))
    assert [sentence for each in shapes for sentence in each.out_of_bounds()] == []


@each_lesson
def test_the_first_cell_says_what_the_lesson_is_for(path: Path) -> None:
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith(f"# {path.name[:2]} · ")
    assert re.search(r"\d+ minutes", first.source)
    assert re.search(r"\byou need\b", first.source, re.IGNORECASE)
    assert "question" in first.source.lower()
    assert len(re.findall(r"^- ", first.source, re.MULTILINE)) >= 3  # objectives


@each_lesson
def test_the_last_cells_are_key_points_three_questions_and_where_to_read_on(path: Path) -> None:
    ending = texts(path)[-6:]
    assert ending[0].startswith("**Key points**")
    for number, text in enumerate(ending[1:4], 1):
        assert text.startswith(f"**Quiz {number}.**")
        assert re.search(r"<details><summary>.+</summary>.+</details>", text, re.DOTALL)
    assert ending[4].startswith("**Read on:**")
    assert "](http" in ending[4]


@each_lesson
def test_the_last_line_leads_to_the_neighbours_and_the_contents(path: Path) -> None:
    last = read(path).cells[-1].source
    place = COURSE.index(path.name)
    expected = {"../README.md"}
    expected |= set(COURSE[max(place - 1, 0) : place]) | set(COURSE[place + 1 : place + 2])
    assert set(re.findall(r"\]\(([^)]+)\)", last)) == expected


@each_lesson
def test_links_within_the_kit_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", "\n".join(texts(path))):
        if not re.match(r"https?:|mailto:|attachment:", target) and target not in COURSE:
            assert (FOLDER / target).exists(), target


@each_lesson
def test_each_exercise_of_the_lesson_is_asked_once(path: Path) -> None:
    stubs = find_stubs(read(path))
    asked = [stub.exercise.name for stub in stubs]
    module = stubs[0].exercise.model.__module__.rpartition(".")[2]
    assert module == f"nb{path.name[:2]}"
    assert len(asked) == len(set(asked))


@each_lesson
def test_learners_see_no_marks_but_those_of_outputs(path: Path) -> None:
    allowed = {"nbval-ignore-output", "nbval-skip", "raises-exception"}
    for cell in read(path).cells:
        assert set(cell.metadata) <= {"tags"}
        assert set(cell.metadata.get("tags", [])) <= allowed


@each_lesson
def test_what_is_stored_in_the_key_is_no_place_number_or_path_of_the_machine(path: Path) -> None:
    outputs = [
        output for cell in read(ANSWERS / path.name).cells for output in cell.get("outputs", [])
    ]
    texts = [text for output in outputs for text in output_texts(output)]
    assert re.findall(CHANGING, "\n".join(texts)) == []


def output_texts(output: Any) -> list[str]:
    """What an output says, printed or shown."""
    shown = output.get("data", {})
    return [output.get("text", ""), *(shown.get(f"text/{kind}", "") for kind in ("plain", "html"))]


def test_words_are_what_a_reader_sees() -> None:
    assert words("**Two** datagrams, [one receive](https://example.org/a-b) — `recv(5)`.") == 5
    assert words("- <b>bold</b>\n- ![a picture](x.png)") == 3


def test_figures_out_of_bounds_are_told() -> None:
    cells = ["# %% [markdown]\n# " + "word " * 61, "# %%\n" + "x = 1\n" * 26]
    wrong = shape("00_x", from_text("\n".join(cells))).out_of_bounds()
    assert len(wrong) == 6
    assert "00_x: 61 words in the longest text cell, not 1 to 60" in wrong


def test_measuring_runs_nothing() -> None:
    before = Before()
    measured(LESSONS)
    assert before.new_sockets() == []
    assert before.new_threads() == []
