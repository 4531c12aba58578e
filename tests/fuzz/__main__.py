"""Guided fuzzing of the framings and of the whole server: `python -m tests.fuzz --runs 1000000`.

Each target runs in a process of its own, beginning with the inputs that are kept in `corpus/`.
What fails is shown with the input that did it, and the exit code is 1. With `--keep`, the inputs
that take a way of their own through the kit are kept instead of those before.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import kept
from .targets import TARGETS, shown

ROOT = Path(__file__).parents[2]
MISSING = (
    "tests.fuzz: guided fuzzing needs atheris, which is not in the lock since it has no wheels for "
    "some systems: run `python -m pip install atheris` with this Python."
)
INTERRUPTED = 72  # libFuzzer's exit code when it was told to stop, by SIGINT or SIGTERM
LONGEST = {"server": 256}  # bytes of an input; of one for a decoder, 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="inputs for each target")
    parser.add_argument(
        "--only", choices=TARGETS, action="append", help="this target; may be repeated"
    )
    parser.add_argument("--keep", action="store_true", help="renew the corpus")
    asked = parser.parse_args(arguments)
    if importlib.util.find_spec("atheris") is None:
        print(MISSING, file=sys.stderr)
        return 2
    failed = [name for name in asked.only or TARGETS if not fuzz(name, asked.runs, asked.keep)]
    return 1 if failed else 0


def fuzz(name: str, runs: int, keep: bool) -> bool:
    """Fuzz one target, tell what came of it; return whether nothing was found."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, found = Path(folder, "inputs"), Path(folder, "found")
        inputs.mkdir()
        found.mkdir()
        for number, data in enumerate(kept.load(name)):
            (inputs / str(number)).write_bytes(data)
        most = LONGEST.get(name, 64)
        options = [f"-runs={runs}", f"-max_len={most}", "-timeout=20", "-print_final_stats=1"]
        command = [sys.executable, "-m", "tests.fuzz.guided", name, *options]
        command += [f"-artifact_prefix={found}/", str(inputs)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
        print(f"{name}: {figures(done.stderr)}", flush=True)
        for file in sorted(found.iterdir()):
            data = file.read_bytes()
            print(f"found by {data!r}:\n{shown(name, data)}")
        if done.returncode not in (0, INTERRUPTED) or list(found.iterdir()):
            print(_said_by_python(done.stdout + done.stderr), flush=True)
            return False
        if keep:
            _renew(name, inputs)
        return True


def figures(told: str) -> str:
    """What libFuzzer says at its end, in a line."""

    def last(label: str) -> int:
        return int((re.findall(rf"{label}: *(\d+)", told) or ["0"])[-1])

    return (
        f"{last('number_of_executed_units'):,} inputs, {last('average_exec_per_sec'):,} a second; "
        f"{last('cov'):,} places and {last('ft'):,} ways of reaching them seen"
    )


def _said_by_python(told: str) -> str:
    """The traceback, without libFuzzer's own lines."""
    lines = told.splitlines()
    begin = next((n for n, line in enumerate(lines) if "Traceback" in line), len(lines) - 20)
    return "\n".join(line for line in lines[max(0, begin) :] if not line.startswith(("#", "INFO")))


def _renew(name: str, inputs: Path) -> None:
    with TARGETS[name]() as target:
        play = getattr(target, "play", target)
        cover = kept.smallest_cover(play, [file.read_bytes() for file in inputs.iterdir()])
    kept.save(name, cover)
    print(f"{name}: {len(cover)} inputs kept", flush=True)


if __name__ == "__main__":
    sys.exit(main())
