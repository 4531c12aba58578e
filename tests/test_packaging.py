"""What is installed, and what is shipped: the lock, the extras and the wheel agree."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sockkit

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
PINS = [line for line in LOCK.splitlines() if line and not line.lstrip().startswith("#")]
LOCKED = {canonicalize_name(pin.partition("==")[0]) for pin in PINS}
WANTED = {
    requirement
    for extra in PROJECT["optional-dependencies"].values()
    for requirement in map(Requirement, extra)
    if requirement.name != "sockkit"
}


class TestTheLock:
    def test_names_no_address_and_sets_no_option(self):
        assert "://" not in LOCK
        assert [pin for pin in PINS if pin.startswith("-")] == []

    def test_pins_every_package(self):
        assert [pin for pin in PINS if not re.match(r"[a-z0-9-]+==[\w.]+( ; .+)?$", pin)] == []

    @pytest.mark.parametrize("requirement", sorted(WANTED, key=str), ids=lambda wanted: wanted.name)
    def test_holds_what_the_extras_ask_for(self, requirement):
        versions = re.findall(rf"^{re.escape(requirement.name)}==(\S+)", LOCK, re.MULTILINE)
        assert versions != []
        assert all(requirement.specifier.contains(version) for version in versions)

    @pytest.mark.parametrize(
        "name",
        ["ipykernel", "ipywidgets", "jupyterlab", "nbval", "nest-asyncio", "pytest", "hatchling"],
    )
    def test_holds_what_a_lesson_or_a_test_cannot_do_without(self, name):
        assert name in LOCKED

    def test_leaves_out_what_would_hold_pytest_back(self):
        assert "pytest-check-links" not in LOCKED


def test_the_core_needs_only_the_standard_library():
    assert PROJECT["dependencies"] == []


def test_the_wheel_holds_every_file_of_the_package(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    assert Path(wheel).name == f"sockkit-{sockkit.__version__}-py3-none-any.whl"
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("sockkit/")}
    files = {path.relative_to(ROOT) for path in (ROOT / "sockkit").rglob("*") if path.is_file()}
    caches = {path for path in files if any(part.startswith((".", "__pyc")) for part in path.parts)}
    assert shipped == {path.as_posix() for path in files - caches}
    assert "sockkit/py.typed" in shipped
