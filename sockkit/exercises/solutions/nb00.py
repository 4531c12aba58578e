"""Model solutions of lesson 00."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D103

import asyncio
import platform
import threading

import sockkit


def environment():
    """What this kernel runs on."""
    return {"python": platform.python_version(), "sockkit": sockkit.__version__}


async def first_reply(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line.decode().rstrip("\n")


def where_am_i(connection, message):
    connection.send(threading.current_thread().name)
