"""Which order of events loses? Races found by exploring schedules, not by luck.

Today's CPython hides the textbook race: `count += 1` in two threads loses nothing in a million
tries. It is still a race. `explore` runs your threads under a scheduler that decides who goes on
at every access to what they share, and finds the order that loses, each time:

    from sockkit.lab import races

    class Counter:
        def __init__(self): self.value = 0
        def add(self): self.value += 1

    races.explore(Counter, [Counter.add, Counter.add], lambda c: c.value == 2)

The answer shows itself as a picture in a notebook and as text in a terminal. If no schedule loses,
it says what was explored, and what was not. `DEMOS` holds races worth knowing, and their repairs.
"""

from sockkit.lab.races.demos import DEMOS, Demo
from sockkit.lab.races.explorer import explore, what_is_missing
from sockkit.lab.races.packing import CannotExplore
from sockkit.lab.races.result import Result, Step

__all__ = ["DEMOS", "CannotExplore", "Demo", "Result", "Step", "explore", "what_is_missing"]
