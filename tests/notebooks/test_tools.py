"""The tools of the authors: text to notebook and back, stubs found and solved, the answer key."""

from pathlib import Path
from typing import Any

import pytest
from nbclient.exceptions import CellExecutionError

from sockkit.exercises import nb01
from tools import answers
from tools.notebooks import cleaned, from_text, lessons, read, to_text, write
from tools.stubs import NoStub, find_stubs, solved

from .runs import executed, notebook, run

TEXT = """\
# %% [markdown]
# # A title
#
# - a list with `code`

# %% tags=["raises-exception"]
await nothing  # a comment

# %%
%matplotlib inline
"""

LESSON = (
    "from sockkit.exercises import nb01 as ex\n\nimport time",
    "print('before')\n\ndef mine(connection):\n    '''Your turn.'''\n    ...\n\nprint('after')",
    "ex.echo.check(mine)",
    "which = {\n    'accept': ..., 'recv': ...,\n    'sendall': ..., 'getpeername': ...,\n}\n"
    "ex.which_socket.check(which)  # in one cell",
)


def test_text_becomes_a_notebook_and_the_same_text_again() -> None:
    made = from_text(TEXT)
    assert [cell.cell_type for cell in made.cells] == ["markdown", "code", "code"]
    assert made.cells[0].source == "# A title\n\n- a list with `code`"
    assert made.cells[1].metadata.tags == ["raises-exception"]
    assert to_text(made) == TEXT


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_each_lesson_survives_the_way_through_text(path: Path) -> None:
    stored = read(path)
    ids = {cell.source: cell.id for cell in stored.cells}
    assert from_text(to_text(stored), ids).cells == stored.cells


def test_the_same_notebook_is_stored_as_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.ipynb", "b.ipynb"):
        write(from_text(TEXT), tmp_path / name)
    assert (tmp_path / "a.ipynb").read_bytes() == (tmp_path / "b.ipynb").read_bytes()


def test_cells_keep_their_ids_and_equal_cells_have_different_ones() -> None:
    twice = from_text("# %%\nx\n\n# %%\nx\n")
    assert len({cell.id for cell in twice.cells}) == 2
    again = from_text("# %%\nnew\n\n# %%\nx\n", {"x": "kept"})
    assert again.cells[1].id == "kept"


def test_text_before_the_first_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="before the first cell"):
        from_text("lost\n# %%\n")


@pytest.mark.notebook
def test_cleaning_takes_outputs_counts_and_the_machine_away(tmp_path: Path) -> None:
    made = executed(notebook("print(1)"), tmp_path)
    assert made.cells[0].outputs
    made.cells[0].metadata["execution"] = {"started": "now"}
    made.metadata["widgets"] = {}
    assert cleaned(made) == from_text("# %%\nprint(1)\n", {"print(1)": made.cells[0].id})


def test_a_stub_is_found_by_its_check_in_the_same_cell_or_before() -> None:
    stubs = find_stubs(notebook(*LESSON))
    assert [(stub.exercise, stub.answer, stub.stub_cell) for stub in stubs] == [
        (nb01.echo, "mine", 1),
        (nb01.which_socket, "which", 3),
    ]
    assert [stub.check_cell for stub in stubs] == [2, 3]


def test_the_solution_takes_the_place_of_the_stub_and_of_nothing_else() -> None:
    cells = [cell.source for cell in solved(notebook(*LESSON)).cells]
    assert cells[0] == LESSON[0]
    assert cells[1].startswith("print('before')\n\ndef mine(connection):\n    while data :=")
    assert cells[1].endswith("connection.sendall(data)\n\nprint('after')")
    assert cells[3].startswith('which = {\n    "accept": "listener",')
    assert cells[3].endswith("\n}\nex.which_socket.check(which)  # in one cell")


def test_two_exercises_may_share_a_cell() -> None:
    both = "\n".join([LESSON[1], LESSON[2], LESSON[3]])
    cells = [cell.source for cell in solved(notebook(LESSON[0], both)).cells]
    assert "while data" in cells[1]
    assert '"accept": "listener"' in cells[1]


def test_a_check_of_something_that_nobody_defined_is_an_error() -> None:
    with pytest.raises(NoStub, match="'theirs'"):
        find_stubs(notebook(LESSON[0], "ex.echo.check(theirs)"))


def test_magics_shell_commands_and_await_do_not_hide_a_stub() -> None:
    cells = ["%time x = 1", "!echo hello", "await thing()", *LESSON]
    assert len(find_stubs(notebook(*cells))) == 2


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "01_small.ipynb"
    write(notebook(*LESSON, "ex.summary()"), path)
    monkeypatch.setattr(answers, "ANSWERS", tmp_path / "answers")
    monkeypatch.setattr(answers, "lessons", lambda: [path])
    return path


