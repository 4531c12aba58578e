"""An environment for the others' packages, beside the learner's and never in it."""

import os
import subprocess
import sys
from pathlib import Path

import lab

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
VENV = ROOT / "build" / "benchmarks"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
STAMP = VENV / "requirements.txt"


def make_ready() -> str:
    """Make it, unless it is there and up to date; return its Python.

    Raises:
        subprocess.CalledProcessError: uv could not; what it said is on the screen.
    """
    wanted = f"# for {sys.version}\n{REQUIREMENTS.read_text(encoding='utf-8')}"
    if not STAMP.exists() or STAMP.read_text(encoding="utf-8") != wanted:
        print(f"making an environment for the others in {VENV.relative_to(ROOT)}", flush=True)
        uv = [sys.executable, "-m", "uv"]
        settings = {**lab.uv_settings(), **os.environ}
        make = ["venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)]
        fill = ["pip", "install", "--quiet", "--python", str(PYTHON), "-r", str(REQUIREMENTS)]
        for step in (make, fill):
            subprocess.run([*uv, *step], check=True, env=settings)
        STAMP.write_text(wanted, encoding="utf-8")
    return str(PYTHON)
