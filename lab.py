"""Open the lessons, or run every test, on a machine that has nothing but Python.

    python lab.py          opens lesson 00 in JupyterLab; further options go to JupyterLab
    python lab.py test     runs every test; further arguments go to pytest

The first run makes a virtual environment in `.venv` beside this file, in a minute or two;
later runs find it whole and start at once. Whatever goes wrong is told in one sentence.
"""

# Only the standard library, and only syntax that Python 3.6 can parse: an old Python has to get
# as far as the sentence below.
import sys

if sys.version_info < (3, 11):
    sys.exit(
        "lab.py: sockkit needs Python 3.11 or newer, and this is Python {}.{}: install a newer one"
        " from python.org and run lab.py with that.".format(*sys.version_info)
    )

import ast
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
LESSON = "notebooks/00_check_in.ipynb"
REQUIREMENTS = HERE / "requirements.txt"
PROJECT = HERE / "pyproject.toml"
VENV = HERE / ".venv"
PYTHON = str(VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
STAMP = VENV / "lab.json"
LOG = VENV / "lab.log"
LOCK = HERE / ".venv.lock"

# In place of `-m jupyterlab`, which can hang for ever when it is ended while a lesson opens: Python
# waits for a thread of a request that nobody answers any more.
JUPYTERLAB = """
import os, sys
from jupyterlab.labapp import main
sys.argv[0] = "jupyter-lab"
code = main()
sys.stdout.flush()
os._exit(code or 0)
"""

# Tests wait about half of their time: three at a time keep two cores busy. More disturb each other.
SIDE_BY_SIDE = ["--numprocesses=3"]

# Files of the environment that keep from the first lesson what is not about it: a question about
# news, and the tab of ipyparallel, a package that only the last lesson needs.
SETTINGS = {
    "share/jupyter/lab/settings/overrides.d/sockkit": {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}
    },
    "etc/jupyter/labconfig/page_config": {"disabledExtensions": {"ipyparallel-labextension": True}},
    # Read after what the package has put there, which comes before it in the alphabet.
    "etc/jupyter/jupyter_server_config.d/sockkit": {
        "ServerApp": {"jpserver_extensions": {"ipyparallel": False}}
    },
}

# How pip is told to reach its index, and what uv, which does not read that, calls the same thing.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}


class LabError(Exception):
    """Something the student can act on; its text is the one sentence they see."""


def main(arguments: list[str]) -> int:
    """Do what the command line asks for, and return the exit code."""
    try:
        command = interpret(arguments)
        if not command:
            print(__doc__)
            return 0
        make_ready()
        return hand_over(command)
    except LabError as error:
        print("lab.py:", error, file=sys.stderr)
    except OSError as error:
        print("lab.py: the environment could not be made or started:", error, file=sys.stderr)
    except KeyboardInterrupt:
        print("\nlab.py: stopped half-way; the next run starts over.", file=sys.stderr)
        return 130
    return 1