@pytest.mark.notebook
def test_the_answer_key_is_written_then_checked_and_its_drift_is_told(
    lesson: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answers.main(["--check"]) == 1
    assert answers.main([]) == 0
    target = lesson.parent / "answers" / lesson.name
    stored = target.read_bytes()
    assert answers.main(["--check", "01"]) == 0
    assert answers.main([]) == 0
    assert target.read_bytes() == stored

    key = read(target)
    assert "2 of 3 exercises solved" in answers.shown(key.cells[-1])
    key.cells[1].outputs[0].text = "something else\n"
    write(key, target)
    capsys.readouterr()
    assert answers.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "-something else" in said
    assert "+before" in said
    assert target.read_bytes() != stored


@pytest.mark.notebook
def test_a_marked_output_is_kept_without_paths_and_not_compared(lesson: Path) -> None:
    changing = "# NBVAL_IGNORE_OUTPUT\nimport os, sys\nprint(os.getpid(), sys.prefix, asyncio)"
    write(notebook("import asyncio", changing), lesson)
    assert answers.main([]) == 0
    text = answers.shown(read(lesson.parent / "answers" / lesson.name).cells[1])
    assert "…" in text
    assert str(Path.home()) not in text
    assert answers.main(["--check"]) == 0


@pytest.mark.notebook
def test_widget_ids_are_no_part_of_an_answer_key(lesson: Path) -> None:
    write(notebook("import ipywidgets\nipywidgets.IntSlider()"), lesson)
    key: Any = answers.answer_key(lesson)
    assert set(key.cells[0].outputs[0].data) == {"text/plain"}
    assert "widgets" not in key.metadata


def test_links_of_a_key_lead_to_the_same_files_one_folder_further_down(tmp_path: Path) -> None:
    link, contents = "[source](../sockkit/serving.py)", "[Contents](../README.md)"
    made = from_text(f"# %% [markdown]\n# {link} {contents} [Next](01_echo.ipynb)\n")
    write(made, tmp_path / "00_small.ipynb")
    (cell,) = answers.solved_lesson(tmp_path / "00_small.ipynb").cells
    assert cell.source == f"[source](../../sockkit/serving.py) {contents} [Next](01_echo.ipynb)"


@pytest.mark.notebook
def test_a_model_solution_that_fails_in_its_notebook_stops_the_key(lesson: Path) -> None:
    write(notebook("from sockkit.exercises import nb00 as ex", "here = ...", CHECK), lesson)
    with pytest.raises(CellExecutionError, match="platform"):
        answers.answer_key(lesson)
    write(notebook(IMPORTS, "here = ...", CHECK), lesson)
    assert answers.answer_key(lesson)


CHECK = "ex.environment.check(here)"
IMPORTS = "import platform, sockkit\nfrom sockkit.exercises import nb00 as ex"


def test_a_notebook_is_made_from_text_and_shown_as_text_by_command(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(TEXT, encoding="utf-8")
    made = run(["-m", "tools.notebooks", "small.py", "small.ipynb"], tmp_path)
    assert made.returncode == 0, made.stderr
    assert run(["-m", "tools.notebooks", "small.ipynb"], tmp_path).stdout == TEXT


def test_the_text_of_a_notebook_is_written_in_utf_8_whatever_the_terminal_has(
    tmp_path: Path,
) -> None:
    snake = "# %%\nprint('\N{SNAKE}')\n"
    write(from_text(snake), tmp_path / "small.ipynb")
    made = run(["-m", "tools.notebooks", "small.ipynb", "small.py"], tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "small.py").read_text(encoding="utf-8") == snake
    old = {"PYTHONIOENCODING": "cp1252"}
    assert run(["-m", "tools.notebooks", "small.ipynb"], tmp_path, **old).stdout == snake


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["none.ipynb"], "No such file"),
        (["broken.ipynb"], "not appear to be JSON"),
        (["lost.py", "made.ipynb"], "text before the first cell: 'lost'"),
        (["lost.py", "broken.ipynb"], "not appear to be JSON"),
        (["lost.py"], "one of the two is a notebook"),
        (["broken.ipynb", "made.ipynb"], "one of the two is a notebook"),
        ([], "name a notebook"),
    ],
)
def test_what_can_be_no_notebook_is_told_in_a_line(
    names: list[str], words: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.ipynb").write_text("lost")
    (tmp_path / "lost.py").write_text("lost")
    told = run(["-m", "tools.notebooks", *names], tmp_path)
    assert told.returncode == 2
    assert words in told.stderr.splitlines()[-1]
    assert "Traceback" not in told.stderr


def test_a_lesson_that_is_none_is_told(lesson: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        answers.main(["01", "5"])
    assert "there is no lesson 5: name one by its two digits" in capsys.readouterr().err
