"""A function of three lines, and an order in which two threads run them, as a learner writes it."""

from typing import Any

from sockkit.exercises.interleaved import pause
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

LINES = 3
"""Of the function."""


def arrive(room: Any, name: str) -> None:
    """The function of the page; another thread may go on before each of its lines."""
    pause()
    vars(room)["count"] += 1
    pause()
    vars(room)["clients"].append(name)
    pause()
    vars(room)["told"][name] = vars(room)["count"]


def letters_of(answer: Any) -> str:
    """The order as letters A and B alone, in whatever form it was written.

    Raises:
        NotYet: there is another letter in it, or one of the two too often.
    """
    if not isinstance(answer, str | list | tuple):
        kind = type(answer).__name__
        raise NotYet(f"Your order is of type `{kind}`.", "text: the letters A and B.")
    pieces = [str(piece) for piece in answer] if isinstance(answer, list | tuple) else [str(answer)]
    letters = "".join(char for char in "".join(pieces).upper() if char.isalnum())
    others = sorted(set(letters) - {"A", "B"})
    if others or not letters:
        found = f"`{plain(others[0], 10)}`" if others else "no letter"
        raise NotYet(f"In your order I found {found}.", "the letters A and B.")
    for letter in "AB":
        if letters.count(letter) > LINES:
            raise NotYet(
                f"Your order has {letters.count(letter)} times {letter}.",
                f"at most {LINES}: so many lines there are.",
            )
    return letters
