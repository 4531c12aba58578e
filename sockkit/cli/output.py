"""Printing that a pipe, an old terminal or a vanished reader can't bring down."""

import io
import os
import sys

from sockkit.text import plain


def make_printing_safe() -> None:
    """Have each line leave at once, and characters that the terminal lacks come out as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")


def nobody_reads() -> None:
    """Stdout is a pipe without a reader: let what is left in the buffer go nowhere, quietly.

    Otherwise the interpreter would try to write it once more when it exits, and complain.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def new_line_after_control_c() -> None:
    """Begin a new line where a terminal has just written ``^C`` into this one."""
    if sys.stdout is not None and sys.stdout.isatty():
        print()


def count(number: int, noun: str) -> str:
    """A number with its noun: ``1 client``, ``2 clients``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def remark(text: str) -> None:
    """Say something to the person, on stderr, apart from what the command is there to print."""
    if sys.stderr is not None:  # else it would come out on stdout
        print(text, file=sys.stderr)


def complain(text: str) -> None:
    """Say what did not work, as a remark that names the program."""
    remark(f"sockkit: {plain(text, 1000)}")
