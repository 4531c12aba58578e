"""How many connections this process may open: asked before a swarm starts, and said clearly.

Each connection takes a descriptor, and two where the server runs in the same process. Most shells
start programs with 1,024 (256 on macOS); the hard limit is usually far higher.
"""

import errno
import os
import sys
import time

SPARE = 50  # for what the rest of the program opens meanwhile
_FEW = 200  # clients that a hundredth of a processor still serves
_SAMPLE = 0.05  # seconds of looking how much processor time there is


def check_descriptors(count: int, address: tuple[str, int]) -> None:
    """See whether `count` more connections to `address` fit under the descriptor limit.

    Raises:
        OSError: EMFILE; they do not fit. The text says what to do.
    """
    limits = descriptor_limits()
    if limits is None:
        return
    soft, hard = limits
    each = 2 if listens_here(address) else 1
    needed = count * each + len(os.listdir("/dev/fd")) + SPARE
    if needed > soft:
        raise OSError(errno.EMFILE, _advice(count, each, needed, soft, hard))


def descriptor_limits() -> tuple[int, int] | None:
    """How many descriptors this process may have: `(soft, hard)`; None on Windows, which has none.

    The soft limit counts; a process may raise its own up to the hard one.
    """
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)


def limit_descriptors(count: int) -> None:
    """Lower (or raise) the soft limit of this process. POSIX only."""
    import resource

    resource.setrlimit(
        resource.RLIMIT_NOFILE, (count, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )


def room_for(most: int, ends: int = 1) -> int:
    """How many connections, up to `most`, this process can hold, with one end or with both.

    As many as its descriptors allow; at most 200 where it gets little processor time, as on
    Binder, so that a load stays a matter of seconds.
    """
    limits = descriptor_limits()
    if limits is not None:
        most = min(most, (limits[0] - len(os.listdir("/dev/fd")) - SPARE) // ends)
    if _gets_little_time():
        most = min(most, _FEW)
    return max(1, most)


def _gets_little_time() -> bool:
    if any(name.startswith("BINDER_") for name in os.environ):
        return True
    begun, used = time.perf_counter(), time.thread_time()
    while time.perf_counter() - begun < _SAMPLE:
        pass
    return time.thread_time() - used < _SAMPLE / 4


def listens_here(address: tuple[str, int]) -> bool:
    """Whether a socket of this process listens at the port of `address`. Yes if nobody can tell."""
    try:
        import psutil
    except ImportError:
        return True
    try:
        found = psutil.Process().net_connections("tcp")
    except psutil.Error:
        return True
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == address[1] for c in found)


def _advice(count: int, each: int, needed: int, soft: int, hard: int) -> str:
    ends = "both ends are in this process" if each == 2 else "one end of each is in this process"
    text = (
        f"{count:,} clients need about {needed:,} descriptors ({ends}), and the limit is {soft:,}. "
    )
    if needed <= hard:
        return text + (
            "Raise it: resource.setrlimit(resource.RLIMIT_NOFILE, "
            f"({needed}, {hard})) in this process, or `ulimit -n {needed}` before it is started"
        )
    fits = max(0, (hard - (needed - count * each)) // each)
    return text + (
        f"The hard limit is {hard:,}: ask for {fits:,} clients at most"
        + (", or run the server in a process of its own" if each == 2 else "")
    )
