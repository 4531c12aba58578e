"""python -m tests.soak: churn, chat, faults and panels together, for as long as you like.

Prints a line at each high and each low water of its tides, and a verdict at the end: exit code 0
if nothing was lost or doubled, every callback came once, and nothing grew.
"""

import argparse
import asyncio
import sys

from .run import Plan, soak


def main() -> int:
    """Run it as the command line says."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=plan.minutes)
    parser.add_argument("--clients", type=int, default=plan.clients, help="that chat in a tide")
    parser.add_argument("--length", type=float, default=plan.length, help="seconds of a tide")
    parser.add_argument("--idle", type=float, default=plan.idle, help="seconds of silence allowed")
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--trace", action="store_true", help="tell which lines hold more memory")
    asked = parser.parse_args()
    verdict = asyncio.run(soak(plan._replace(**vars(asked))))
    return 0 if verdict.fulfilled else 1


if __name__ == "__main__":
    sys.exit(main())
