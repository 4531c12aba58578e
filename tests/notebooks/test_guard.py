"""The guard names everything that a notebook leaves behind, and nothing else."""

from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError

from tools.guard import guarded

from .runs import executed, notebook

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(120)]

LEAKS = """\
import asyncio, socket, subprocess, sys, threading
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
threading.Thread(target=threading.Event().wait, name="forgotten", daemon=True).start()
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)"""


def test_it_names_the_thread_the_task_the_sockets_and_the_child(tmp_path: Path) -> None:
    leaking = notebook(LEAKS, "task = asyncio.create_task(asyncio.sleep(99), name='waiting')")
    with pytest.raises(CellExecutionError) as caught:
        executed(guarded(leaking), tmp_path)
    said = str(caught.value)
    assert "this notebook leaves behind" in said
    assert "thread forgotten still runs" in said
    assert "task waiting still waits" in said
    assert "a listener on port" in said
    assert "a connection from port" in said
    assert "child process" in said


def test_a_tidy_notebook_passes_twice_though_things_end_late(tmp_path: Path) -> None:
    tidy = notebook(
        "import asyncio, threading, time",
        "threading.Thread(target=time.sleep, args=(0.3,)).start()",
        "task = asyncio.create_task(asyncio.sleep(0.3))",
        "from sockkit import Client, Server",
        "with Server(lambda c, text: c.send(text)) as server, Client(server.address) as client:\n"
        "    client.send('hello')\n"
        "    print(client.recv())",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])",
    )
    executed(guarded(tidy, times=2), tmp_path)


def test_a_thread_that_jupyter_makes_for_a_large_output_is_not_the_notebooks(
    tmp_path: Path,
) -> None:
    # In lines: nbclient takes half a minute to look through a line so long.
    large = notebook("import threading\nprint('x\\n' * 100_000)\n'x' * 200_000")
    executed(guarded(large), tmp_path)
