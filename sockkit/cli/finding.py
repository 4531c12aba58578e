"""What the doctor found out about one thing, and what to do about it."""

from enum import StrEnum
from typing import NamedTuple


class Mark(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"  # something is missing or odd; what it is for does not work
    BAD = "BAD"  # lessons or servers will fail


class Finding(NamedTuple):
    """One line of the doctor's, and the advice below it."""

    mark: Mark
    text: str
    advice: str = ""