def interpret(arguments: list[str]) -> list[str]:
    """Return the command to run in the environment, or an empty one where help is wanted."""
    if arguments and arguments[0] in ("-h", "--help", "help"):
        return []
    if arguments and arguments[0] == "test":
        return [PYTHON, "-m", "pytest", *(arguments[1:] or SIDE_BY_SIDE)]
    if arguments and not arguments[0].startswith("-"):
        raise LabError(f"{arguments[0]!r} is no command: say `test`, or nothing for the lessons.")
    ours = [
        f"--LabApp.default_url=/lab/tree/{LESSON}",
        "--ServerApp.answer_yes=True",  # Or Ctrl-C would ask whether it was meant.
        "--log-level=WARN",  # Or the address would drown in messages.
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        ours.append("--allow-root")
    theirs = {argument.partition("=")[0] for argument in arguments}  # JupyterLab takes none twice.
    options = [option for option in ours if option.partition("=")[0] not in theirs]
    return [PYTHON, "-c", JUPYTERLAB, *options, *arguments]


def hand_over(command: list[str]) -> int:
    """Run `command` in place of this program, so that signals and the exit code are its own."""
    print("lab.py: starting; Ctrl-C ends it.", flush=True)
    os.chdir(HERE)
    if sys.platform == "win32":
        # exec would give the prompt back at once, so wait. Ctrl-C reaches the command by itself.
        process = subprocess.Popen(command)
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()
    else:
        os.execv(command[0], command)


def make_ready() -> None:
    """Make `.venv` whole, doing no more than is needed; if it is whole, nothing is written."""
    with contextlib.suppress(LabError):  # Nobody is kept out yet, so only "whole" is to be trusted.
        if diagnose()[0] == "whole":
            return
    with alone():
        state, sentence = diagnose()
        if state == "whole":
            return
        print("lab.py:", sentence, flush=True)
        STAMP.unlink(missing_ok=True)
        if state == "broken":
            create()
        install()
        tidy_the_page()
        STAMP.write_text(json.dumps(fingerprint()), encoding="utf-8")
        print("lab.py: the environment is ready.", flush=True)


def diagnose() -> tuple[str, str]:
    """Tell whether `.venv` is "whole", "outdated" or "broken", and what the student is told."""
    if VENV.is_symlink() or (VENV.exists() and not VENV.is_dir()):
        raise LabError(f"{VENV} is not a folder that lab.py made: move it away and try again.")
    if not VENV.exists() or not any(VENV.iterdir()):
        return "broken", "making the environment in .venv: a minute or two, this first time."
    if not (VENV / "pyvenv.cfg").is_file():
        raise LabError(f"{VENV} holds other files than lab.py's: move it away and try again.")
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "broken", "the environment in .venv was never finished: making it again."
    wanted = fingerprint()
    if stamp["home"] != wanted["home"]:
        return "broken", f".venv was made for {stamp['home']}: making it again."
    if not runs(PYTHON):
        return "broken", "the Python in .venv does not run any more: making it again."
    if stamp["packages"] != wanted["packages"]:
        return "outdated", "what it should hold has changed: bringing .venv up to date."
    return "whole", ""


def fingerprint() -> dict[str, str]:
    """Name what the environment depends on.

    It cannot outlive its `home`: a version of Python, and the folder, whose path is written all
    over it. When only what it holds has changed, its `packages` or SETTINGS, it can be updated.
    """
    python = ".".join(map(str, sys.version_info[:2]))
    contents = REQUIREMENTS.read_bytes() + PROJECT.read_bytes() + json.dumps(SETTINGS).encode()
    return {
        "home": f"Python {python} in {VENV}",
        "packages": hashlib.sha256(contents).hexdigest(),
    }


def runs(python: str) -> bool:
    """Tell whether `python` starts at all: the one it is a link to may have been removed."""
    try:
        return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other lab.py works on `.venv`, and keep others waiting meanwhile.

    The lock is the operating system's, which drops it when its holders end, however they end: no
    lock is ever stale. Installers inherit it (not on Windows), so one that outlives a killed lab.py
    still counts. The file stays, since whoever deletes it lets two programs lock two files.
    """
    with LOCK.open("w") as file:
        os.set_inheritable(file.fileno(), True)
        if not try_to_lock(file.fileno()):
            print("lab.py: waiting for another lab.py that makes the environment.", flush=True)
            while not try_to_lock(file.fileno()):
                time.sleep(0.2)
        yield


def try_to_lock(descriptor: int) -> bool:
    """Take the lock if nobody holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def create() -> None:
    """Make an environment without packages, in place of whatever environment is there."""
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise LabError(
            "this Python cannot make environments, as its `venv` or `ensurepip` is missing: on"
            " Debian and Ubuntu, `sudo apt install python3-venv` adds them."
        )
    if VENV.exists() and VENV.samefile(sys.prefix):
        raise LabError("the environment to replace is in use: type `deactivate` and try again.")
    if VENV.exists():
        # pyvenv.cfg goes last: should this be cut short, the rest is still known to be ours.
        for entry in sorted(VENV.iterdir(), key=lambda entry: entry.name == "pyvenv.cfg"):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    command = [sys.executable, "-m", "venv", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        reason = (made.stderr or made.stdout or "it does not say why").strip().splitlines()[-1]
        raise LabError(f"Python could not make the environment {VENV}: {reason}")


def install() -> None:
    """Install every pinned package, and then sockkit, whose build backend is among them.

    uv takes seconds for what takes pip most of a minute. Where uv cannot be had, or does not get
    through, pip has the last word.
    """
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    uv = [PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON]
    packages = ["--requirement", str(REQUIREMENTS)]
    sockkit = ["--no-deps", "--no-build-isolation", "--editable", str(HERE)]
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    uv_pin = next(line for line in lines if line.startswith("uv=="))

    LOG.unlink(missing_ok=True)
    if logged([*pip, "--only-binary", ":all:", "--retries", "1", uv_pin]):
        settings = uv_settings()
        if logged([*uv, *packages], settings) and logged([*uv, *sockkit], settings):
            return
    if not (logged([*pip, *packages]) and logged([*pip, *sockkit])):
        text = LOG.read_text(encoding="utf-8", errors="replace")
        what = "the packages could not be installed"
        if "SSL module is not available" in text:
            what = "this Python was built without its ssl module, take another"
        elif "connection broken" in text:  # As pip puts it, whatever the cause.
            what = "there is no network"
        errors = [line for line in text.splitlines() if line.lower().startswith("error")]
        last = errors[-1] if errors else "no error"
        raise LabError(f"{what}: pip ends with {last!r}, and {LOG} has all it said.")


def tidy_the_page() -> None:
    """Write the settings of the environment: see SETTINGS."""
    for name, settings in SETTINGS.items():
        path = VENV / (name + ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings), encoding="utf-8")


def logged(command: list[str], settings: dict[str, str] | None = None) -> bool:
    """Run `command` with its output in the log instead of on the screen; tell if it succeeded."""
    # A pip that is set to install for the user (some campuses do) would refuse an environment.
    environment = {**(settings or {}), **os.environ, "PIP_USER": "0"}
    with LOG.open("a", encoding="utf-8") as log:
        print("$", *command, file=log, flush=True)
        # What is inheritable is passed on, which is only the lock: see `alone`.
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=False,
        )
    return done.returncode == 0


def uv_settings() -> dict[str, str]:
    """Translate pip's settings, so that uv asks the same indexes in the same way."""
    settings = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # As pip: the best of all the indexes.
    command = [PYTHON, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True).stdout
    for line in listing.splitlines():  # Such as: global.find-links='/one /two'
        name, _, value = line.partition("=")
        uv_name = UV_NAMES.get(name.rpartition(".")[2])
        if uv_name:
            separator = "," if uv_name == "UV_FIND_LINKS" else " "
            settings[uv_name] = separator.join(ast.literal_eval(value).split())
    return settings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
