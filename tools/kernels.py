"""Run the lessons and the panels on every kernel that learners have, and write what came out.

    python -m tools.kernels                                      # everything; takes long
    python -m tools.kernels --ipykernel 6.31 --python 3.12       # some of it
    python -m tools.kernels --parts lessons solved

The parts are `lessons`, the learner's editions as they are; `solved`, with the model solutions,
each of which its check has to accept; `lab` and `notebook`, the browser tests of the panels, in
JupyterLab and in Notebook 7. Each kernel gets an environment of its own, with the rest of
`requirements.txt`. The results go to `docs/kernels.md` one by one; what does not run anew keeps its
result and its date.
"""

import argparse
import atexit
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionError

from tools.answers import CELL_SECONDS, shown, solved_lesson
from tools.guard import guarded
from tools.kernel_environment import make_environment
from tools.kernel_table import PARTS, Outcome, Row, store
from tools.notebooks import LESSONS, ROOT, lessons, read
from tools.stubs import find_stubs

IPYKERNELS = ("6.31", "7.3", "7.4")
PYTHONS = ("3.11", "3.12", "3.13")
BROWSER_TESTS = "tests/browser/test_panels.py"
STARTS = 3  # of a kernel: its ports were free when Jupyter chose them, and may not be any more
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_VERSIONS = """\
import importlib.metadata, json, platform
names = "ipykernel", "ipywidgets", "anywidget"
found = {name: importlib.metadata.version(name) for name in names}
print(json.dumps(found | {"Python": platform.python_version()}))"""


class Kernel:
    """A Python that runs notebooks, whichever Python we are.

    Args:
        python: its path.
        specs: a folder for what Jupyter has to know of it.
    """

    def __init__(self, python: Path, specs: Path) -> None:
        self.python = python
        self._specs = specs
        folder = specs / "tried"
        folder.mkdir(parents=True, exist_ok=True)
        argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        argv += ["--IPKernelApp.log_level=ERROR"]  # newer ones warn that TCP is not encrypted
        spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))

    def execute(self, notebook: Any) -> Any:
        """Run all cells of a notebook where the lessons are, and return it.

        Raises:
            CellControlSignal: a cell failed, or did not end.
            RuntimeError: the kernel died, or never lived.
        """
        for start in range(STARTS):
            client = self._client(notebook)
            try:
                client.execute(cleanup_kc=True)
                break
            except RuntimeError as error:
                # nbclient would clean up once more at the exit, and stumble over what is gone.
                atexit.unregister(client._cleanup_kernel)
                if "before replying to kernel_info" not in str(error) or start == STARTS - 1:
                    raise
        return notebook

    def _client(self, notebook: Any) -> NotebookClient:
        finder = KernelSpecManager(kernel_dirs=[str(self._specs)], ensure_native_kernel=False)
        return NotebookClient(
            notebook,
            km=AsyncKernelManager(kernel_name="tried", kernel_spec_manager=finder),
            timeout=CELL_SECONDS,
            coalesce_streams=True,
            resources={"metadata": {"path": str(LESSONS)}},
        )

    def versions(self) -> dict[str, str]:
        """What is really there, as the kernel itself says."""
        cell = nbformat.v4.new_code_cell(_VERSIONS)
        notebook = self.execute(nbformat.v4.new_notebook(cells=[cell]))
        found: dict[str, str] = json.loads(shown(notebook.cells[0]))
        return found

    def try_all(self, trial: Callable[[Path], None]) -> Outcome:
        """What became of this trial with each lesson."""
        paths, failures = lessons(), []
        for path in paths:
            try:
                trial(path)
            except CellExecutionError as error:
                failures.append(f"{path.stem}: {error.ename}: {_one_line(error.evalue)}")
            except (CellControlSignal, RuntimeError) as error:
                failures.append(f"{path.stem}: {type(error).__name__}: {_one_line(str(error))}")
        return Outcome(len(paths) - len(failures), len(paths), tuple(failures))

    def lesson(self, path: Path) -> None:
        """Run the learner's edition; it must leave nothing in the kernel."""
        self.execute(guarded(read(path)))

    def solved(self, path: Path) -> None:
        """Run the lesson with its exercises solved.

        Raises:
            RuntimeError: a check refuses the model solution.
        """
        notebook = self.execute(solved_lesson(path))
        for stub in find_stubs(notebook):
            text = shown(notebook.cells[stub.check_cell])
            if "Solved." not in text:
                raise RuntimeError(f"{stub.exercise.name}: {text}")

    def run(self, part: str) -> Outcome:
        """What became of one of `PARTS` with this kernel."""
        trials = {"lessons": self.lesson, "solved": self.solved}
        return self.try_all(trials[part]) if part in trials else self.page(part)

    def page(self, app: str) -> Outcome:
        """What became of the browser tests with this kernel in this application."""
        environment = os.environ | {"SOCKKIT_KERNEL": str(self.python), "SOCKKIT_JUPYTER_APP": app}
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", BROWSER_TESTS]
            subprocess.run(command, env=environment, cwd=ROOT)
            return of_report(xml.parse(report).getroot())


def of_report(report: xml.Element) -> Outcome:
    """What a JUnit report says, as pytest writes it."""
    cases, failures = list(report.iter("testcase")), []
    for case in cases:
        for trouble in [*case.findall("failure"), *case.findall("error"), *case.findall("skipped")]:
            failures.append(f"{case.get('name')}: {_one_line(trouble.get('message', ''))}")
    return Outcome(len(cases) - len(failures), len(cases), tuple(failures))


def _one_line(text: str) -> str:
    lines = _COLOURS.sub("", text).replace(str(ROOT), "…").strip().splitlines()
    return lines[0][:160] if lines else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status: 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.kernels")
    parser.add_argument("--ipykernel", nargs="+", default=IPYKERNELS, metavar="7.4")
    parser.add_argument("--python", nargs="+", default=PYTHONS, metavar="3.12")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--folder", type=Path, help="keep the environments here, to use them again")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        passed = True
        for python in options.python:
            for ipykernel in options.ipykernel:
                folder = (options.folder or Path(temporary)).absolute()
                name = f"ipykernel-{ipykernel}-python-{python}"
                here = make_environment(folder / name, ipykernel, python)
                kernel = Kernel(here, Path(temporary) / name)
                versions = kernel.versions()
                row = Row(versions.pop("ipykernel"), versions.pop("Python"))
                for part in options.parts:
                    print(f"== ipykernel {row.ipykernel}, Python {row.python}: {part}", flush=True)
                    outcome = kernel.run(part)
                    print(f"{outcome}", *outcome.failures, sep="\n", flush=True)
                    store(row, part, outcome, versions)
                    passed = passed and not outcome.failures
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
