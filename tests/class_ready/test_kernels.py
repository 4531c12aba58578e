"""The table of kernels: complete, as the command makes it, and what the doctor says of them."""

import json
import signal
import sys
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path

import pytest

from sockkit.cli.finding import Mark
from sockkit.cli.versions import judge
from tools import kernels
from tools.kernel_environment import NoSuchPython, find_python
from tools.kernel_table import NOT_RUN, PAPER, PARTS, Outcome, Row, rows, with_result

from ..notebooks.runs import notebook

ROWS = {row.place: row for row in rows(PAPER.read_text(encoding="utf-8"))}
EMPTY = "Before.\n\n<!-- made: kernels -->\n<!-- end -->\n\nAfter.\n"
OLD = Row("6.31.0", "3.12.1")


def place(ipykernel: str, python: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return Row(ipykernel, python).place


@pytest.mark.parametrize("ipykernel", kernels.IPYKERNELS)
@pytest.mark.parametrize("python", kernels.PYTHONS)
def test_the_lessons_were_run_on(ipykernel: str, python: str) -> None:
    assert "lessons" in ROWS[place(ipykernel, python)].results


@pytest.mark.parametrize("ipykernel", kernels.IPYKERNELS)
@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_the_panels_were_clicked_on(ipykernel: str, app: str) -> None:
    assert app in ROWS[place(ipykernel, "3.11")].results


def test_the_doctor_finds_nothing_bad_in_a_kernel_on_which_everything_passed() -> None:
    passed = [row for row in ROWS.values() if not any(row.failures.values())]
    assert passed
    for row in passed:
        marks = [finding.mark for finding in judge({"ipykernel": row.ipykernel})]
        assert Mark.BAD not in marks, row


def test_a_result_takes_the_place_of_the_one_before() -> None:
    text = EMPTY
    failed = Outcome(9, 11, ("03_unlimited_clients: OSError: too many", "07_races: it hung"))
    text = with_result(text, Row("7.4.0", "3.11.7"), "lessons", Outcome(11, 11), "jupyterlab 4")
    text = with_result(text, OLD, "lessons", failed, "jupyterlab 4")
    text = with_result(text, OLD, "lab", Outcome(10, 10), "jupyterlab 4")
    old, new = rows(text)
    assert old.results["lessons"].startswith("9 of 11, ")
    assert old.results["lab"].startswith("10 of 10, ")
    assert old.failures["lessons"] == failed.failures
    assert list(new.results) == ["lessons"]
    assert "lessons: 07_races: it hung" in text

    patched = Row("6.31.2", "3.12.4")  # the same kernel, as far as anybody cares
    text = with_result(text, patched, "lessons", Outcome(11, 11), "jupyterlab 5")
    old, _ = rows(text)
    assert (old.ipykernel, old.python) == ("6.31.2", "3.12.4")
    assert list(old.results) == ["lessons", "lab"]
    assert "Nothing failed." in text
    assert "it hung" not in text
    assert text.startswith("Before.\n")
    assert text.endswith("After.\n")


def test_what_was_not_run_is_said_to_be_so() -> None:
    text = with_result(EMPTY, OLD, "solved", Outcome(11, 11), "")
    (line,) = [line for line in text.splitlines() if "6.31.0" in line]
    assert line.count(NOT_RUN) == len(PARTS) - 1


def test_a_paper_without_a_place_for_the_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for the table"):
        with_result("Nothing made here.", OLD, "lessons", Outcome(1, 1), "")


def test_each_failing_browser_test_is_told_by_name() -> None:
    report = xml.fromstring("""
        <testsuites><testsuite>
          <testcase name="test_good"/>
          <testcase name="test_bad"><failure message="first line&#10;second">…</failure></testcase>
          <testcase name="test_odd"><error message="no browser">…</error></testcase>
        </testsuite></testsuites>""")
    outcome = kernels.of_report(report)
    assert str(outcome) == "1 of 3"
    assert outcome.failures == ("test_bad: first line", "test_odd: no browser")


def test_a_python_that_is_not_here_is_said_to_be_so() -> None:
    assert Path(find_python("{}.{}".format(*sys.version_info))).exists()
    with pytest.raises(NoSuchPython, match=r"no Python 2\.99"):
        find_python("2.99")


@pytest.mark.notebook
def test_a_kernel_says_what_it_is_and_which_lesson_failed_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = kernels.Kernel(Path(sys.executable), tmp_path)
    assert kernel.versions()["Python"] == "{}.{}.{}".format(*sys.version_info)
    monkeypatch.setattr(kernels, "lessons", lambda: [Path("01_good.ipynb"), Path("02_bad.ipynb")])
    cells = {"01_good.ipynb": "1 + 1", "02_bad.ipynb": "raise ValueError('as it should\\nnot')"}
    outcome = kernel.try_all(lambda path: kernel.execute(notebook(cells[path.name])))
    assert outcome == Outcome(1, 2, ("02_bad: ValueError: as it should",))


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    """nbclient handles Ctrl-C while it runs a notebook, and for ever after one that never lived."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, before)


@pytest.mark.notebook
@pytest.mark.usefixtures("signals_as_before")
def test_a_kernel_that_never_lives_is_told_after_a_few_starts(tmp_path: Path) -> None:
    kernel = kernels.Kernel(Path(sys.executable), tmp_path)
    starts = tmp_path / "starts"
    code = f"open({str(starts)!r}, 'a').write('.')"
    spec = {"argv": [sys.executable, "-c", code], "display_name": "", "language": "python"}
    (tmp_path / "tried" / "kernel.json").write_text(json.dumps(spec))
    with pytest.raises(RuntimeError, match="died before replying"):
        kernel.versions()
    assert len(starts.read_text()) == kernels.STARTS
