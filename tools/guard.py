"""A notebook between two cells that watch it: what it leaves behind makes the last one fail."""

import copy
from typing import Any

from nbformat.v4 import new_code_cell

_BEFORE = """\
from sockkit.exercises.leftovers import Guard as _Guard

_guard = _Guard()"""

_AFTER = """\
_left = await _guard.left()
if _left:
    raise AssertionError("this notebook leaves behind: " + "; ".join(_left))"""


def guarded(notebook: Any, times: int = 1) -> Any:
    """A copy whose cells run so many times in one kernel, with the guard around each time."""
    result = copy.deepcopy(notebook)
    result.cells = []
    for run in range(times):
        cells = copy.deepcopy(notebook.cells)
        for cell in cells:
            cell.id = f"{cell.id}-{run}"
        before, after = new_code_cell(_BEFORE), new_code_cell(_AFTER)
        before.id, after.id = f"guard-before-{run}", f"guard-after-{run}"
        result.cells += [before, *cells, after]
    return result
