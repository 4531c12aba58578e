"""What counts as not attempted, and what does not."""

import functools
from typing import Any

import pytest

from sockkit.exercises.attempt import untouched


def dots(a, b): ...


def passes(a):
    """With a docstring."""
    pass


def raises(a):
    raise NotImplementedError


def raises_with_a_message(a):
    """Also with a docstring."""
    raise NotImplementedError("write me")


async def async_dots(a, *, key=None): ...


async def async_raises(a):
    raise NotImplementedError("me too")


def timed(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


@timed
def decorated(a): ...


class Methods:
    """To be filled in."""

    limit = 10

    def __init__(self):
        self.buffer = b""

    def feed(self, data):
        """Feed it."""
        ...

    def close(self):
        raise NotImplementedError


class Nothing: ...


class StaticStub:
    @staticmethod
    def feed(data): ...

    @classmethod
    def close(cls): ...


def returns_something(a):
    return a


def calls(a):
    print(a)


def raises_something_else(a):
    raise ValueError


def raises_after_work(a):
    print(a)
    raise NotImplementedError


def yields():
    yield


class OneMethodDone(Methods):
    def feed(self, data):
        return [data]


class Inherits(OneMethodDone): ...


class StaticMethodDone:
    @staticmethod
    def feed(data):
        return [data]


class ClassMethodDone:
    @classmethod
    def feed(cls, data):
        return [data]


@pytest.mark.parametrize(
    "stub",
    [
        ...,
        None,
        NotImplemented,
        dots,
        passes,
        raises,
        raises_with_a_message,
        async_dots,
        async_raises,
        lambda: None,
        decorated,
        Methods,
        Nothing,
        StaticStub,
        {"a": 1, "b": ...},
        [1, ...],
        ("x", {"y": ...}),
    ],
)
def test_a_stub_is_untouched(stub: Any) -> None:
    assert untouched(stub)


@pytest.mark.parametrize(
    "answer",
    [
        0,
        "",
        False,
        [],
        {},
        {"a": 1},
        {"a": print()},
        [1, None],
        returns_something,
        calls,
        raises_something_else,
        raises_after_work,
        yields,
        print,
        int,
        functools.partial(calls, 1),
        OneMethodDone,
        Inherits,
        StaticMethodDone,
        ClassMethodDone,
        OneMethodDone(),
        calls.__call__,
    ],
)
def test_an_answer_is_not(answer: Any) -> None:
    assert not untouched(answer)
