"""Has this answer been touched? An empty stub is neither right nor wrong, only not attempted yet.

Looks at what a function would do (its bytecode), never at its text: a stub typed into a terminal
has no text to look at.
"""

import dis
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

_BLANKS = (None, ..., NotImplemented)


def untouched(answer: Any) -> bool:
    """Whether the answer is still the stub, or holds a ``...`` that waits to be replaced.

    A function is a stub while its body is empty (a docstring, ``...`` or ``pass``) or only raises
    NotImplementedError; a class, while all its public methods are stubs.
    """
    if any(answer is blank for blank in _BLANKS):
        return True
    if isinstance(answer, dict):
        return untouched(list(answer.values()))
    if isinstance(answer, list | tuple):
        # None in it is no blank, but may be what a call of `print` has returned.
        return any(value is not None and untouched(value) for value in answer)
    if inspect.isclass(answer):
        return _is_stub_class(answer)
    function = inspect.unwrap(answer) if callable(answer) else None
    return isinstance(function, FunctionType) and _is_stub(function)


def _is_stub_class(answer: type) -> bool:
    if answer.__module__ == "builtins":
        return False
    methods = {n: value for n, value in _bare(answer).items() if isinstance(value, FunctionType)}
    public = [method for name, method in methods.items() if not name.startswith("_")]
    if public or any(base is not object for base in answer.__bases__):
        return bool(public) and all(_is_stub(method) for method in public)
    return all(_is_stub(method) for method in methods.values())  # called like a function, perhaps


def _bare(answer: type) -> dict[str, Any]:
    """What the class defines; of a static or class method, the function itself."""
    wrapped = (staticmethod, classmethod)
    return {
        name: value.__func__ if isinstance(value, wrapped) else value
        for name, value in vars(answer).items()
    }


def _is_stub(function: FunctionType) -> bool:
    return _shape(function.__code__) in _STUB_SHAPES


def _shape(code: CodeType) -> tuple[tuple[str, Any], ...]:
    """What the code does, without the text of a message: that may differ from stub to stub."""
    shape = []
    for step in dis.get_instructions(code):
        text = step.opname == "LOAD_CONST" and isinstance(step.argval, str)
        shape.append((step.opname, "text" if text else step.argval))
    return tuple(shape)


def _pass() -> None: ...


async def _async_pass() -> None: ...


def _raise() -> None:
    raise NotImplementedError


async def _async_raise() -> None:
    raise NotImplementedError


def _raise_call() -> None:
    raise NotImplementedError("text")


async def _async_raise_call() -> None:
    raise NotImplementedError("text")


_STUBS: tuple[Callable[..., Any], ...] = (
    _pass,
    _async_pass,
    _raise,
    _async_raise,
    _raise_call,
    _async_raise_call,
)
_STUB_SHAPES = {_shape(stub.__code__) for stub in _STUBS}
