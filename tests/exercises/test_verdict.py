"""What learners read: as text and as HTML, whatever came through the network."""

import builtins
import importlib
from typing import Any

import pytest

from sockkit.exercises.printed import Printed
from sockkit.exercises.verdict import Note, Source, Status, Summary, Verdict

HOSTILE = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a & b", "`<b>`"]

VERDICT = Verdict(
    Status.NOT_YET,
    "I sent 70 bytes and got `64` of them back.",
    "Truncated.",
    "What tells you that you fell off it?",
    [("The wire", ["→ 70 bytes", "← 64 bytes"]), ("Also", ["a socket"])],
)


def test_a_verdict_reads_like_the_sample() -> None:
    assert repr(VERDICT) == (
        "Not yet. I sent 70 bytes and got `64` of them back.\n"
        "Expected: Truncated. What tells you that you fell off it?\n"
        "\n"
        "The wire:\n"
        "    → 70 bytes\n"
        "    ← 64 bytes\n"
        "\n"
        "Also:\n"
        "    a socket"
    )


def test_on_a_page_words_between_backticks_are_code_and_lines_stay_lines() -> None:
    page = VERDICT._repr_html_()
    assert "<strong>Not yet.</strong> I sent 70 bytes and got <code>64</code> of them back." in page
    assert ">→ 70 bytes\n← 64 bytes</pre>" in page


def test_a_short_verdict_is_one_line() -> None:
    solved = Verdict(Status.SOLVED, "It all came back.")
    assert repr(solved) == "Solved. It all came back."
    assert "<div></div>" not in solved._repr_html_()
    assert solved
    assert not VERDICT
    assert not Verdict(Status.NOT_ATTEMPTED)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup(text: str) -> None:
    shown = [
        Verdict(Status.NOT_YET, text, text, text, [(text, [text])]),
        Note(text, text),
        Summary(text, [(text, text, Status.SOLVED)]),
        Source(text),
    ]
    for thing in shown:
        page = thing._repr_html_()
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<b>" not in page
        assert "a & b" not in page


def test_source_is_shown_without_ipython_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "highlight" in Source("x = 1")._repr_html_()
    real = builtins.__import__

    def no_ipython(name: str, *args: Any) -> Any:
        if name.startswith("IPython"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", no_ipython)
    assert Source("x < 1")._repr_html_().endswith(">x &lt; 1</pre>")


def test_importing_the_exercises_imports_no_ipython() -> None:
    module = importlib.import_module("sockkit.exercises.verdict")
    assert "IPython" not in vars(module)


def test_the_summary_counts_what_is_solved() -> None:
    rows = [("echo", "Send it back.", Status.SOLVED), ("close", "Close it.", Status.NOT_ATTEMPTED)]
    summary = Summary("01", rows)
    assert repr(summary) == (
        "Lesson 01: 1 of 2 exercises solved\necho   Solved\nclose  Not attempted yet"
    )
    assert "<td" in summary._repr_html_()


def test_what_is_printed_is_counted_and_its_beginning_kept() -> None:
    printed = Printed()
    print("one\x1b[31m", file=printed)
    assert printed.lines() == ["one·[31m"]
    for _ in range(1000):
        print("x" * 10_000, file=printed)
    lines = printed.lines()
    assert len(lines) < 10
    assert lines[-1] == f"… {printed.count:,} characters in all"
    assert sum(map(len, lines)) < 3_000
