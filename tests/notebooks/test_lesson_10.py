"""Lesson 10 goes on with the learner's own chat, which may be right in another way than the key."""

from pathlib import Path

from tools.notebooks import LESSONS, read

from .runs import executed, notebook

ASYNC = """
class Chat(ex.chat.model):
    async def on_disconnect(self, connection, reason):
        super().on_disconnect(connection, reason)

assert ex.chat.check(Chat)
with serving(Chat) as server, Guest(server, "Ada") as ada:
    Guest(server, "Ben").leave()
    assert ends.get(timeout=5) == "client 2: closed"
    assert ada.heard() == ["* 2 Ben left"]
    assert ada.who() == ["1 Ada"]
"""


def test_its_server_awaits_a_callback_that_is_a_coroutine_function(tmp_path: Path) -> None:
    cells = read(LESSONS / "10_capstone.ipynb").cells
    serving = next(cell.source for cell in cells if "def serving" in cell.source)
    executed(notebook(serving, ASYNC), tmp_path)
