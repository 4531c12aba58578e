"""Five chat servers, each wrong in one way that real servers are wrong in, and a sound one.

Good tests are a classifier: they pass on the sound server and at least one fails on each broken
one. So the broken ones are the same as the sound one but for one decision, and wrong only in what a
user would notice.
"""

from sockkit.exercises.broken.faulty import (
    CountsSeats,
    GoesByName,
    HearsOnlyResets,
    KeepsOldRooms,
    SweepsWhileTelling,
)
from sockkit.exercises.broken.sound import Sound

BROKEN = (CountsSeats, GoesByName, SweepsWhileTelling, HearsOnlyResets, KeepsOldRooms)

__all__ = [
    "BROKEN",
    "CountsSeats",
    "GoesByName",
    "HearsOnlyResets",
    "KeepsOldRooms",
    "Sound",
    "SweepsWhileTelling",
]
