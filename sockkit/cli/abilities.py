"""What this machine can do, each found out by doing it, and what it is good for.

Every function is one check of the doctor's. Optional packages are imported inside, since none of
them need be there.
"""

import asyncio
import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path

from sockkit.cli.finding import Finding, Mark
from sockkit.cli.versions import installed
from sockkit.errors import SockkitError
from sockkit.sync import Client, Server

LESSON_CLIENTS = 1_000  # lesson 03 connects so many, both ends in one process
SPARE = 100  # descriptors that a kernel has open besides
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)


def descriptors() -> list[Finding]:
    """How many descriptors a process may have, and how many clients that makes."""
    if sys.platform == "win32":
        text = "no limit of descriptors on this system that a program could ask for or lower"
        return [Finding(Mark.OK, text, "The wall that lesson 03 runs into can't be built here.")]
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return [Finding(Mark.OK, "as many descriptors as the system has: memory is the bound")]
    free = max(0, soft - len(os.listdir("/dev/fd")))
    text = (
        f"{soft:,} descriptors for a process: a server can have about {free:,} clients at once, or "
        f"{free // 2:,} when the clients live in the same process, as they do in a notebook"
    )
    needed = 2 * LESSON_CLIENTS + SPARE
    if soft >= needed:
        return [Finding(Mark.OK, text)]
    if hard == resource.RLIM_INFINITY or hard >= needed:
        advice = f"Lesson 03 wants {needed:,}: type `ulimit -n {needed}` before `python lab.py`."
    else:
        advice = f"Lesson 03 wants {needed:,}, and {hard:,} is all that may be asked for here."
    return [Finding(Mark.NOTE, text, advice)]


def event_loop() -> list[Finding]:
    """What kind of event loop asyncio makes here."""
    loop = asyncio.new_event_loop()
    kind = type(loop).__name__.lstrip("_")
    selector = getattr(loop, "_selector", None)
    loop.close()
    text = f"the event loop is a {kind}"
    if selector is not None:
        text += f" over {type(selector).__name__}"
    if sys.platform == "win32" and selector is not None:
        advice = "It waits for 512 sockets at most. asyncio's default here, the proactor, for any."
        return [Finding(Mark.NOTE, text, advice)]
    return [Finding(Mark.OK, text)]


def loopback() -> list[Finding]:
    """A server and a client of the kit, on the address that all lessons use."""
    trouble = _echo_trouble("127.0.0.1")
    if trouble:
        advice = "Nothing of sockkit works without it. Does a firewall or a sandbox forbid it?"
        return [Finding(Mark.BAD, f"a server on 127.0.0.1: {trouble}", advice)]
    return [Finding(Mark.OK, "a server and a client on 127.0.0.1")]


def loopback_ipv6() -> list[Finding]:
    """The same over IPv6."""
    trouble = _echo_trouble("::1")
    if trouble:
        advice = "No lesson needs it; `serve --host ::1` does."
        return [Finding(Mark.NOTE, f"a server on ::1, which is IPv6: {trouble}", advice)]
    return [Finding(Mark.OK, "a server and a client on ::1, which is IPv6")]


def _echo_trouble(host: str) -> str:
    try:
        with (
            Server(lambda connection, text: connection.send(text.upper()), host=host) as server,
            Client(server.address) as client,
        ):
            client.send("hello")
            reply = client.recv()
    except (OSError, SockkitError) as error:
        return str(getattr(error, "strerror", None) or error)
    return "" if reply == "HELLO" else f"it answered {reply!r}"


def keepalive() -> list[Finding]:
    """Whether the kernel can be told when to probe a silent peer."""
    name = next((n for n in ("TCP_KEEPIDLE", "TCP_KEEPALIVE") if hasattr(socket, n)), "")
    if name and not _option_trouble(name, 1):
        return [Finding(Mark.OK, f"{name}: `Limits.keepalive` has the kernel probe silent peers")]
    text = "no TCP_KEEPIDLE: `Limits.keepalive` keeps the kernel's own pace, often two hours"
    return [Finding(Mark.NOTE, text, "`Limits.idle_timeout` works everywhere.")]


def user_timeout() -> list[Finding]:
    """Whether the kernel can be told how long data may stay unacknowledged."""
    trouble = _option_trouble("TCP_USER_TIMEOUT", 1000)
    if trouble:
        text = f"TCP_USER_TIMEOUT: {trouble}; `Limits.user_timeout` does nothing"
        return [Finding(Mark.NOTE, text, "`Limits.idle_timeout` works everywhere.")]
    return [Finding(Mark.OK, "TCP_USER_TIMEOUT: `Limits.user_timeout` notices a cut cable")]


def _option_trouble(name: str, value: int) -> str:
    option = getattr(socket, name, None)
    if option is None:
        return "not on this system"
    with socket.socket() as sock:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
        except OSError as error:
            return error.strerror or str(error)
    return ""


def reuse_port() -> list[Finding]:
    """Whether two servers can listen on one port, if both ask for it."""
    if not hasattr(socket, "SO_REUSEPORT"):
        advice = "Only `serve --workers` would use it."
        return [Finding(Mark.NOTE, "no SO_REUSEPORT on this system", advice)]
    with (
        socket.create_server(("127.0.0.1", 0), reuse_port=True) as first,
        socket.create_server(first.getsockname(), reuse_port=True),
    ):
        text = "SO_REUSEPORT: servers that ask for it may share a port, as `serve --workers` does"
        return [Finding(Mark.OK, text)]


def connections_of_psutil() -> list[Finding]:
    """Whether psutil sees the TCP states of this process, which `SocketStates` draws."""
    advice = "`SocketStates` says so instead of drawing; everything else works."
    try:
        import psutil
    except ImportError:
        return [Finding(Mark.NOTE, "the states of connections: psutil is not installed", advice)]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        try:
            seen = psutil.Process().net_connections("tcp")
        except (psutil.Error, OSError) as error:
            return [Finding(Mark.NOTE, f"the states of connections: {error}", advice)]
    if any(c.laddr and c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in seen):
        return [Finding(Mark.OK, "psutil sees the states of connections, for `SocketStates`")]
    return [Finding(Mark.NOTE, "psutil does not see the connections of this process", advice)]


def schedule_explorer() -> list[Finding]:
    """Whether frontrun is there, which finds losing schedules in lesson 07."""
    if importlib.util.find_spec("frontrun") is None:
        text = "frontrun is not installed; it exists for Linux with glibc and for Apple silicon"
        return [Finding(Mark.NOTE, text, "Lesson 07 shows a recorded trace instead.")]
    version = installed(("frontrun",)).get("frontrun", "")
    return [Finding(Mark.OK, f"frontrun {version} finds losing schedules, for lesson 07")]


def browser() -> list[Finding]:
    """Whether there is a browser that tests can drive."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    found = found or next((place for place in _PLACES if Path(place).is_file()), None)
    if found:
        return [Finding(Mark.OK, f"a browser for the tests of the panels: {found}")]
    text = "no Chromium, Chrome or Edge: the tests of the panels are skipped, lessons work"
    return [Finding(Mark.NOTE, text, "On Debian and Ubuntu: sudo apt install chromium")]


def netcat() -> list[Finding]:
    """Whether somebody else's client is there to talk to our server."""
    found = next(filter(None, map(shutil.which, ("nc", "ncat", "netcat"))), None)
    if found:
        return [Finding(Mark.OK, f"nc, a client that nobody here wrote: {found}")]
    advice = "`python -m sockkit connect` does the same. On Debian: sudo apt install netcat-openbsd"
    return [Finding(Mark.NOTE, "no nc", advice)]
