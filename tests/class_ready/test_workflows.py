"""The workflows are sound, and run what the kit says it runs; GitHub itself is not asked."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.notebooks import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(path: Path) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = read(path)["jobs"]
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
class TestEach:
    def test_may_only_read_unless_a_job_says_what_more_it_needs(self, path: Path) -> None:
        assert read(path)["permissions"] == {"contents": "read"}
        more = [job["permissions"] for job in jobs(path).values() if "permissions" in job]
        assert more in ([], [{"id-token": "write"}])

    def test_ends_by_itself(self, path: Path) -> None:
        assert [name for name, job in jobs(path).items() if "timeout-minutes" not in job] == []

    def test_leaves_no_credentials_behind_a_checkout(self, path: Path) -> None:
        checkouts = [s for s in steps(path) if s.get("uses", "").startswith("actions/checkout")]
        assert [s for s in checkouts if s["with"] != {"persist-credentials": False}] == []

    def test_keeps_what_others_wrote_out_of_its_commands(self, path: Path) -> None:
        """A title or a branch's name in a command would be run by the shell."""
        assert [s["run"] for s in steps(path) if "${{" in s.get("run", "")] == []

    def test_runs_only_what_is_here(self, path: Path) -> None:
        commands = "\n".join(step.get("run", "") for step in steps(path))
        for module in re.findall(r"python -m (tools\.\w+)", commands):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
        for file in re.findall(r"(?:^|\s)((?:\.ci|notebooks)/[\w./]+|\w+\.py)\b", commands):
            assert (ROOT / file).is_file()


def test_ci_runs_the_students_command_on_every_system_and_python_of_the_package() -> None:
    matrix = jobs(FOLDER / "ci.yml")["lab"]["strategy"]["matrix"]
    prefix = "Programming Language :: Python :: "
    named = [text.removeprefix(prefix) for text in PROJECT["classifiers"] if prefix in text]
    assert matrix["python"] == [version for version in named if version.startswith("3.")]
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert {"run": "python lab.py test"} in steps(FOLDER / "ci.yml")


def test_each_week_the_newest_releases_are_tried() -> None:
    path = FOLDER / "newest.yml"
    (cron,) = read(path)[True]["schedule"]  # YAML takes the word "on" for a truth value
    assert re.fullmatch(r"\d+ \d+ \* \* \d", cron["cron"])
    (install,) = [s["run"] for s in steps(path) if "--editable" in s.get("run", "")]
    assert "requirements" not in install
    extras = set(re.search(r"\[(.+)\]", install)[1].split(","))
    assert extras | {"widgets"} == set(PROJECT["optional-dependencies"])


def test_a_release_is_built_apart_from_what_may_publish_it() -> None:
    both = jobs(FOLDER / "release.yml")
    assert "permissions" not in both["build"]
    assert both["publish"]["needs"] == "build"
    assert both["publish"]["environment"] == "pypi"
    assert [step["uses"].partition("@")[0] for step in both["publish"]["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]


def test_binder_is_replayed_with_the_python_of_the_image() -> None:
    version = (ROOT / "binder/runtime.txt").read_text("utf-8").strip().removeprefix("python-")
    setups = [s for s in steps(FOLDER / "binder.yml") if "setup-python" in s.get("uses", "")]
    assert {step["with"]["python-version"] for step in setups} == {version}
