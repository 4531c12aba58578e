"""`python -m sockkit doctor`: versions, limits, what works here, and what to do where it does not.

For the student whose first cell fails, and for whoever helps them: it needs nothing but Python, so
it runs where nothing else was installed. It opens sockets on the loopback address only, and changes
nothing.
"""

import shutil
import textwrap
from collections.abc import Callable, Sequence

from sockkit.cli import abilities, versions
from sockkit.cli.finding import Finding, Mark
from sockkit.cli.output import count

Check = Callable[[], list[Finding]]

CHECKS: dict[str, Sequence[Check]] = {
    "Versions": (versions.python, versions.packages),
    "Versions that disturb each other": (versions.known_trouble, versions.pip_check),
    "Limits": (abilities.descriptors, abilities.event_loop),
    "What works here": (
        abilities.loopback,
        abilities.loopback_ipv6,
        abilities.keepalive,
        abilities.user_timeout,
        abilities.reuse_port,
        abilities.connections_of_psutil,
        abilities.schedule_explorer,
        abilities.browser,
        abilities.netcat,
    ),
}


def run() -> int:
    """Print all findings; return 1 if one of them will make lessons or servers fail, else 0."""
    findings: list[Finding] = []
    for title, checks in CHECKS.items():
        print(title)
        for check in checks:
            for finding in _try(check):
                findings.append(finding)
                _show(finding)
        print()
    bad = sum(finding.mark is Mark.BAD for finding in findings)
    if bad:
        print(f"{count(bad, 'thing')} must be mended: see BAD above.")
    else:
        print("Nothing essential is wrong.")
    return 1 if bad else 0


def _try(check: Check) -> list[Finding]:
    # A doctor that faints is no help: what can't be found out is a finding as well.
    try:
        return check()
    except Exception as error:
        text = f"{check.__name__} could not be tried: {type(error).__name__}: {error}"
        return [Finding(Mark.NOTE, text)]


def _show(finding: Finding) -> None:
    for text, first in ((finding.text, f"  {finding.mark:<6}"), (finding.advice, " " * 10)):
        rest = " " * (8 if text is finding.text else 10)
        if text:
            width = min(100, shutil.get_terminal_size().columns)
            print(textwrap.fill(text, width, initial_indent=first, subsequent_indent=rest))
