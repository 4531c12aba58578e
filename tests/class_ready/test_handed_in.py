"""`python -m tools.handed_in`: what the notebooks of a class say of their exercises."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from sockkit.exercises.verdict import Status, Summary
from tools import handed_in
from tools.answers import ANSWERS
from tools.notebooks import ROOT, lessons, write

from ..core.program import Program
from ..notebooks.runs import notebook
from ..waiting import until


def shows(*results: Any) -> Any:
    """A notebook whose cells have shown these."""
    outputs = [new_output("execute_result", {"text/plain": repr(each)}) for each in results]
    return new_notebook(cells=[new_code_cell("ex.summary()", outputs=outputs)])


def summary(**status: Status) -> Summary:
    return Summary("05", [(name, f"Do {name}.", how) for name, how in status.items()])


@pytest.mark.parametrize("key", lessons(ANSWERS), ids=lambda path: path.stem)
def test_an_answer_key_says_that_all_of_it_is_solved(key: Path) -> None:
    line = handed_in.said(key)
    number, solved, of = key.stem[:2], *line.split()[2:5:2]
    assert line == f"Lesson {number}: {solved} of {solved} exercises solved"
    assert of == solved


def test_what_is_not_solved_is_named(tmp_path: Path) -> None:
    left = summary(one=Status.SOLVED, second=Status.NOT_YET, third=Status.NOT_ATTEMPTED)
    write(shows(left), tmp_path / "a.ipynb")
    assert handed_in.said(tmp_path / "a.ipynb") == (
        "Lesson 05: 1 of 3 exercises solved; second (not yet); third (not attempted yet)"
    )


def test_the_newest_summary_counts(tmp_path: Path) -> None:
    write(shows(summary(one=Status.NOT_YET), summary(one=Status.SOLVED)), tmp_path / "a.ipynb")
    assert handed_in.said(tmp_path / "a.ipynb") == "Lesson 05: 1 of 1 exercises solved"


@pytest.mark.parametrize("text", ["", "[]", '{"cells": 5}', "PK\x03\x04", "\udcff"])
def test_what_is_no_notebook_is_told_and_the_others_are_read(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.ipynb").write_bytes(text.encode(errors="surrogateescape"))
    write(shows(summary(one=Status.SOLVED)), tmp_path / "b.ipynb")
    assert handed_in.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"a.ipynb: {handed_in.NO_NOTEBOOK}",
        "b.ipynb: Lesson 05: 1 of 1 exercises solved",
    ]


def test_a_cell_that_another_program_saved_without_its_id_is_no_matter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = json.loads(nbformat.writes(shows(summary(one=Status.SOLVED))))
    del book["cells"][0]["id"]
    (tmp_path / "a.ipynb").write_text(json.dumps(book))
    assert handed_in.main([str(tmp_path)]) == 0
    assert capsys.readouterr() == ("a.ipynb: Lesson 05: 1 of 1 exercises solved\n", "")


def test_folders_below_are_looked_through_and_copies_of_jupyter_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("ada", "bob/.ipynb_checkpoints"):
        (tmp_path / place).mkdir(parents=True)
        shutil.copy(lessons()[0], tmp_path / place)
    assert handed_in.main([str(tmp_path)]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line == f"{Path('ada') / lessons()[0].name}: {handed_in.NO_SUMMARY}"


@pytest.mark.skipif(sys.platform == "win32", reason="no such name of a file can be there")
def test_codes_for_a_terminal_do_not_reach_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(shows(summary(one=Status.SOLVED)), tmp_path / "a\x1b[31m.ipynb")
    assert handed_in.main([str(tmp_path)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_folder_without_notebooks_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        handed_in.main([str(tmp_path)])
    assert f"there is no notebook in {tmp_path}" in capsys.readouterr().err


HONEST = "import sockkit.exercises.nb00 as ex", "ex.summary()"


def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the command says of each when they are run again; the files stay as they were."""
    before = {path: path.read_bytes() for path in handed_in.notebooks(folder)}
    assert handed_in.main(["--run", str(folder)]) == 0
    assert {path: path.read_bytes() for path in before} == before
    return capsys.readouterr().out.splitlines()


@pytest.mark.notebook
def test_what_was_typed_into_a_file_does_not_count_when_it_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = shows(summary(one=Status.SOLVED)).cells[0]
    book = notebook(*HONEST)
    book.cells[1].outputs = typed.outputs
    write(book, tmp_path / "a.ipynb")
    book = notebook("", "ex.summary()")
    book.cells[0].outputs = typed.outputs
    book.cells[1].outputs = typed.outputs
    book.cells[1].metadata.tags = ["skip-execution"]
    write(book, tmp_path / "b.ipynb")
    a, b = told(tmp_path, capsys)
    assert a.startswith("a.ipynb: Lesson 00: 0 of 3 exercises solved; environment (not attempted")
    assert b == f"b.ipynb: {handed_in.NO_SUMMARY_NOW}"


@pytest.mark.notebook
def test_one_that_can_not_be_run_to_its_end_does_not_keep_the_others_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handed_in, "CELL_SECONDS", 2)
    (tmp_path / "a.ipynb").write_text("lost")
    write(notebook("import time\ntime.sleep(60)", *HONEST), tmp_path / "b.ipynb")
    write(notebook("import os\nos._exit(1)", *HONEST), tmp_path / "c.ipynb")
    elsewhere = notebook("1 / 0", *HONEST)
    elsewhere.metadata.kernelspec.name = "of-a-learner"
    (tmp_path / "down").mkdir()
    write(elsewhere, tmp_path / "down" / "d.ipynb")
    a, b, c, d = told(tmp_path, capsys)
    assert a == f"a.ipynb: {handed_in.NO_NOTEBOOK}"
    assert b == "b.ipynb: not run to its end: a cell took more than 2 s"
    assert c == "c.ipynb: not run to its end: Kernel died"
    assert d.startswith(f"{Path('down') / 'd.ipynb'}: Lesson 00: 0 of 3 exercises solved")


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe without a reader is another error")
def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    write(notebook("1"), tmp_path / "a.ipynb")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tools.handed_in", str(tmp_path)]
    with open(writer, "wb") as nowhere:
        done = subprocess.run(command, cwd=ROOT, stdout=nowhere, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.notebook
@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl-C for a child without a console")
def test_control_c_ends_the_command_and_the_kernel(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    cell = f"import os, time; open({str(begun)!r}, 'w').write(str(os.getpid())); time.sleep(50)"
    for name in ("a.ipynb", "b.ipynb"):
        write(notebook(cell), tmp_path / name)
    with Program(sys.executable, "-m", "tools.handed_in", "--run", str(tmp_path)) as program:
        kernel = int(until(lambda: begun.exists() and begun.read_text()))
        program.interrupt()
        assert program.end() == 130
    assert (program.out, program.err) == ([], [])
    until(lambda: not psutil.pid_exists(kernel))
