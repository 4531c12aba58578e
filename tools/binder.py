"""Replay on this machine, without Docker, what Binder does to make an image of the kit.

    python -m tools.binder                     # a few minutes, and the network
    python -m tools.binder --python python3.12 # the Python to replay with, if it is not found

What is committed is replayed. repo2docker writes the Dockerfile that it would build. The steps in
it that belong to this repository run in a fresh environment; lesson 00 runs there, and a Jupyter
that is started as the image starts its own opens it. Printed is what that took, in seconds and in
megabytes.

Conda's part, which is the same for every repository, is left out. The environment here starts with
pip alone, so that its size is more than what the image grows by.
"""

import argparse
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
LESSON = "notebooks/00_check_in.ipynb"
MEGABYTES = 450  # What the image may grow by.
_PYTHON = re.compile(r"conda environment for python=(\d+\.\d+)")


class ReplayError(Exception):
    """A step failed, or the image would not be what it should; the text says which and why."""


def python_version(log: str) -> str:
    """The Python of the image, such as "3.12", from what repo2docker says on its way.

    Raises:
        ReplayError: it does not say.
    """
    found = _PYTHON.search(log)
    if found is None:
        raise ReplayError(f"repo2docker names no Python: {log[-500:]}")
    return found[1]


def steps(dockerfile: str) -> list[str]:
    """The commands of a Dockerfile that run once the repository has been copied into the image."""
    _, copied, after = dockerfile.partition("COPY --chown=0:0 src/ ")
    if not copied:
        raise ReplayError("the Dockerfile never copies the repository")
    lines = after.replace("\\\n", " ").splitlines()
    return [line.removeprefix("RUN ").strip() for line in lines if line.startswith("RUN ")]


def megabytes(folder: Path) -> float:
    """The space that the files of a folder take; a file with two names counts once."""
    seen = {
        (status.st_dev, status.st_ino): status.st_size
        for path in folder.rglob("*")
        if not path.is_dir()
        for status in [path.lstat()]
    }
    return sum(seen.values()) / 1e6


def find_python(version: str) -> str:
    """A Python of this version on this machine.

    Raises:
        ReplayError: there is none.
    """
    if version == ".".join(map(str, sys.version_info[:2])):
        return sys.executable
    found = shutil.which(f"python{version}")
    # A version manager leaves a command for each Python it has, also for one that is switched off.
    if found is None or subprocess.run([found, "--version"], capture_output=True).returncode:
        raise ReplayError(f"there is no Python {version} here: name one with --python")
    return found


def write_dockerfile(folder: Path, workshop: Path) -> tuple[str, str]:
    """Have repo2docker write the Dockerfile for a repository; returns it and what was logged."""
    tool = _environment(sys.executable, workshop / "repo2docker")
    _run([tool / "pip", "install", "--quiet", "jupyter-repo2docker"], workshop)
    done = _run([tool / "jupyter-repo2docker", "--no-build", "--debug", "."], folder)
    return done.stdout, done.stderr


def replay(commands: Sequence[str], folder: Path, home: Path) -> None:
    """Run the steps of the image in this environment, one after the other."""
    for command in commands:
        print("$", command, flush=True)
        _run(["bash", "-c", command], folder, _variables(folder, home))


def run_lesson(folder: Path, home: Path) -> None:
    """Run lesson 00 in the environment, and remember nothing of it."""
    command = [str(home / "bin/jupyter"), "execute", "--kernel_name=python3", LESSON]
    _run(command, folder, _variables(folder, home))


def opened_page(folder: Path, home: Path) -> str:
    """Which page a Jupyter shows first that is started as the image starts it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [str(home / "bin/jupyter"), "notebook", "--ip", "127.0.0.1", "--no-browser"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += ["--allow-root"]
    with _running(command, folder, _variables(folder, home)) as server:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and server.poll() is None:
            with contextlib.suppress(OSError):
                answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
                with answer:
                    return str(answer.url).removeprefix(f"http://127.0.0.1:{port}")
            time.sleep(0.1)
    raise ReplayError("Jupyter did not start in the environment")


def _environment(python: str, folder: Path) -> Path:
    _run([python, "-m", "venv", folder], folder.parent)
    return folder / "bin"


def _variables(folder: Path, home: Path) -> dict[str, str]:
    return os.environ | {
        "KERNEL_PYTHON_PREFIX": str(home),
        "NB_PYTHON_PREFIX": str(home),
        "REPO_DIR": str(folder),
        "PATH": os.pathsep.join([str(home / "bin"), os.environ["PATH"]]),
        # Settings of whoever replays this are not in the image.
        "HOME": str(folder.parent / "home"),
        "PYTHONPATH": "",
    }


def _run(
    command: Sequence[str | Path], folder: Path, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=variables, capture_output=True, text=True
    )
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:]
        raise ReplayError(f"this step failed: {' '.join(map(str, command))}\n{said}")
    return done


@contextlib.contextmanager
def _running(
    command: Sequence[str], folder: Path, variables: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=folder, env=variables, stdout=quiet, stderr=quiet)
    try:
        yield server
    finally:
        server.terminate()
        server.wait(20)


def _replay_all(workshop: Path, python: str) -> None:
    folder, home = workshop / "repository", workshop / "environment"
    _run(["git", "clone", "--quiet", ROOT, folder], workshop)
    dockerfile, log = write_dockerfile(folder, workshop)
    version = python_version(log)
    print(f"The image has Python {version}.")

    _environment(python or find_python(version), home)
    before, begun = megabytes(home), time.monotonic()
    replay(steps(dockerfile), folder, home)
    print(f"Installed in {time.monotonic() - begun:.0f} s.")
    grown = megabytes(home) - before
    print(f"The environment grew by {grown:.0f} MB; the bound is {MEGABYTES} MB.")

    begun = time.monotonic()
    run_lesson(folder, home)
    print(f"Lesson 00 ran in {time.monotonic() - begun:.0f} s.")
    page = opened_page(folder, home)
    print(f"Jupyter opens {page}.")
    if grown > MEGABYTES:
        raise ReplayError("the image would be too large")
    if LESSON not in page:
        raise ReplayError("the image would not open lesson 00")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.binder")
    parser.add_argument("--python", default="", help="the Python to replay the steps with")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            _replay_all(Path(folder), options.python)
        except (ReplayError, OSError) as error:  # such as a Python that is none
            print("python -m tools.binder:", error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
