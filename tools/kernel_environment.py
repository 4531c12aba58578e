"""An environment for each kernel that is to be tried, with the rest of the lock."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import lab
from tools.notebooks import ROOT


class NoSuchPython(Exception):
    """A version of Python that this machine does not have."""


def find_python(version: str) -> str:
    """A Python of this version, such as "3.12": this one, or on the path, or one that pyenv has.

    Raises:
        NoSuchPython: there is none.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    of_pyenv = sorted(pyenv.glob(f"{version}.*/bin/python3"), reverse=True)
    places = [sys.executable, shutil.which(f"python{version}"), *map(str, of_pyenv)]
    for place in filter(None, places):
        ask = [place, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(ask, capture_output=True, text=True)
        if answer.stdout.strip() == version:
            return place
    raise NoSuchPython(f"no Python {version} on the path or in {pyenv}")


def make_environment(home: Path, ipykernel: str, python: str) -> Path:
    """An environment with these versions; returns its Python. One that is whole is used again.

    Args:
        home: where.
        ipykernel: such as "7.3"; the newest of these.
        python: such as "3.12".

    Raises:
        NoSuchPython: this machine has none of this version.
        subprocess.CalledProcessError: uv could not do it, and has said why.
    """
    there = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (home / "complete").exists():
        uv = [sys.executable, "-m", "uv"]
        settings = {**lab.uv_settings(), **os.environ}
        make = [*uv, "venv", "--quiet", "--clear", "--python", find_python(python), str(home)]
        subprocess.run(make, check=True, env=settings)
        # What the kit pins is 7.4; an override takes the place of every other wish.
        (home / "override.txt").write_text(f"ipykernel=={ipykernel}.*\n")
        pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        rest = [line for line in pins if not line.startswith("ipykernel==")]
        (home / "pins.txt").write_text("\n".join(rest), encoding="utf-8")
        install = [
            *uv, "pip", "install", "--quiet", "--python", str(there),
            "--constraint", str(home / "pins.txt"), "--override", str(home / "override.txt"),
            "--editable", f"{ROOT}[lessons]",
        ]  # fmt: skip
        subprocess.run(install, check=True, env=settings)
        (home / "complete").touch()
    return there
