"""How fast the kit is, and others beside it, measured in turn on one machine.

python -m benchmarks            # about ten minutes; writes benchmarks/results.json
python -m benchmarks --quick    # one short round: does everything run?
python -m benchmarks report     # makes docs/speed.md and its plots out of results.json
"""
