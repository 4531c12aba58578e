"""One tree of exceptions, drawn in the docstring of its module."""

import inspect
import re

import pytest

import sockkit
from sockkit import errors
from sockkit.errors import ConnectionLost, MessageTooLarge, ProtocolError, SockkitError
from sockkit.events import Reason

TREE = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, SockkitError)
]
NAMES = {error.__name__ for error in TREE}


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = re.findall(r"^ *([│├└─ ]*)(\w+)", errors.__doc__ or "", re.MULTILINE)
    depth_of = {name: len(branch) // 4 for branch, name in drawn if name in NAMES}
    assert depth_of == {error.__name__: len(error.__mro__) - base(error) for error in TREE}


def base(error: type[Exception]) -> int:
    """How long the line of ancestors would be at the root of the tree, with its other parents."""
    others = {kind for kind in error.__mro__ if not issubclass(kind, SockkitError)}
    return len(others) + 1


def test_every_error_is_public() -> None:
    assert set(sockkit.__all__) >= NAMES


@pytest.mark.parametrize(
    ("ours", "builtin"), [("ConnectionLost", ConnectionError), ("UnknownClient", LookupError)]
)
def test_two_of_them_are_caught_by_builtin_names_too(ours: str, builtin: type[Exception]) -> None:
    assert issubclass(getattr(errors, ours), builtin)


def test_connection_lost_says_how() -> None:
    assert str(ConnectionLost(Reason.RESET)) == "the connection has ended: reset"
    assert ConnectionLost(Reason.RESET).reason is Reason.RESET
    assert str(ConnectionLost(Reason.RESET, "in my words")) == "in my words"


def test_a_protocol_error_carries_what_was_good() -> None:
    assert ProtocolError("bad").messages == []
    assert MessageTooLarge("too long", ["good"]).messages == ["good"]
