"""The fault catalogue: what can go wrong on the wire, and what the kit promises for each.

Every row is provoked by a test of this folder, which is marked with the row's name and tells what
it measured. The table of all figures stands at the end of the tests' output.
"""

from typing import NamedTuple

from ..sizes import FULL

CATALOGUE = {
    "polite close (FIN)": "one CLOSED, after every complete message; within 50 ms",
    "half-close": "finishes the queued replies, then closes",
    "reset": "RESET, and nothing on stderr; within 50 ms",
    "silence, cable cut": "TIMED_OUT at the interval + 0.5 s",
    "slow reader": "goes as TOO_SLOW; holds the bound + one message; nobody waits for it",
    "fast sender, slow handler": "not read until the handler catches up; memory stays flat",
    "slow loris": "cut when message_timeout is over, ± 0.5 s",
    "oversize message": "PROTOCOL_ERROR; memory at most the bound + one read",
    "garbage, invalid UTF-8": "PROTOCOL_ERROR for that client, no other notices",
    "out of file descriptors": "the connected are served on; accepts again 1.5 s after relief",
    "too many clients": "told so and REFUSED; never over the bound, no number used up",
    "disconnect storm": "list, callbacks and descriptors agree: none left, none twice",
    "handler raises": "logged with the number, HANDLER_ERROR; the others never notice",
    "handler never returns": "stop() ends within grace + 2 s, and names it",
    "send to a client that has gone": "accepted, or UnknownClient or ConnectionLost",
    "stop() from many threads, or during sends": "all return; later calls get ClosedError",
    "start and stop again": "the same port at once; nothing left behind",
    "kernel interrupt during a wait": "the wait ends, the server lives, the next call works",
    "interpreter exit with a running server": "code 0 within 3 s, nothing on stderr",
    "forgotten server": "ResourceWarning; its port becomes free",
    "fork": "the child gets a clear error; the parent's clients see their FIN within 50 ms",
    "many threads sending": "each thread's order kept; nothing lost, doubled or torn",
}


class Figure(NamedTuple):
    """What a test measured for a row."""

    row: str
    text: str


def size(full: int, usual: int) -> int:
    """The catalogue's own number where SOCKKIT_FIGURES=1 asks for it, else one that is quick."""
    return full if FULL else usual


def bound(fulfilled: bool, what: str) -> None:
    """A bound on time: it holds on a quiet machine, which SOCKKIT_FIGURES=1 says this is.

    Elsewhere the figure is told all the same, and nobody fails because somebody else is busy.
    """
    assert fulfilled or not FULL, what


def table(figures: list[Figure]) -> list[str]:
    """The catalogue as lines of text: each row with its promise, and below them its figures."""
    lines = []
    for row, promise in CATALOGUE.items():
        lines.append(f"{row}: {promise}")
        measured = [figure.text for figure in figures if figure.row == row]
        lines += [f"    {text}" for text in measured or ["not measured in this run"]]
    return lines
