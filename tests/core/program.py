"""A program in a process of its own, as somebody at a terminal or behind a pipe meets it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Self

from ..waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
SOCKKIT = (sys.executable, "-W", "error", "-m", "sockkit")


class Program:
    """A running child whose lines can be waited for; ended at the end of its `with` block.

    Attributes:
        out: the lines of its stdout so far.
        err: the lines of its stderr so far.
    """

    def __init__(self, *command: str, **options: Any) -> None:
        pipe = subprocess.PIPE
        streams = {"stdin": pipe, "stdout": pipe, "stderr": pipe}
        with _interruptible():
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=_environment(), encoding="utf-8", **streams | options
            )
        self.out: list[str] = []
        self.err: list[str] = []
        self._threads = [
            threading.Thread(target=_read, args=(stream, lines))
            for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err))
            if stream is not None
        ]
        for thread in self._threads:
            thread.start()
        self._told = 0  # lines of stdout that `line` has returned

    def line(self) -> str:
        """The next line of its stdout, once it is there."""
        until(lambda: len(self.out) > self._told)
        self._told += 1
        return self.out[self._told - 1]

    def remark(self, part: str) -> str:
        """The first line of its stderr with this in it, once it is there."""
        return until(lambda: next((line for line in self.err if part in line), ""))

    def type(self, text: str) -> None:
        """Write to its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end_input(self) -> None:
        """Close its stdin, as Ctrl-D does at a terminal."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def interrupt(self) -> None:
        """Do what Ctrl-C at its terminal does."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Its exit code, and all of its lines, once it has ended by itself."""
        code = self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):  # what was typed last stayed in the buffer
                    stream.close()


def run(*arguments: str, given: str | bytes = "", command: Sequence[str] = SOCKKIT) -> Any:
    """Run `python -m sockkit` to its end: a `CompletedProcess` with text in it."""
    data = given.encode() if isinstance(given, str) else given
    with _interruptible():
        done = subprocess.run(
            [*command, *arguments], input=data, capture_output=True, cwd=ROOT, env=_environment(),
            timeout=2 * PATIENCE,
        )  # fmt: skip
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def complaints(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """The lines of its stderr, without what debug mode says of slow steps: on a busy machine, any
    may be slow."""
    return [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]


class Serving(Program):
    """A running `python -m sockkit serve`, past its first two lines.

    Attributes:
        address: where it listens, as its first line says.
    """

    def __init__(self, *arguments: str) -> None:
        super().__init__(*SOCKKIT, "serve", *arguments)
        self.address = address_in(self.line())
        self.line()  # how else to try it


def address_in(first_line: str) -> tuple[str, int]:
    """Where a server listens, from its own first line."""
    host, port = first_line.partition(". ")[0].removeprefix("Listening on ").rsplit(":", 1)
    return host, int(port)


def _environment() -> dict[str, str]:
    # Debug mode tells on stderr what takes long on a busy machine; colours and widths are matters
    # of the terminal at which the tests are run.
    left_out = {"PYTHONASYNCIODEBUG", "FORCE_COLOR", "COLUMNS"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return kept | {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}


@contextmanager
def _interruptible() -> Iterator[None]:
    # A shell has its background jobs ignore Ctrl-C, and a child inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _read(stream: IO[str], lines: list[str]) -> None:
    for line in stream:
        lines.append(line.removesuffix("\n"))
