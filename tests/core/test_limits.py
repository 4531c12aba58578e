"""Bounds are checked when they are set, not when they are first reached."""

import ast
import dataclasses
import inspect
import itertools
from typing import Any

import pytest

from sockkit.limits import Limits

FIELDS = [field.name for field in dataclasses.fields(Limits)]
REQUIRED = ["max_message", "max_pending", "linger"]


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [0, -1, -0.5])
def test_no_bound_is_zero_or_less(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be more than 0"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", ["10", [1], object()])
def test_a_bound_is_a_number(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name):
        Limits(**{name: value})


@pytest.mark.parametrize("name", FIELDS)
def test_not_a_number_is_no_bound(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: float("nan")})


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in REQUIRED])
def test_none_lifts_a_bound(name: str) -> None:
    assert getattr(Limits(**{name: None}), name) is None


@pytest.mark.parametrize("name", REQUIRED)
def test_some_bounds_cannot_be_lifted(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        Limits(**{name: None})


def test_limits_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().max_clients = 5  # type: ignore[misc]


def test_every_bound_says_what_it_is_and_why() -> None:
    body = ast.parse(inspect.getsource(Limits)).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, text in itertools.pairwise(body.body):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(text, ast.Expr), f"{ast.unparse(field)} has no docstring"
