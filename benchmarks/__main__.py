"""The command: measure, or make a page of what was measured."""

import argparse
import json

from benchmarks import __doc__ as usage
from benchmarks import environment, report, run
from benchmarks.contestants import CELLS, PEERS

RESULTS = environment.ROOT / "benchmarks" / "results.json"


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=usage,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("run", "report"), default="run")
    parser.add_argument("--quick", action="store_true", help="one short round; writes no file")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="peers whose names hold this; writes no file")
    given = parser.parse_args()
    if given.what == "report":
        for made in report.make(json.loads(RESULTS.read_text(encoding="utf-8"))):
            print(made.relative_to(environment.ROOT))
        return
    peers = [peer for peer in PEERS if given.only in peer.name]
    results = run.compare(
        peers,
        CELLS,
        python=environment.make_ready(),
        rounds=1 if given.quick else given.rounds,
        seconds=0.3 if given.quick else 1.0,
    )
    if given.quick or given.only:
        print(report.tables(results))
    else:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(
            f"{RESULTS.relative_to(environment.ROOT)} is written; now: python -m benchmarks report"
        )


if __name__ == "__main__":
    main()
