"""Which size the tests have: that of every run, or the full one, with bounds on time."""

import os

# The machine is quiet and there is time: all cases, the catalogue's own numbers, figures as bounds.
FULL = bool(os.environ.get("SOCKKIT_FIGURES"))
