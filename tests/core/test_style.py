"""The types hold and the code looks alike: what mypy and ruff say about the repository."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


TOOLS = {
    "types": ["mypy"],
    "lint": ["ruff", "check", "sockkit", "tests", "lab.py"],
    "layout": ["ruff", "format", "--check", "sockkit", "tests", "lab.py"],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_there_is_nothing_to_complain_of(tool: str) -> None:
    command = (sys.executable, "-m", *TOOLS[tool])
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_of_the_core_is_longer_than_a_reader_is_patient() -> None:
    lines = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for file in (ROOT / "sockkit").glob("*.py")
    }
    assert {name: count for name, count in lines.items() if count > 400} == {}
