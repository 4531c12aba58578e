"""Recorded results, for platforms that have no frontrun.

`python -m sockkit.lab.races` explores every demonstration and records what came out. A test does
the same and compares.
"""

import json
from pathlib import Path

from sockkit.lab.races.result import Result

FILE = Path(__file__).with_name("traces.json")


def names() -> list[str]:
    """What there is: the names of the demonstrations."""
    return sorted(json.loads(FILE.read_text(encoding="utf-8")))


def load(name: str) -> Result:
    """One recorded result; its `recorded` says where it comes from.

    Raises:
        LookupError: there is no trace of that name; the message lists those there are.
    """
    recorded = json.loads(FILE.read_text(encoding="utf-8"))
    if name not in recorded:
        raise LookupError(f"no recorded trace {name!r}; there are {', '.join(sorted(recorded))}")
    return Result.from_json(recorded[name])


def save(results: dict[str, Result]) -> None:
    """Write the traces anew."""
    data = {name: result.to_json() for name, result in sorted(results.items())}
    FILE.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
