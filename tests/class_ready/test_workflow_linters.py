"""What linters say of the workflows and forms; none of them asks the network here."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.notebooks import ROOT

SCRIPTS = Path(sys.executable).parent
GITHUB = ROOT / ".github"


def lint(name: str, *arguments: str) -> None:
    tool = next((path for path in SCRIPTS.glob(f"{name}*") if path.stem == name), None)
    if tool is None:
        pytest.fail(f"{name} is not installed: it belongs to the extra `test` of pyproject.toml")
    command = [str(tool), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_follow_githubs_schema() -> None:
    files = sorted(map(str, (GITHUB / "workflows").glob("*.yml")))
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)


def test_the_issue_forms_follow_githubs_schema() -> None:
    forms = (GITHUB / "ISSUE_TEMPLATE").glob("*.yml")
    files = sorted(str(path) for path in forms if path.name != "config.yml")
    lint("check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *files)


def test_the_workflows_hold_no_known_weakness() -> None:
    lint("zizmor", "--offline", "--no-progress", str(GITHUB))


def test_the_spelling_is_right() -> None:
    kinds = ["*.md", "*.ipynb", "*.py", "*.yml", "*.toml"]
    command = ["git", "ls-files", *kinds]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lint("codespell", *[name for name in listed.stdout.splitlines() if (ROOT / name).is_file()])


def test_before_a_commit_the_same_version_looks_at_the_spelling() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    rev = hooks.partition("/codespell\n    rev: v")[2].partition("\n")[0]
    assert f"codespell=={rev}\n" in (ROOT / "requirements.txt").read_text(encoding="utf-8")
