"""`python -m sockkit doctor`: what it finds here, and what it would find elsewhere."""

import importlib.util
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sockkit.cli import abilities, doctor, versions
from sockkit.cli.finding import Finding, Mark

from .program import SOCKKIT, run

needs_descriptor_limit = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no limit of descriptors"
)


@pytest.fixture
def quick_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose packages come before those of this Python; its pip has no complaints."""
    (tmp_path / "pip.py").write_text("print('No broken requirements found.')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def marks(findings: list[Finding]) -> list[Mark]:
    return [finding.mark for finding in findings]


# As a whole.


def test_here_where_the_tests_run_nothing_essential_is_wrong() -> None:
    done = run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nNothing essential is wrong.\n")
    for part in (sys.executable, "a server and a client on 127.0.0.1", *doctor.CHECKS):
        assert part in done.stdout


def test_it_runs_with_the_standard_library_alone(quick_pip: Path) -> None:
    done = run("doctor", command=(sys.executable, "-S", "-W", "error", "-m", "sockkit"))
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())  # as if no line had been wrapped
    assert "for the lessons, but not installed here: jupyterlab, " in text
    assert "psutil is not installed" in text
    assert "frontrun is not installed" in text


def test_a_kernel_known_to_be_bad_makes_it_fail(quick_pip: Path) -> None:
    pretend(quick_pip, ipykernel="7.0.1", jupyterlab="4.4.9")
    done = run("doctor")
    assert done.returncode == 1
    assert "  BAD   ipykernel 7.0.1: " in done.stdout
    assert "repo2docker" in done.stdout
    assert done.stdout.endswith("\n1 thing must be mended: see BAD above.\n")


def test_versions_other_than_the_kit_wants_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, "Requires-Dist: psutil[extra]<6,>=5; extra == 'lessons'", sockkit="0.1.0")
    pretend(tmp_path, psutil="7.0")
    monkeypatch.syspath_prepend(tmp_path)
    texts = [finding.text for finding in versions.packages() if finding.mark is Mark.NOTE]
    assert "psutil is 7.0; the lessons are made with <6,>=5" in texts


def test_where_the_kit_is_not_installed_no_version_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [])
    assert set(marks(versions.packages())) == {Mark.NOTE}


@needs_descriptor_limit
def test_few_descriptors_are_noted_with_the_command_that_helps(quick_pip: Path) -> None:
    done = run("doctor", command=("sh", "-c", 'ulimit -S -n 256; exec "$@"', "sh", *SOCKKIT))
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert "note 256 descriptors for a process: a server can have about 2" in text
    assert "type `ulimit -n 2100` before `python lab.py`" in text


@needs_descriptor_limit
def test_where_no_more_descriptors_may_be_had_it_says_so(quick_pip: Path) -> None:
    done = run("doctor", command=("sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *SOCKKIT))
    assert "and 256 is all that may be asked for here" in " ".join(done.stdout.split())


def test_a_check_that_fails_itself_is_a_note_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> list[Finding]:
        raise ZeroDivisionError("no idea")

    def fine() -> list[Finding]:
        return [Finding(Mark.OK, "fine")]

    monkeypatch.setattr(doctor, "CHECKS", {"Both": (broken, fine)})
    assert doctor.run() == 0
    assert capsys.readouterr().out.splitlines() == [
        "Both",
        "  note  broken could not be tried: ZeroDivisionError: no idea",
        "  ok    fine",
        "",
        "Nothing essential is wrong.",
    ]


# Versions.


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ({}, [Mark.OK]),
        ({"ipykernel": "7.4.0", "jupyterlab": "4.6.6"}, [Mark.OK]),
        ({"ipykernel": "7.0.0"}, [Mark.BAD]),
        ({"ipykernel": "7.0.1", "jupyterlab": "4.4.9"}, [Mark.BAD]),
        ({"ipykernel": "7.0.2"}, [Mark.OK]),
        ({"ipykernel": "6.31.0"}, [Mark.NOTE]),
        ({"ipykernel": "7.4.0", "nest-asyncio": "1.6.0"}, [Mark.NOTE]),
        ({"ipykernel": "6.31.0", "nest-asyncio": "1.6.0"}, [Mark.NOTE]),
        ({"nest-asyncio": "1.6.0"}, [Mark.OK]),
        ({"pytest-check-links": "0.11.0", "pytest": "8.4.2"}, [Mark.BAD]),
        ({"pytest-check-links": "0.11.0", "pytest": "9.2.0"}, [Mark.NOTE]),
    ],
)
def test_pairs_of_versions(here: dict[str, str], expected: list[Mark]) -> None:
    assert marks(versions.judge(here)) == expected


@pytest.mark.parametrize(
    ("version", "specifier", "right"),
    [
        ("7.4.0", ">=7.4,<7.5", True),
        ("7.4", ">=7.4.0,<7.5", True),
        ("7.5.0", "<7.5,>=7.4", False),
        ("7.3.9", ">=7.4,<7.5", False),
        ("7.10.0", ">=7.9", True),
        ("0.11.0", "==0.11", True),
        ("0.11.1", "==0.11.0", False),
        ("9.0.0rc1", ">= 9, < 10", True),
        ("1.0", "", True),
        ("1.0", "!=1.0", True),
        ("1.0", "<=0.9", True),  # not understood, and so no bound
    ],
)
def test_ranges_of_versions(version: str, specifier: str, right: bool) -> None:
    assert versions.satisfies(version, specifier) is right


def test_a_python_that_is_not_the_one_of_the_lessons_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sockkit").mkdir()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    monkeypatch.setattr("sockkit.__file__", str(tmp_path / "sockkit" / "__init__.py"))
    last = versions.python()[-1]
    assert last.mark is Mark.NOTE
    assert str(tmp_path / ".venv") in last.advice
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert marks(versions.python()) == [Mark.OK, Mark.OK]


@pytest.mark.parametrize(
    ("pip", "expected"),
    [
        ("print('No broken requirements found.')", [Mark.OK]),
        ("exit('one wants pytest<9\\ntwo wants pytest<8')", [Mark.NOTE, Mark.NOTE]),
        ("raise ModuleNotFoundError('No module named pip')", [Mark.NOTE]),
        ("while True: pass", [Mark.NOTE]),
    ],
)
def test_whatever_pip_says(
    pip: str, expected: list[Mark], quick_pip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (quick_pip / "pip.py").write_text(pip)
    monkeypatch.setattr(versions, "PIP_PATIENCE", 20.0 if "while" not in pip else 0.2)
    assert marks(versions.pip_check()) == expected


# What works here, where it does not.


def test_without_a_loopback_address_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket, "create_server", refuse)
    (finding,) = abilities.loopback()
    assert finding.mark is Mark.BAD
    assert "Operation not permitted" in finding.text
    assert marks(abilities.loopback_ipv6()) == [Mark.NOTE]


@pytest.mark.parametrize(
    ("check", "missing"),
    [
        (abilities.user_timeout, ["TCP_USER_TIMEOUT"]),
        (abilities.keepalive, ["TCP_KEEPIDLE", "TCP_KEEPALIVE"]),
        (abilities.reuse_port, ["SO_REUSEPORT"]),
    ],
)
def test_socket_options_that_are_not_there_are_noted(
    check: Callable[[], list[Finding]], missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.delattr(socket, name, raising=False)
    assert marks(check()) == [Mark.NOTE]


@pytest.mark.parametrize("check", [abilities.browser, abilities.netcat])
def test_programs_that_are_not_there_are_noted(
    check: Callable[[], list[Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(abilities, "_PLACES", ())
    assert marks(check()) == [Mark.NOTE]


def test_psutil_that_sees_nothing_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    def forbidden(self: object, kind: str) -> list[object]:
        raise psutil.AccessDenied

    assert marks(abilities.connections_of_psutil()) == [Mark.OK]
    monkeypatch.setattr(psutil.Process, "net_connections", forbidden)
    assert marks(abilities.connections_of_psutil()) == [Mark.NOTE]
    monkeypatch.setattr(psutil.Process, "net_connections", lambda self, kind: [])
    assert marks(abilities.connections_of_psutil()) == [Mark.NOTE]


def test_the_schedule_explorer_is_named_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec("frontrun") is not None
    assert marks(abilities.schedule_explorer()) == [Mark.OK if found else Mark.NOTE]


def pretend(folder: Path, extra: str = "", **packages: str) -> None:
    """Have it look as if these versions were installed in this folder."""
    for name, version in packages.items():
        place = folder / f"{name}-{version}.dist-info"
        place.mkdir()
        lines = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", extra)
        (place / "METADATA").write_text("\n".join(filter(None, lines)) + "\n")
