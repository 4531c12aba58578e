"""Inputs that are kept: one file for each target, one bytes literal a line, short ones first."""

import ast
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import sockkit

FOLDER = Path(__file__).with_name("corpus")
KIT = str(Path(sockkit.__file__).parent)

Arc = tuple[str, int, int]


def load(name: str) -> list[bytes]:
    """The inputs of a target; an empty one, if there are none yet."""
    file = FOLDER / f"{name}.txt"
    text = file.read_text(encoding="ascii") if file.exists() else "b''"
    return [ast.literal_eval(line) for line in text.splitlines()]


def save(name: str, inputs: Iterable[bytes]) -> None:
    """Keep these inputs, and no others."""
    lines = [f"{data!r}\n" for data in sorted(inputs, key=lambda data: (len(data), data))]
    (FOLDER / f"{name}.txt").write_text("".join(lines), encoding="ascii", newline="\n")


def smallest_cover(play: Callable[[bytes], None], inputs: Iterable[bytes]) -> list[bytes]:
    """Of these inputs, short ones first, each that takes a way through the kit not taken yet."""
    seen: set[Arc] = set()
    kept = []
    for data in sorted(set(inputs), key=lambda data: (len(data), data)):
        arcs = arcs_of(play, data)
        if not arcs <= seen:
            seen |= arcs
            kept.append(data)
    return kept


def arcs_of(play: Callable[[bytes], None], data: bytes) -> set[Arc]:
    """The steps from line to line that the kit takes for this input."""
    arcs: set[Arc] = set()
    lines: dict[int, int] = {}

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(KIT):
            return None
        if event in ("line", "return"):
            line = frame.f_lineno if event == "line" else -1
            arcs.add((file, lines.get(id(frame), 0), line))
            lines[id(frame)] = line
        if event == "return":
            lines.pop(id(frame), None)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        play(data)
    finally:
        sys.settrace(before)
    return arcs
