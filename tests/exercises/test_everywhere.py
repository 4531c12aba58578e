"""A wrong, a crashing, a hanging and a right answer: in a notebook, under nbval, in a terminal."""

import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from tools.answers import shown
from tools.guard import guarded
from tools.notebooks import ROOT

from ..notebooks.runs import executed, nbval, notebook
from ..waiting import until

pytestmark = pytest.mark.timeout(120)

IMPORT = "import time\nfrom sockkit.exercises import nb01 as ex"
ANSWERS = {
    "def stub(connection):\n    ...": "Not attempted yet.",
    "def wrong(connection):\n    connection.sendall(connection.recv(9).upper())": "got `HELLO`",
    "def crashing(connection):\n    return 1 / 0": "raised ZeroDivisionError",
    "def hanging(connection):\n    time.sleep(60)": "`hanging` was still running",
    "async def blocking(connection):\n    time.sleep(60)": "`blocking` held its event loop",
    "def right(connection):\n    while data := connection.recv(99):\n"
    "        connection.sendall(data)": "Solved.",
}


def check(definition: str) -> str:
    name = definition.partition("def ")[2].partition("(")[0]
    return f"{definition}\n\nex.echo.check({name})"


@pytest.fixture
def cells() -> list[str]:
    return [IMPORT, *(check(definition) for definition in ANSWERS)]


@pytest.mark.notebook
def test_in_a_notebook(cells: list[str], tmp_path: Path) -> None:
    start = time.monotonic()
    made = executed(guarded(notebook(*cells), times=2), tmp_path)
    assert time.monotonic() - start < 10 * len(ANSWERS)
    texts = [shown(cell) for cell in made.cells if "ex.echo.check" in cell.source]
    for text, expected in zip(texts, [*ANSWERS.values()] * 2, strict=True):
        assert expected in text
        assert "<div" in text


@pytest.mark.notebook
def test_under_nbval(cells: list[str], tmp_path: Path) -> None:
    nbval(guarded(notebook(*cells)), tmp_path, "--nbval-lax")
    nbval(executed(guarded(notebook(*cells)), tmp_path), tmp_path, "--nbval")


def test_in_a_terminal(cells: list[str]) -> None:
    typed = "\n\n".join(cell.replace("\n\n", "\n\n\n") for cell in cells)
    typed += "\n\nimport threading\nprint([thread.name for thread in threading.enumerate()])\n"
    result = subprocess.run(
        [sys.executable, "-i", "-q", "-X", "dev"],
        input=typed,
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    place = 0
    for expected in ANSWERS.values():
        place = result.stdout.index(expected, place)
    assert result.stdout.endswith("['MainThread']\n")
    assert "Error" not in result.stderr, result.stderr


@pytest.fixture
def kernel() -> Iterator[Any]:
    """A kernel, and what talks to it."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.notebook
def test_jupyters_stop_button_ends_a_check(kernel: Any, tmp_path: Path) -> None:
    manager, client = kernel
    begun = tmp_path / "begun"
    client.execute_interactive(f"{IMPORT}\nfrom pathlib import Path", timeout=30)
    hanging = f"def hanging(connection):\n    Path({str(begun)!r}).touch()\n    time.sleep(60)"
    # A check ends by itself after a second, which is short on a busy machine: so one after another.
    code = f"{hanging}\n\nwhile True:\n    ex.echo.check(hanging)"
    # Else the kernel throws away what comes soon after the error, which on a busy machine is ours.
    request = client.execute(code, stop_on_error=False)
    until(begun.exists, timeout=20)
    manager.interrupt_kernel()
    assert answer_to(client, request)["ename"] == "KeyboardInterrupt"
    outputs: list[str] = []
    right = check(list(ANSWERS)[-1])
    client.execute_interactive(
        right, timeout=30, output_hook=lambda output: outputs.append(repr(output["content"]))
    )
    assert "Solved." in "".join(outputs)


def answer_to(client: Any, request: str) -> Any:
    while True:
        try:
            reply = client.get_shell_msg(timeout=20)
        except queue.Empty:
            pytest.fail("the kernel did not answer")
        if reply["parent_header"]["msg_id"] == request:
            return reply["content"]
