"""How functions travel to the child process, and what they are called on the way back.

A function of a notebook cell is in no file that a child could import, so it is sent with its code
and the global variables it uses; cloudpickle does that. Functions of modules go by name. The text
of a line stays here: this process knows the cells.
"""

import importlib.machinery
import inspect
import io
import linecache
import sys
import types
from collections.abc import Iterator
from typing import Any

from sockkit.errors import SockkitError


class CannotExplore(SockkitError):
    """The question can't be put to the explorer, or has no answer; one sentence says why."""


class Package:
    """The functions of one question, as bytes.

    Attributes:
        data: `(setup, threads, invariant)`, pickled.

    Raises:
        CannotExplore: one of them uses something that can't be copied.
    """

    def __init__(self, setup: Any, threads: list[Any], invariant: Any) -> None:
        self._aliases: dict[str, str] = {}
        functions = (setup, *threads, invariant)
        try:
            self.data = self._pickled((setup, threads, invariant), functions)
        except Exception as error:
            raise CannotExplore(self._blame(functions, error)) from None

    def line(self, file: str, number: int) -> str:
        """The text of a line, from the file name that the child knows."""
        real = {alias: name for name, alias in self._aliases.items()}.get(file, file)
        return linecache.getline(real, number).strip() or f"line {number}"

    def _pickled(self, value: Any, functions: tuple[Any, ...]) -> bytes:
        import cloudpickle  # type: ignore[import-untyped]  # it has none

        aliases = self._aliases

        class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
            def reducer_override(self, obj: Any) -> Any:
                # frontrun skips generated code, which it knows by a file name in angle brackets.
                # What is typed into a terminal has such names too.
                if isinstance(obj, types.CodeType) and obj.co_filename.startswith("<"):
                    alias = aliases.setdefault(obj.co_filename, f"cell {len(aliases) + 1}")
                    return self.dispatch_table[types.CodeType](obj.replace(co_filename=alias))
                return super().reducer_override(obj)

        file = io.BytesIO()
        strangers = _modules_nobody_can_import(functions)
        for module in strangers:
            cloudpickle.register_pickle_by_value(module)
        try:
            Pickler(file).dump(value)
        finally:
            for module in strangers:
                cloudpickle.unregister_pickle_by_value(module)
        return file.getvalue()

    def _blame(self, functions: tuple[Any, ...], error: Exception) -> str:
        """Which function uses what that can't be copied."""
        for function in functions:
            for name, value in _used_by(function):
                try:
                    self._pickled(value, functions)
                except Exception as reason:
                    return (
                        f"{name_of(function)} uses {name}, which can't be copied to the child "
                        f"process ({reason}): make it in setup"
                    )
        return f"the functions can't be copied to the child process ({error})"


def _modules_nobody_can_import(functions: tuple[Any, ...]) -> list[types.ModuleType]:
    """Modules loaded by other means than the import path, as pytest loads its tests."""
    names = {str(getattr(function, "__module__", "")) for function in functions} - {"__main__"}
    modules = (sys.modules.get(name) for name in sorted(names))
    return [module for module in modules if module is not None and not _can_be_imported(module)]


def _can_be_imported(module: types.ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    path, full_name = None, ""
    for name in module.__name__.split("."):
        full_name = f"{full_name}.{name}".lstrip(".")
        spec = importlib.machinery.PathFinder.find_spec(full_name, path)
        if spec is None:
            return file is None  # Built in.
        path = spec.submodule_search_locations
    return spec is not None and spec.origin == file


def _used_by(function: Any) -> Iterator[tuple[str, Any]]:
    """Names and values from outside that a function, or the methods of a class, work with."""
    members = vars(function).values() if isinstance(function, type) else [function]
    for member in members:
        if inspect.isfunction(member):
            used = inspect.getclosurevars(member)
            yield from used.nonlocals.items()
            yield from used.globals.items()


def name_of(function: Any) -> str:
    """A function's name for people; of a lambda, its expression."""
    if getattr(function, "__name__", "") == "<lambda>":
        return _expression(function.__code__) or "lambda"
    name: str = getattr(function, "__qualname__", type(function).__name__)
    return name.split("<locals>.")[-1]


def _expression(code: types.CodeType) -> str:
    """The source text of a lambda's body: what its instructions span."""
    spans = [
        (first, start, last, end)
        for first, last, start, end in code.co_positions()
        if first is not None and last is not None and end  # The opening RESUME spans nothing.
    ]
    if not spans:
        return ""
    (first, start), (last, end) = min(s[:2] for s in spans), max(s[2:] for s in spans)
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return " ".join(b" ".join(lines).decode(errors="replace").split())
