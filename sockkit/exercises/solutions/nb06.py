"""Model solutions of lesson 06: the roster and the panel."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="var-annotated"
# ruff: noqa: D101, D102, D103

import queue
from collections import deque
from types import MappingProxyType

from sockkit.exercises.controls import Button, Field


class Window:
    # In the notebook it is made of ipywidgets. These parts have the same names.
    def __init__(self):
        self.message, self.number, self.error = Field(), Field(1), Field()
        self.send, self.broadcast = Button(), Button()


class Roster:
    def __init__(self):
        self.here = {}

    def on_connect(self, connection):
        self.here[connection.number] = connection

    def on_disconnect(self, connection, reason):
        del self.here[connection.number]

    def snapshot(self):
        return MappingProxyType(self.here.copy())


class News:
    def __init__(self):
        self.waiting = queue.SimpleQueue()

    def on_connect(self, connection):
        self.waiting.put(f"{connection.number} joined")

    def on_disconnect(self, connection, reason):
        self.waiting.put(f"{connection.number} left")

    def news(self):
        return [self.waiting.get() for _ in range(self.waiting.qsize())]


class Log:
    def __init__(self, field):
        self.field = field
        self.newest = deque(maxlen=5)

    def add(self, text):
        self.newest.append(text)

    def flush(self):
        self.field.value = "\n".join(self.newest.copy())


def my_panel(server):
    window = Window()

    def clicked(button):
        window.error.value = ""
        try:
            if button is window.send:
                server.send(window.number.value, window.message.value)
            else:
                server.broadcast(window.message.value)
        except Exception as error:
            window.error.value = str(error)

    window.send.on_click(clicked)
    window.broadcast.on_click(clicked)
    return window
