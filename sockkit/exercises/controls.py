"""Controls without a page: as much of a button and of a field as callbacks and checks need.

Checks know nothing of ipywidgets. What they are given by a learner they use as these can be used.
"""

import threading
from collections.abc import Callable
from typing import Any


class Field:
    """Something with a `value`. Remembers what it became, and on which thread."""

    def __init__(self, value: Any = "") -> None:
        self._value = value
        self.changes: list[tuple[int, Any]] = []  # the thread's ident, the new value

    @property
    def value(self) -> Any:
        """What it shows now."""
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        if value != self._value:  # the same again: ipywidgets would send nothing either
            self._value = value
            self.changes.append((threading.get_ident(), value))


class Button:
    """Something that can be clicked."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Any], Any]] = []

    def on_click(self, callback: Callable[[Any], Any]) -> None:
        """Have `callback(button)` called at each click."""
        self._callbacks.append(callback)

    def click(self) -> None:
        """Do what a click does."""
        for callback in self._callbacks:
            callback(self)
