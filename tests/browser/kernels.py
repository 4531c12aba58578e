"""The panels under each kernel that learners have, in JupyterLab and in Notebook 7.

python tests/browser/kernels.py [FOLDER]

Makes an environment for each version of ipykernel in FOLDER (or in a temporary one), and runs the
tests of the panels with it. It takes some minutes, and so is a command of its own.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

KERNELS = ("6.31", "7.3", "7.4")
APPS = ("lab", "notebook")
HERE = Path(__file__).parent


def make_environment(folder: Path, version: str) -> Path:
    """An environment with this ipykernel; returns its Python. One that is there is used again."""
    home = folder / f"ipykernel-{version}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (home / "complete").exists():
        venv.create(home, with_pip=True, clear=True)
        wanted = [f"ipykernel=={version}.*", "ipywidgets", "anywidget", "psutil"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        (home / "complete").touch()
    return python


def run_tests(python: Path, app: str) -> bool:
    """Run the tests of the panels with this kernel in this application; whether they pass."""
    environment = os.environ | {"SOCKKIT_KERNEL": str(python), "SOCKKIT_JUPYTER_APP": app}
    command = [sys.executable, "-m", "pytest", "-q", str(HERE / "test_panels.py")]
    return subprocess.run(command, env=environment, cwd=HERE.parents[1]).returncode == 0


def main(folder: Path) -> int:
    """Try all combinations; 1 if one of them fails."""
    results = {}
    for version in KERNELS:
        python = make_environment(folder, version)
        for app in APPS:
            print(f"\n== ipykernel {version}, {app}", flush=True)
            results[version, app] = run_tests(python, app)
    for (version, app), passed in results.items():
        print(f"ipykernel {version:5} {app:9} {'passed' if passed else 'FAILED'}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1])))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(Path(temporary)))
