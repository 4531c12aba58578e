"""What a process holds: descriptors, threads, tasks, memory, and how many objects of the kit."""

import asyncio
import gc
import sys
import threading
from typing import NamedTuple

import psutil

from ..conftest import open_descriptors
from ..faults.memory import allocated


class Gauges(NamedTuple):
    """One look at a process."""

    descriptors: int
    threads: int
    tasks: int  # asyncio's, on all loops
    objects: int  # of the classes of sockkit
    blocks: int  # of memory that Python has given out
    allocated: int  # bytes that the C library has given out; 0 where it does not tell
    rss: int  # bytes that are in memory
    uss: int  # bytes that nobody shares; 0 where the system does not tell
    clients: int


def look(clients: int, *, clean: bool = False) -> Gauges:
    """The gauges of this process; `clean` if what is garbage should be gone before."""
    if clean:
        gc.collect()
        gc.collect()  # what finalizers have set free
    tasks = objects = 0
    for thing in gc.get_objects():
        kind = type(thing)
        if issubclass(kind, asyncio.Task):
            tasks += not thing.done()
        elif str(kind.__module__).startswith("sockkit"):  # some types give no string
            objects += 1
    thing = None
    process = psutil.Process()
    try:
        uss = process.memory_full_info().uss
    except (AttributeError, psutil.Error):
        uss = 0
    return Gauges(
        descriptors=open_descriptors(),
        threads=threading.active_count(),
        tasks=tasks,
        objects=objects,
        blocks=sys.getallocatedblocks(),
        allocated=allocated(),
        rss=process.memory_info().rss,
        uss=uss,
        clients=clients,
    )
