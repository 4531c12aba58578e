"""Make the parts of the README that were not written but happened: what commands really print.

    python -m tools.readme            # run them and write README.md
    python -m tools.readme --check    # write nothing; fail where README.md is out of date

Between `<!-- made: NAME -->` and `<!-- end -->` stands what `PARTS[NAME]` returns. Ports are chosen
by the system and differ each time; they are not compared.
"""

import argparse
import difflib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
WORDS = ("hello", "is anybody there?")
_MADE = re.compile(r"<!-- made: (.+?) -->\n(.*?)<!-- end -->", re.DOTALL)
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def ten_lines() -> str:
    """What the README's program prints."""
    program = _CODE.search(README.read_text(encoding="utf-8"))
    assert program is not None
    command = [sys.executable, "-W", "error", "-c", program[1]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    return _block("text", done.stdout)


def terminals() -> str:
    """A server and two clients, one of them not ours, each in a terminal of its own."""
    with _started("serve") as server:
        listening = _lines(server, 2)
        host, port = listening[0].rsplit(" ", 2)[1:]
        with _started("nc", host, port) as nc:
            listening += _lines(server, 1)
            typed = []
            for word in WORDS:
                _type(nc, word)
                typed += [word, *_lines(nc, 1)]
                listening += _lines(server, 1)
            nc.send_signal(signal.SIGINT)
        listening += _lines(server, 1)
        with _started("connect", host, port) as client:
            listening += _lines(server, 1)
            connected = _lines(client, 1)
            _type(client, WORDS[0])
            connected += [WORDS[0], *_lines(client, 1)]
            listening += _lines(server, 1)
            server.send_signal(signal.SIGINT)
            connected += _lines(client, 1)
        listening += ["^C", *_lines(server, 2)]
    return (
        _block("console", "$ python -m sockkit serve", *listening)
        + "\nIn a second terminal, with a program that knows nothing of sockkit:\n\n"
        + _block("console", f"$ nc {host} {port}", *typed, "^C")
        + "\nAnd in a third one:\n\n"
        + _block("console", f"$ python -m sockkit connect {host} {port}", *connected)
    )


PARTS: dict[str, Callable[[], str]] = {
    "what the ten lines print": ten_lines,
    "three terminals": terminals,
}


def made(text: str) -> dict[str, str]:
    """The parts that a README holds now, by name."""
    return {match[1]: match[2] for match in _MADE.finditer(text)}


def with_parts(text: str, parts: dict[str, str]) -> str:
    """A README with these parts in place of its own."""
    return _MADE.sub(lambda m: f"<!-- made: {m[1]} -->\n{parts[m[1]]}<!-- end -->", text)


def without_ports(text: str) -> str:
    """A part, as it is compared: each port is called PORT."""
    return re.sub(r"(127\.0\.0\.1[ :])\d+", r"\1PORT", text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.readme")
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    options = parser.parse_args(arguments)
    text = README.read_text(encoding="utf-8")
    stored, fresh = made(text), {name: make() for name, make in PARTS.items()}
    if options.check:
        before, after = (without_ports(with_parts(text, parts)) for parts in (stored, fresh))
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True)))
        return int(before != after)
    changed = {n: fresh[n] for n in stored if without_ports(stored[n]) != without_ports(fresh[n])}
    README.write_text(with_parts(text, stored | changed), encoding="utf-8")
    print("written:", ", ".join(changed) or "nothing new")
    return 0


def _block(language: str, *lines: str) -> str:
    body = "\n".join(line.rstrip("\n") for line in lines)
    return f"```{language}\n{body}\n```\n"


class _Terminal(subprocess.Popen[str]):
    """A program in a terminal: what is typed, and what it prints, stdout and stderr together."""

    keyboard: int


@contextmanager
def _started(*command: str) -> Iterator[_Terminal]:
    if command[0] != "nc":
        command = (sys.executable, "-m", "sockkit", *command)
    keyboard, terminal = os.openpty()
    # A shell has its background jobs ignore Ctrl-C, and a child inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = _Terminal(
        command, cwd=ROOT, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    process.keyboard = keyboard
    try:
        with process:
            try:
                yield process
            finally:
                process.terminate()
    finally:
        os.close(keyboard)
        os.close(terminal)


def _lines(process: _Terminal, count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().rstrip("\n") for _ in range(count)]


def _type(process: _Terminal, text: str) -> None:
    os.write(process.keyboard, text.encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
