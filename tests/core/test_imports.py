"""Imports go downward only, and the core needs nothing but the standard library."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "sockkit"

# From the bottom up: each may import those before it. "sockkit" is the public face.
ORDER = [
    *("events", "errors", "limits", "text", "views", "framing", "foreign"),
    *("handover", "deadlines"),
    *("interrupts", "forgotten", "admission", "watch", "workers", "sockets", "poller"),
    *("transport", "group", "channel", "connection", "attaching", "registry", "service"),
    *("listening", "serving"),
    *("door", "stopping", "inbox", "server", "client", "aio", "portal", "loops", "switching"),
    *("sync_client", "sync_server", "sync", "sockkit", "backplane", "cli", "__main__"),
    *("lab", "exercises", "widgets"),
]


def place(module: str) -> str:
    """Where a module stands in the order: a subpackage stands in one place."""
    return module.split(".")[1] if "." in module else module


def imports_of(file: Path) -> Iterator[str]:
    """The full names of all modules that a file imports, wherever in it."""
    here = ["sockkit", *file.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (
                f"{module}.{alias.name}" for alias in node.names if is_module(module, alias)
            )


def is_module(package: str, alias: ast.alias) -> bool:
    path = PACKAGE.parent.joinpath(*package.split("."), alias.name)
    return path.is_dir() or path.with_suffix(".py").is_file()


FILES = {
    ".".join(["sockkit", *file.relative_to(PACKAGE).with_suffix("").parts]): file
    for file in sorted(PACKAGE.rglob("*.py"))
}


@pytest.mark.parametrize("module", FILES)
def test_a_module_imports_only_what_stands_below_it(module: str) -> None:
    own = place(module.removesuffix(".__init__"))
    for imported in imports_of(FILES[module]):
        if imported.split(".")[0] == "sockkit" and place(imported) != own:
            assert ORDER.index(place(imported)) < ORDER.index(own), f"{module}: {imported}"


def test_framing_knows_of_no_socket_no_loop_and_no_thread() -> None:
    seen, ahead = set[str](), ["sockkit.framing"]
    while ahead:
        module = ahead.pop()
        for imported in imports_of(FILES[module]):
            if imported in FILES and imported not in seen:
                ahead.append(imported)
            seen.add(imported)
    assert "sockkit.errors" in seen
    assert {"asyncio", "socket", "threading"}.isdisjoint(seen)


def test_only_widgets_know_of_widgets() -> None:
    for module, file in FILES.items():
        if place(module) != "widgets":
            tops = {imported.split(".")[0] for imported in imports_of(file)}
            assert tops.isdisjoint({"ipywidgets", "anywidget", "traitlets"}), module


def test_nothing_imports_the_backplane_before_it_is_asked_for() -> None:
    importing = "import sockkit.__main__, sockkit.lab, sys"
    told = f"{importing}; print([name for name in sys.modules if 'backplane' in name])"
    command = (sys.executable, "-c", told)
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=PACKAGE.parent)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_only_one_module_of_the_backplane_needs_more_than_the_standard_library() -> None:
    for module, file in FILES.items():
        if place(module) == "backplane" and module != "sockkit.backplane.redis_wire":
            tops = {imported.split(".")[0] for imported in imports_of(file)}
            assert tops <= {"sockkit", *sys.stdlib_module_names}, module


BESIDE = ("backplane", "cli", "lab", "exercises", "widgets")
CORE = [name for name in FILES if place(name) not in BESIDE]


@pytest.mark.parametrize("module", CORE)
def test_the_core_needs_nothing_but_the_standard_library(module: str) -> None:
    tops = {imported.split(".")[0] for imported in imports_of(FILES[module])}
    assert tops <= {"sockkit", *sys.stdlib_module_names}


def test_the_package_can_be_imported_where_nothing_is_installed() -> None:
    program = f"""
import sys
sys.path.append({str(PACKAGE.parent)!r})
sys.modules.update(dict.fromkeys(("ipywidgets", "anywidget", "psutil", "matplotlib")))
from sockkit import *
with Server(lambda connection, text: connection.send(text)) as server:
    with Client(server.address) as client:
        client.send("works")
        print(client.recv())
"""
    command = (sys.executable, "-I", "-S", "-W", "error", "-c", program)
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert (done.stdout, done.stderr) == ("works\n", "")
