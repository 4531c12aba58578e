"""What both panels share: named controls, work off the callback's thread, errors that are shown.

A panel's controls are ipywidgets; its state is plain Python. A click only submits a job. Jobs and
sockets change the state, and the page's thread, and no other, copies it to the controls.
"""

import functools
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import ipywidgets

from sockkit.framing import Framing
from sockkit.text import plain
from sockkit.widgets.jobs import Jobs
from sockkit.widgets.lines import SHOWN, Line, LinesWidget, StatusWidget, sentence
from sockkit.widgets.page import Shown


class Panel(Shown):
    """Base of the panels. Any thread.

    Attributes:
        title: the heading.
        error: what went wrong with the last thing that was asked for; "" if nothing did.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = plain(title, 60)
        self.error = ""
        self._notes: deque[Line] = deque(maxlen=SHOWN)
        self._fields: dict[str, Any] = {}
        self._buttons: dict[str, Any] = {}
        done = functools.partial(_done, weakref.ref(self))
        self._jobs = Jobs(f"sockkit panel {self.title}", done)

    def press(self, button: str, timeout: float | None = 10.0) -> None:
        """Click the button with this text, from code, and wait for what it does.

        Raises:
            KeyError: no button has this text.
            TimeoutError: it is not done after `timeout` seconds. What fails is told by `error`.
        """
        self.make()
        self._buttons[button].click()
        if not self._jobs.wait(timeout):
            raise TimeoutError(f"{button} is not done after {timeout:g} s")

    def fill(self, **texts: Any) -> None:
        """Set the fields with these names: `panel.fill(Message="hello")`."""
        self.make()
        for name, value in texts.items():
            self._fields[name].value = value

    def note(self, text: str, kind: str = "note") -> None:
        """Add a line to the log."""
        self._notes.append(Line(time.time(), kind, text))

    def value(self, field: str) -> Any:
        """What a field holds now."""
        return self._fields[field].value

    def host(self) -> str:
        """What is in the host field.

        Raises:
            ValueError: nothing is.
        """
        host = str(self.value("Host")).strip()
        if not host:
            raise ValueError("type a host first: 127.0.0.1 is this machine")
        return host

    def message(self, framing: Framing) -> Any:
        """What is in the message field, as this framing carries it: text, or its UTF-8 bytes."""
        text = self.value("Message")
        try:
            framing.encode(text)
        except TypeError:
            return text.encode()
        return text

    def _button(self, text: str, action: str, hint: str) -> Any:
        """A button that does the method called `action` as a job. Holds the panel weakly."""
        button = ipywidgets.Button(description=text, tooltip=hint, layout={"width": "auto"})
        button.on_click(functools.partial(_submit, weakref.ref(self), text, action))
        self._buttons[text] = button
        return button

    def _text(self, name: str, value: str, hint: str, action: str = "", width: str = "") -> Any:
        """A text field; Enter does the method called `action`, the one of the button beside it."""
        layout = {"width": width} if width else {"flex": "1 1 160px"}
        field = ipywidgets.Text(value=value, description=name, placeholder=hint, layout=layout)
        if action:
            enter = functools.partial(_enter, weakref.ref(self), name, action)
            field.on_msg(enter)
        self._fields[name] = field
        return field

    def _number(self, name: str, value: int) -> Any:
        field = ipywidgets.IntText(value=value, description=name, layout={"width": "160px"})
        self._fields[name] = field
        return field

    def _frame(self, *parts: Any) -> Any:
        self._status = StatusWidget(label=self.title)
        self._status.on_msg(functools.partial(_typed, weakref.ref(self)))
        box = ipywidgets.VBox([self._status, *parts])
        box.add_class("sockkit-panel")
        return box

    def _enable(self, **enabled: bool) -> None:
        """Which buttons can be used now. Called by the page's thread."""
        for text, use in enabled.items():
            button = self._buttons[text.replace("_", " ")]
            if button.disabled == use:
                button.disabled = not use


def row(*controls: Any) -> Any:
    """Controls side by side; they wrap where the page is narrow."""
    box = ipywidgets.HBox(controls)
    box.add_class("sk-controls")
    return box


def lines_widget(label: str) -> LinesWidget:
    """A place for lines that takes its share of a row."""
    return LinesWidget(label=label, layout={"flex": "1 1 260px", "min_width": "0"})


# Callbacks of widgets: they hold the panel weakly, because ipywidgets holds widgets for ever.


def _submit(panel: Callable[[], Any], what: str, action: str, *_: Any) -> None:
    this = panel()
    if this is not None:
        this._jobs.submit(what, getattr(this, action))


def _enter(
    panel: Callable[[], Any], what: str, action: str, _: Any, content: Any, *__: Any
) -> None:
    if isinstance(content, dict) and content.get("event") == "submit":
        _submit(panel, what, action)


def _typed(panel: Callable[[], Any], status: Any, content: Any, *_: Any) -> None:
    """The page says what is in the text fields, just before a click, and asks who is there."""
    this = panel()
    if this is not None:
        for name, text in content["fields"].items():
            this._fields[name].set_state({"value": text})
        status.send({"kind": "here"})


def _done(panel: Callable[[], Any], what: str, error: Exception | None) -> None:
    this = panel()
    if this is not None:
        this.error = f"{what}: {sentence(error)}" if error else ""
        if error:
            this.note(this.error, "error")
