"""Whether the tests of races can run here."""

import os
import sys

import pytest

from sockkit.lab import races


def required() -> None:
    """Without frontrun: a failure in CI on Linux, a skip elsewhere."""
    missing = races.what_is_missing()
    if missing:
        must = os.environ.get("CI", "").lower() == "true" and sys.platform == "linux"
        (pytest.fail if must else pytest.skip)(missing)
