"""Records every demonstration anew: `python -m sockkit.lab.races`."""

import dataclasses
import importlib.metadata
import platform

from sockkit.lab.races import traces
from sockkit.lab.races.demos import DEMOS
from sockkit.lab.races.explorer import what_is_missing
from sockkit.lab.races.packing import CannotExplore


def main() -> None:
    """Explore all, write them, and say what came out."""
    if missing := what_is_missing():
        raise CannotExplore(missing)
    where = f"frontrun {importlib.metadata.version('frontrun')} on {platform.system()}"
    results = {
        name: dataclasses.replace(demo.explore(), recorded=where) for name, demo in DEMOS.items()
    }
    traces.save(results)
    for name, result in results.items():
        print(f"{name}: {result.verdict}")


if __name__ == "__main__":
    main()
