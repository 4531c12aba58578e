"""Which versions are installed, and which of them are known to disturb each other.

What the kit wants is read from its own metadata, which an installation writes. `judge` is a pure
function of versions, so that a test can try any pair of them.
"""

import importlib.metadata
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import sockkit
from sockkit.cli.finding import Finding, Mark

FOR_LESSONS = (
    "jupyterlab", "notebook", "ipykernel", "ipywidgets", "anywidget", "matplotlib", "nest-asyncio",
    "psutil", "tqdm", "trustme", "frontrun",
)  # fmt: skip
FOR_TESTS = ("pytest", "nbval", "nbclient", "hypothesis", "playwright", "mypy", "ruff")
TROUBLED = ("ipykernel", "jupyterlab", "nest-asyncio", "pytest", "pytest-check-links")

INSTALL = "`python lab.py` makes an environment in .venv with what the lessons and tests want."
PIP_PATIENCE = 60.0  # seconds


def python() -> list[Finding]:
    """This Python, and where this sockkit is."""
    build = "" if getattr(sys, "_is_gil_enabled", lambda: True)() else ", without the GIL"
    system = f"{platform.system()} {platform.machine()}"
    folder = Path(sockkit.__file__).parent
    findings = [
        Finding(
            Mark.OK, f"Python {platform.python_version()}{build} on {system}: {sys.executable}"
        ),
        Finding(Mark.OK, f"sockkit {sockkit.__version__} in {folder}"),
    ]
    environment = folder.parent / ".venv"  # what lab.py makes
    if (environment / "pyvenv.cfg").is_file() and not environment.samefile(sys.prefix):
        text = "this is not the Python of the lessons, which is the one in .venv"
        python = environment / ("Scripts/python" if sys.platform == "win32" else "bin/python")
        findings.append(Finding(Mark.NOTE, text, f"Look there: {python} -m sockkit doctor"))
    return findings


def packages() -> list[Finding]:
    """What is installed, what is missing, and what is in another version than the kit wants."""
    wanted = _wanted()
    findings = []
    for purpose, names in (("lessons", FOR_LESSONS), ("tests", FOR_TESTS)):
        here = installed(names)
        missing = [name for name in names if name not in here]
        if here:
            listed = ", ".join(f"{name} {version}" for name, version in here.items())
            findings.append(Finding(Mark.OK, f"for the {purpose}: {listed}"))
        if missing:
            text = f"for the {purpose}, but not installed here: {', '.join(missing)}"
            findings.append(Finding(Mark.NOTE, text, INSTALL))
        for name, version in here.items():
            if not satisfies(version, wanted.get(name, "")):
                text = f"{name} is {version}; the {purpose} are made with {wanted[name]}"
                findings.append(Finding(Mark.NOTE, text, INSTALL))
    return findings


def known_trouble() -> list[Finding]:
    """Pairs of versions that are known to disturb each other."""
    return judge(installed(TROUBLED))


def judge(versions: Mapping[str, str]) -> list[Finding]:
    """What is known against these versions together; a finding of its own if nothing is."""
    trouble = [*_about_the_kernel(versions), *_about_pytest(versions)]
    return trouble or [Finding(Mark.OK, "no versions here that are known to disturb each other")]


def _about_the_kernel(versions: Mapping[str, str]) -> Iterator[Finding]:
    kernel = versions.get("ipykernel", "")
    if release(kernel) in ((7, 0, 0), (7, 0, 1)):
        text = (
            f"ipykernel {kernel}: a thread that changes a widget fails (LookupError: shell_parent)"
        )
        if versions.get("jupyterlab") == "4.4.9":
            text += (
                "; with JupyterLab 4.4.9 this is what repo2docker installs unless told otherwise"
            )
        yield Finding(Mark.BAD, text, INSTALL)
    elif kernel and release(kernel) < (7,):
        text = f"ipykernel {kernel}: buttons and sliders wait for as long as a cell runs"
        yield Finding(
            Mark.NOTE, text, "From ipykernel 7 on they don't wait for a cell that awaits."
        )
    if release(kernel) >= (7,) and "nest-asyncio" in versions:
        text = (
            f"nest-asyncio {versions['nest-asyncio']} with ipykernel {kernel}: harmless until it is"
            " applied in the kernel; then a click while a nested loop runs leaves the kernel busy"
        )
        advice = "Don't call nest_asyncio.apply() in a notebook: `await` there. Lesson 00 shows it."
        yield Finding(Mark.NOTE, text, advice)


def _about_pytest(versions: Mapping[str, str]) -> Iterator[Finding]:
    if "pytest-check-links" in versions:
        too_old = release(versions.get("pytest", "")) < (9,)
        text = "pytest-check-links pins pytest below 9, and has pip install an older one silently"
        advice = 'pip uninstall pytest-check-links; pip install "pytest>=9"'
        yield Finding(Mark.BAD if too_old else Mark.NOTE, text, advice)


def pip_check() -> list[Finding]:
    """What pip itself says: which package wants another version than it has got."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "check"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PIP_PATIENCE
        )
    except subprocess.TimeoutExpired:
        return [Finding(Mark.NOTE, f"pip check did not end within {PIP_PATIENCE:g} s")]
    if "No module named pip" in done.stderr:
        return [Finding(Mark.NOTE, "pip check: this Python has no pip", "python -m ensurepip")]
    if done.returncode == 0:
        return [Finding(Mark.OK, "pip check: every package has the versions it wants")]
    lines = (done.stdout or done.stderr).strip().splitlines()
    return [Finding(Mark.NOTE, f"pip check: {line}", INSTALL) for line in lines[:5]]


def installed(names: tuple[str, ...]) -> dict[str, str]:
    """The versions of those of these packages that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version, to compare: ``7.4.0rc1`` is `(7, 4, 0)`, no version is `()`."""
    numbers = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, numbers.group().split("."))) if numbers else ()


def satisfies(version: str, specifier: str) -> bool:
    """Whether a version is in a range such as ``>=7.4,<7.5``. Only these and ``==`` are bounds."""
    here = release(version)
    for operator, bound in re.findall(r"(>=|==|<)\s*([\d.]+)", specifier):
        there = release(bound)
        width = max(len(here), len(there))
        left, right = (numbers + (0,) * (width - len(numbers)) for numbers in (here, there))
        if not {">=": left >= right, "==": left == right, "<": left < right}[operator]:
            return False
    return True


def _wanted() -> dict[str, str]:
    """The range of versions that the kit wants of each package; nothing if it isn't installed."""
    try:
        lines = importlib.metadata.requires("sockkit") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    # Such as: ipykernel<7.5,>=7.4; extra == "lessons"
    found = (re.match(r"([\w.-]+)(?:\[.*?\])?\s*([^;]*)", line) for line in lines)
    return {match[1]: match[2].strip() for match in found if match}
