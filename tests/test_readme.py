"""The README keeps its word: what it shows happens, what it names and links to is there."""

import ast
import builtins
import inspect
import re
import sys
from pathlib import Path

import pytest

import sockkit
from sockkit.__main__ import main
from tools import readme
from tools.notebooks import lessons

TEXT = readme.README.read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
SPANS = sorted(set(re.findall(r"`([^`\n]+)`", PROSE)))
LINKS = sorted(set(re.findall(r"\]\(([^)]+)\)", PROSE)))
CORE = {path.stem: path for path in (readme.ROOT / "sockkit").glob("*.py")}

# What the README speaks of, and the kit does not define.
OF_OTHERS = {"async", "await", "nest_asyncio", "accept", "wait_closed", "python3", "py", ".venv"}
COMMANDS = {"python -m sockkit serve", "connect", "doctor", "python -m sockkit doctor"}
OBJECTS = {name: getattr(sockkit, name.capitalize()) for name in ("server", "client", "connection")}


def section(title: str) -> str:
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


# What it shows.


def test_the_ten_lines_are_ten() -> None:
    program = readme._CODE.search(TEXT)
    assert program is not None
    assert len([line for line in program[1].splitlines() if line.strip()]) == 10


def test_the_ten_lines_print_what_stands_below_them() -> None:
    name = "what the ten lines print"
    assert readme.made(TEXT)[name] == readme.ten_lines()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals in Python")
def test_three_terminals_show_what_it_says(netcat: str) -> None:
    shown, fresh = readme.made(TEXT)["three terminals"], readme.terminals()
    assert readme.without_ports(shown) == readme.without_ports(fresh)


def test_every_part_that_can_be_made_is_there() -> None:
    assert set(readme.made(TEXT)) == set(readme.PARTS)


# The command that makes the parts.


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A README of which one part is made by a function that is quick."""
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- made: it -->\n127.0.0.1:1 old\n<!-- end -->\nafter\n")
    monkeypatch.setattr(readme, "README", path)
    monkeypatch.setattr(readme, "PARTS", {"it": lambda: "127.0.0.1:2 new\n"})
    return path


def test_a_part_that_is_out_of_date_is_told_and_written(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert readme.main(["--check"]) == 1
    assert "+127.0.0.1:PORT new" in capsys.readouterr().out
    assert readme.main([]) == 0
    assert copy.read_text() == ("before\n<!-- made: it -->\n127.0.0.1:2 new\n<!-- end -->\nafter\n")
    assert readme.main(["--check"]) == 0


def test_another_port_alone_changes_nothing(copy: Path) -> None:
    copy.write_text(copy.read_text().replace("old", "new"))
    assert readme.main(["--check"]) == 0
    assert readme.main([]) == 0
    assert "127.0.0.1:1 new" in copy.read_text()


# What it names.


@pytest.mark.parametrize("span", SPANS)
def test_every_name_in_backticks_is_there(span: str) -> None:
    assert (
        span in OF_OTHERS
        or span in COMMANDS
        or is_file(span)
        or is_public(span)
        or is_attribute(span)
        or hasattr(builtins, span)
    ), f"{span!r} is nothing that the kit has"


def is_file(span: str) -> bool:
    looks_like_one = span.endswith(("/", ".py"))
    return looks_like_one and any(
        (readme.ROOT / folder / span).exists() for folder in ("", "sockkit")
    )


def is_public(span: str) -> bool:
    parts = [sockkit.__all__, *(names_of(part) for part in ("lab", "widgets", "exercises"))]
    return any(span in names for names in parts) or span in arguments_of_server()


def is_attribute(span: str) -> bool:
    owner, _, name = span.rpartition(".")
    if not owner:
        return all(hasattr(thing, name) for thing in OBJECTS.values())  # such as `send`
    thing = OBJECTS.get(owner) or getattr(sockkit, owner, None)
    return thing is not None and hasattr(thing, name)


def arguments_of_server() -> set[str]:
    return set(inspect.signature(sockkit.Server).parameters)


def names_of(part: str) -> list[str]:
    """`__all__` of a part of the kit, read without importing what it needs."""
    tree = ast.parse((readme.ROOT / "sockkit" / part / "__init__.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    raise AssertionError(f"sockkit.{part} has no __all__")


@pytest.mark.parametrize("command", ["serve", "connect", "doctor"])
def test_its_commands_are_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"`python -m sockkit {command}`" in TEXT or f"`{command}`" in TEXT
    with pytest.raises(SystemExit) as exit:
        main([command, "--help"])
    assert exit.value.code == 0


# What it links to.


@pytest.mark.parametrize("link", [link for link in LINKS if "://" not in link])
def test_every_link_leads_somewhere(link: str) -> None:
    path, _, anchor = link.partition("#")
    assert not path or (readme.ROOT / path).is_file()
    text = (readme.ROOT / path).read_text() if path else TEXT
    assert not anchor or anchor in {slug(title) for title in re.findall(r"^#+ (.+)$", text, re.M)}


def slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_every_lesson_has_its_row_and_each_question_its_lesson() -> None:
    rows = [row for row in section("The lessons").splitlines() if row.startswith("| [")]
    assert [row.split("](")[1].partition(")")[0] for row in rows] == [
        f"notebooks/{path.name}" for path in lessons()
    ]
    titles = ("The six questions, and two improvements", "The questions people really ask")
    tables = "\n".join(map(section, titles)).splitlines()
    rows = [row for row in tables if row.startswith("|") and row.count("|") == 4]
    questions = [row for row in rows if not row.startswith(("| ---", "| question", "| asked"))]
    assert len(questions) == 8 + 16
    assert [row for row in questions if "(notebooks/" not in row] == []


# The order of reading.


def test_each_module_of_the_core_needs_only_those_that_are_read_before_it() -> None:
    order = [name.removesuffix(".py") for name in re.findall(r"`(\w+\.py)`", numbered())]
    assert sorted(order) == sorted(set(CORE) - {"__init__", "__main__"})
    read: set[str] = set()
    for name in order:
        assert needs(name) <= read, f"{name} needs {needs(name) - read}"
        read.add(name)


def numbered() -> str:
    return "\n".join(re.findall(r"^(?:\d\. |   `).*$", section("Reading the source"), re.M))


def needs(name: str) -> set[str]:
    tree = ast.parse(CORE[name].read_text(encoding="utf-8"))
    imports = (node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {module.partition(".")[2] for module in imports if module and "sockkit." in module}
