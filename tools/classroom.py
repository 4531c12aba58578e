"""What a teacher of this course has made by command: links for learners, and their environment.

    python -m tools.classroom links OWNER/REPOSITORY [--branch main] [--hub https://hub.example]
    python -m tools.classroom environment OWNER/REPOSITORY FOLDER
    python -m tools.classroom lessons     # write the table of lessons in docs/teaching.md

`environment` writes what a branch of the environment alone holds.

An image takes minutes to build. Where it is built from a branch that holds the environment alone,
a changed lesson does not build it anew: nbgitpuller fetches the lessons when a learner comes.
"""

import argparse
import re
import shutil
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

from tools.notebooks import ROOT, lessons, read
from tools.stubs import find_stubs

TEACHING = ROOT / "docs" / "teaching.md"
FIRST = "notebooks/00_check_in.ipynb"
BINDER = "https://mybinder.org/v2/gh"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_TAKES = re.compile(r"^\*(\d+) minutes\. You need (.+)\.\*$", re.MULTILINE)
_TABLE = re.compile(r"(?<=<!-- made: lessons -->\n).*?(?=<!-- end -->)", re.DOTALL)
_START = """\
#!/usr/bin/env bash
# The kit itself comes with the lessons, when nbgitpuller fetches them into this folder.
export PYTHONPATH="$HOME/{folder}${{PYTHONPATH:+:$PYTHONPATH}}"
exec "$@"
"""
_POST_BUILD = """\
#!/usr/bin/env bash
# No question about news in front of the first lesson.
set -euo pipefail
install -D -m 644 binder/overrides.json \\
    "$NB_PYTHON_PREFIX/share/jupyter/lab/settings/overrides.d/sockkit.json"
"""


def binder_link(repository: str, branch: str) -> str:
    """Where Binder opens lesson 00 of a repository on GitHub, such as "ada/sockkit"."""
    return f"{BINDER}/{repository}/{quote(branch, safe='')}?urlpath={quote(f'lab/tree/{FIRST}')}"


def badge(repository: str, branch: str) -> str:
    """The same as a picture with a link, for a README."""
    return f"[![Binder](https://mybinder.org/badge_logo.svg)]({binder_link(repository, branch)})"


def pull_path(repository: str, branch: str) -> str:
    """The part of a link that has nbgitpuller fetch the lessons and open the first one."""
    name = repository.rpartition("/")[2]
    wanted = {
        "repo": f"https://github.com/{repository}",
        "branch": branch,
        "urlpath": f"lab/tree/{name}/{FIRST}",
    }
    return f"git-pull?{urlencode(wanted)}"


def hub_link(hub: str, repository: str, branch: str) -> str:
    """The link for learners of a JupyterHub whose image has nbgitpuller."""
    return f"{hub.rstrip('/')}/hub/user-redirect/{pull_path(repository, branch)}"


def binder_pull_link(repository: str, branch: str, environment: str) -> str:
    """Binder with the image of one branch and the lessons of another."""
    path = quote(pull_path(repository, branch), safe="")
    return f"{BINDER}/{repository}/{quote(environment, safe='')}?urlpath={path}"


def write_environment(repository: str, folder: Path) -> None:
    """Write what a branch of the environment alone holds: packages, and no lesson.

    Args:
        repository: that of the lessons. nbgitpuller fetches it into a folder of its name.
        folder: where; made if it is not there.
    """
    binder = folder / "binder"
    binder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "requirements.txt", folder)
    for name in ("runtime.txt", "overrides.json"):
        shutil.copy(ROOT / "binder" / name, binder)
    lines = ["-c ../requirements.txt", "nbgitpuller", *lesson_packages()]
    (binder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    start = _START.format(folder=repository.rpartition("/")[2])
    for name, script in {"start": start, "postBuild": _POST_BUILD}.items():
        (binder / name).write_text(script, encoding="utf-8")
        (binder / name).chmod(0o755)


def lesson_packages() -> list[str]:
    """The packages that the lessons need, without the kit."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    return [name for name in extras["widgets"] + extras["lessons"] if "sockkit" not in name]


def lesson_table() -> str:
    """What each lesson takes and needs, as the lessons themselves say; a table in Markdown."""
    rows = ["| lesson | minutes | needs | exercises |", "| --- | --- | --- | --- |"]
    for path in lessons():
        notebook = read(path)
        takes = _TAKES.search(notebook.cells[0].source)
        minutes, needs = takes.groups() if takes else ("", "")
        names = ", ".join(f"`{stub.exercise.name}`" for stub in find_stubs(notebook))
        link = f"[{_title(path.stem)}](../notebooks/{path.name})"
        rows.append(f"| {link} | {minutes} | {needs} | {names} |")
    return "\n".join(rows) + "\n"


def _title(name: str) -> str:
    return name[:2] + " " + name[3:].replace("_", " ").capitalize()


def as_repository(text: str) -> str:
    """An address on GitHub as the links need it: "ada/sockkit".

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not _REPOSITORY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form OWNER/REPOSITORY")
    return text


def as_hub(text: str) -> str:
    """The address of a JupyterHub, as a link needs it.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.startswith(("https://", "http://")):
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with https://")
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.classroom")
    commands = parser.add_subparsers(dest="command", required=True)
    links = commands.add_parser("links", help="links and a badge for a repository on GitHub")
    links.add_argument("repository", type=as_repository, metavar="OWNER/REPOSITORY")
    links.add_argument("--branch", default="main", help="of the lessons")
    links.add_argument("--environment", default="environment", help="the branch of the image")
    links.add_argument("--hub", type=as_hub, help="the address of a JupyterHub")
    environment = commands.add_parser("environment", help="the files of an environment alone")
    environment.add_argument("repository", type=as_repository, metavar="OWNER/REPOSITORY")
    environment.add_argument("folder", type=Path)
    commands.add_parser("lessons", help="write the table of lessons in docs/teaching.md")
    options = parser.parse_args(arguments)
    if options.command == "links":
        where = options.repository, options.branch
        print("Badge:", badge(*where))
        print("Binder:", binder_link(*where))
        print("Binder, lessons fetched:", binder_pull_link(*where, options.environment))
        if options.hub:
            print("JupyterHub:", hub_link(options.hub, *where))
    elif options.command == "environment":
        try:
            write_environment(options.repository, options.folder)
        except OSError as error:
            parser.error(str(error))
        print(f"written: {options.folder}")
    else:
        text = TEACHING.read_text(encoding="utf-8")
        TEACHING.write_text(_TABLE.sub(lambda _: lesson_table(), text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
