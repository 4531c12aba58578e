"""Exercises in a real JupyterLab: what a learner reads, cells run twice, the stop button."""

from collections.abc import Callable

from playwright.sync_api import expect

from .notebook import Notebook

IMPORT = "import time\nfrom sockkit.exercises import nb01 as ex"
STUB = "def mine(connection):\n    ...\n\nex.echo.check(mine)"
WRONG = "def shout(connection):\n    connection.sendall(connection.recv(99).upper())\n\n"
HANGING = "def hanging(connection):\n    time.sleep(60)\n\nex.echo.check(hanging)"
BLOCKING = "async def blocking(connection):\n    time.sleep(60)\n\nex.echo.check(blocking)"
ASKING = "def asking(connection):\n    input('name? ')\n\nex.echo.check(asking)"
RIGHT = (
    "def right(connection):\n    while data := connection.recv(99):\n"
    "        connection.sendall(data)\n\nex.echo.check(right)"
)
CELLS = [IMPORT, STUB, WRONG + "ex.echo.check(shout)", HANGING, BLOCKING, ASKING, RIGHT]
CELLS += ["ex.echo.hint()", "ex.echo.solution()", "ex.summary()"]

VERDICTS = [
    "Replace each ... with your answer",
    "Not yet. I sent hello and got HELLO",
    "hanging was still running, in line 2: time.sleep(60)",
    "blocking held its event loop, in line 2: time.sleep(60)",
    "asking raised EOFError: nobody can type while a check runs",
    "Solved. Every byte came back",
    "Hint 1 of 3:",
    "connection.sendall(data)",
    "Lesson 01: 1 of 3 exercises solved",
]


def test_each_answer_is_met_and_the_cells_may_run_twice(
    open_notebook: Callable[..., Notebook],
) -> None:
    notebook = open_notebook(CELLS)
    for hint in ("Hint 1 of 3:", "Hint 2 of 3:"):
        notebook.run_all()
        assert notebook.errors() == []
        said = [hint if text.startswith("Hint") else text for text in VERDICTS]
        for text in said:
            expect(notebook.outputs().filter(has_text=text).first).to_be_visible()
    expect(notebook.page.locator(".jp-Stdin")).to_have_count(0)  # it would hold up every cell
    left = "[t.name for t in __import__('threading').enumerate() if t.name.startswith('answer')]"
    assert notebook.ask(left) == []


def test_the_stop_button_ends_a_check_and_the_kernel_goes_on(
    open_notebook: Callable[..., Notebook],
) -> None:
    display = "from IPython.display import display"
    slow = f"{IMPORT}\n{display}\ndef slow(connection):\n    display('begun')\n    time.sleep(60)"
    notebook = open_notebook([f"{slow}\n\nex.echo.check(slow)", RIGHT])
    notebook.run_all(wait=False)
    expect(notebook.outputs().filter(has_text="begun").first).to_be_visible()
    notebook.interrupt()
    notebook.wait_until_done()
    assert any("KeyboardInterrupt" in error for error in notebook.errors())
    notebook.run_code(RIGHT.partition("\n\nex.")[0])
    assert notebook.ask("bool(ex.echo.check(right))") is True


def test_a_long_line_of_a_verdict_breaks_between_its_words(
    open_notebook: Callable[..., Notebook],
) -> None:
    verdict = "Verdict(Status.NOT_YET, details=[('Also', ['you left sockets open: ' * 20])])"
    notebook = open_notebook([f"from sockkit.exercises.verdict import *\n\n{verdict}"])
    notebook.run_all()
    lines = notebook.outputs().locator("pre")
    assert lines.evaluate("lines => getComputedStyle(lines).wordBreak") == "normal"
    assert lines.evaluate("lines => lines.scrollWidth <= lines.clientWidth")
