"""What lessons need to make things go wrong on purpose, and you to test a server of your own.

| module | what it gives you |
| --- | --- |
| `peers` | raw clients that each misbehave in one way: reset, vanish, dribble, never read, … |
| `link` | `Link`: a relay that splits, glues, delays, stalls, drops, resets, and shows it all |
| `wire` | `Tap`: a framing that records each receive and the messages made of it |
| `swarm` | `swarm`: any number of real clients with a script; latencies, errors, a plot |
| `served` | `Served`: a server function of yours in a process of its own |
| `load` | `load`, `compare`: the same swarm against one server after another; a table, a plot |
| `limits` | `run_limited`: a snippet in a child process with few descriptors or little memory |
| `blocked` | `until_blocked`: return once a thread really waits in a system call |
| `logged` | `logged`: what the kit's log says within a block, as lines |
| `threaded` | `ThreadedEcho`: an echo server of threads that nobody can stop yet |
| `expected` | `expect`: an error that a lesson wants, printed and swallowed |
| `reading` | `source`: the source of anything in the kit, shown in a cell |
| `carrier` | `Carrier`: a Redis of your own, or a hub in memory; `crash`: a server that is missed |
| `races` | a schedule explorer: finds the interleaving in which your code loses |

All but `races` work with any TCP server, need no privileges, and leave nothing behind.

    from sockkit.lab import Link, Tap, peers, run_limited, swarm
"""

from sockkit.lab import peers
from sockkit.lab.blocked import until_blocked
from sockkit.lab.carrier import Carrier, crash
from sockkit.lab.descriptors import room_for
from sockkit.lab.expected import expect
from sockkit.lab.faults import Faults
from sockkit.lab.limits import LimitedRun, run_limited
from sockkit.lab.link import Link, Segment
from sockkit.lab.load import Comparison, Load, compare, load
from sockkit.lab.logged import logged
from sockkit.lab.reading import Listing, source
from sockkit.lab.served import NotServing, Served
from sockkit.lab.swarm import SwarmClient, SwarmResult, async_swarm, swarm
from sockkit.lab.threaded import ThreadedEcho
from sockkit.lab.wire import Receive, Tap

__all__ = [
    "Carrier",
    "Comparison",
    "Faults",
    "LimitedRun",
    "Link",
    "Listing",
    "Load",
    "NotServing",
    "Receive",
    "Segment",
    "Served",
    "SwarmClient",
    "SwarmResult",
    "Tap",
    "ThreadedEcho",
    "async_swarm",
    "compare",
    "crash",
    "expect",
    "load",
    "logged",
    "peers",
    "room_for",
    "run_limited",
    "source",
    "swarm",
    "until_blocked",
]
