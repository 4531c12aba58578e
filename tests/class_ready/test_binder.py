"""Binder's files fit the lock and the kit, and the command that replays its image reads it well.

The replay itself takes minutes and the network: `python -m tools.binder`.
"""

import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

import lab
from tools import binder, classroom
from tools.notebooks import ROOT, lessons

FOLDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = (FOLDER / "runtime.txt").read_text(encoding="utf-8").strip()

# As repo2docker 2026.4 writes it, shortened.
DOCKERFILE = """
RUN apt-get -qq update && \\
    apt-get -qq install locales
COPY --chown=0:0 src/binder/requirements.txt ${REPO_DIR}/binder/requirements.txt
USER root
# Copy stuff.
COPY --chown=0:0 src/ ${REPO_DIR}/
USER ${NB_USER}
RUN ${KERNEL_PYTHON_PREFIX}/bin/pip install \\
    -r "binder/requirements.txt"
RUN chmod +x binder/postBuild
RUN ./binder/postBuild
ENTRYPOINT ["/usr/local/bin/repo2docker-entrypoint"]
"""


def lines(name: str) -> list[str]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_what_is_installed_is_what_the_lessons_need_at_the_versions_of_the_lock() -> None:
    assert lines("requirements.txt") == ["-c ../requirements.txt", "-e .[lessons]"]
    assert "lessons" in PROJECT["optional-dependencies"]


@pytest.mark.parametrize("package", ["jupyterlab", "ipykernel"])
def test_the_lock_says_which_jupyterlab_and_which_kernel(package: str) -> None:
    assert re.search(rf"^{package}==", (ROOT / "requirements.txt").read_text("utf-8"), re.M)


def test_the_image_has_a_python_that_the_kit_runs_on() -> None:
    version = RUNTIME.removeprefix("python-")
    assert version in SpecifierSet(PROJECT["requires-python"])
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


def test_nothing_in_the_folder_makes_the_image_slow() -> None:
    """No package of Debian (apt.txt), none of conda (environment.yml)."""
    settings = {"jupyter_server_config.json", "overrides.json"}
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {"requirements.txt", "runtime.txt", "postBuild", *settings}


def test_every_jupyter_of_the_image_opens_the_first_lesson() -> None:
    settings: dict[str, Any] = json.loads((FOLDER / "jupyter_server_config.json").read_text())
    page = f"/lab/tree/{lessons()[0].relative_to(ROOT).as_posix()}"
    assert [app.get("default_url") for app in settings.values()] == [page] * 3
    assert binder.LESSON in page


def test_the_page_asks_as_little_as_the_one_that_lab_py_opens() -> None:
    settings = json.loads((FOLDER / "overrides.json").read_text())
    [place] = [name for name in lab.SETTINGS if "overrides.d" in name]
    assert settings == lab.SETTINGS[place]
    assert f'"$NB_PYTHON_PREFIX/{place}.json"' in (FOLDER / "postBuild").read_text()
    assert f'"$NB_PYTHON_PREFIX/{place}.json"' in classroom._POST_BUILD


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such mark")
def test_the_script_may_be_run() -> None:
    assert os.access(FOLDER / "postBuild", os.X_OK)


def test_only_the_steps_behind_the_copy_of_the_repository_are_replayed() -> None:
    assert binder.steps(DOCKERFILE) == [
        '${KERNEL_PYTHON_PREFIX}/bin/pip install      -r "binder/requirements.txt"',
        "chmod +x binder/postBuild",
        "./binder/postBuild",
    ]
    with pytest.raises(binder.ReplayError, match="never copies"):
        binder.steps("FROM nothing\nRUN true\n")


def test_the_python_of_the_image_is_what_repo2docker_says() -> None:
    said = "Using local repo ..\nBuilding conda environment for python=3.12\n"
    assert f"python-{binder.python_version(said)}" == "python-3.12"
    with pytest.raises(binder.ReplayError, match="names no Python"):
        binder.python_version("Using local repo ..")


def test_a_python_that_is_not_here_is_told() -> None:
    assert binder.find_python(".".join(map(str, sys.version_info[:2]))) == sys.executable
    with pytest.raises(binder.ReplayError, match=r"no Python 3\.99 here"):
        binder.find_python("3.99")


def test_a_python_that_is_none_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        binder, "write_dockerfile", lambda *_: ("", "conda environment for python=3.12")
    )
    assert binder.main(["--python", "no-such-python"]) == 1
    assert "No such file or directory: 'no-such-python'" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="a script that a system runs")
def test_a_command_that_only_looks_like_a_python_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switched_off = tmp_path / "python3.99"
    switched_off.write_text("#!/bin/sh\nexit 127\n")
    switched_off.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(binder.ReplayError, match=r"no Python 3\.99 here"):
        binder.find_python("3.99")


def test_a_file_with_two_names_takes_its_space_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(2_000_000))
    (tmp_path / "b").write_bytes(bytes(1_000_000))
    assert binder.megabytes(tmp_path) == 3.0
    os.link(tmp_path / "a", tmp_path / "c")
    assert binder.megabytes(tmp_path) == 3.0


@pytest.mark.skipif(os.name == "nt", reason="the steps of an image are for bash")
def test_a_step_sees_the_environment_and_one_that_fails_is_named(tmp_path: Path) -> None:
    home = tmp_path / "environment"
    step = 'echo "$KERNEL_PYTHON_PREFIX" > "$REPO_DIR/prefix"'
    binder.replay([step], tmp_path, home)
    assert (tmp_path / "prefix").read_text().strip() == str(home)
    with pytest.raises(binder.ReplayError, match="exit 3"):
        binder.replay(["exit 3"], tmp_path, home)
