"""Ports for programs that have to be told one, since they can't say which the system chose.

Between the choice and the use, nobody else may get it. So they come from where no system chooses
one for itself: Linux begins at 32768, the others at 49152 (ip_local_port_range in ip(7); RFC 6335,
section 6). Tests that run side by side choose among different ones.
"""

import os
import random
import socket

_EACH = 3_000
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
_MINE = range(20_000 + _WORKER % 4 * _EACH, 20_000 + (_WORKER % 4 + 1) * _EACH)


def free_port() -> int:
    """A free port, which stays free.

    Raises:
        OSError: none was found.
    """
    for port in random.sample(_MINE, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")


def choose_for_kernels() -> None:
    """Have Jupyter, in this process, choose the ports of its kernels here.

    It asks the system, lets go of the port, and its kernel takes it a second later. If a server in
    another test has it by then, that one gets a client too many, and the kernel does not start.
    """
    from jupyter_client.connect import LocalPortCache

    def find(cache: LocalPortCache, ip: str) -> int:
        while (port := free_port()) in cache.currently_used_ports:
            pass
        cache.currently_used_ports.add(port)
        return port

    LocalPortCache.find_available_port = find  # type: ignore[method-assign]


CHOOSE_PORTS = f"import runpy\nrunpy.run_path({__file__!r})['{choose_for_kernels.__name__}']()\n"
"""The same, as code for another process."""
