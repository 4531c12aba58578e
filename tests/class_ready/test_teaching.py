"""docs/teaching.md, followed step by step: its commands and cells are read from the page."""

import asyncio
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import trustme
from nbclient import NotebookClient

from tools import classroom
from tools.notebooks import ROOT

from ..core.program import Program, address_in
from ..notebooks.runs import notebook
from ..waiting import until

TEXT = classroom.TEACHING.read_text(encoding="utf-8")
USERS = ("ada", "bob", "eve")


def section(title: str) -> str:
    found = TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, f"docs/teaching.md has no section {title!r}"
    return found


def commands(title: str) -> list[list[str]]:
    """The commands of a section, each with this Python in place of `python`."""
    lines = re.findall(r"^\$ (.+)$", section(title), re.MULTILINE)
    words = [shlex.split(line) for line in lines]
    return [[sys.executable if word == "python" else word for word in line] for line in words]


def cells(title: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", section(title), re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the teacher has followed the first steps: a certificate and a token are there."""
    *steps, _ = commands("One server for the class")
    for step in steps:
        assert ">" not in step  # it writes UTF-16, in the PowerShell that comes with Windows
        subprocess.run(step, cwd=tmp_path, check=True, timeout=50)
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Program]:
    """The last step, on a port that is free."""
    command = commands("One server for the class")[-1]
    command[command.index("--port") + 1] = "0"
    # It runs where the kit is; the page has it run where the folder `class` is.
    placed = [str(folder / word) if word.startswith("class/") else word for word in command]
    with Program(*placed) as program:
        yield program


def test_three_users_talk_to_one_server_at_the_same_time(folder: Path, server: Program) -> None:
    address = address_in(server.line())
    server.line()
    asyncio.run(three_users(folder, server, address))
    until(lambda: len([line for line in server.out if line.endswith("leaves: closed")]) == 3)
    token = (folder / "class" / "token.txt").read_text().strip()
    assert [line for line in server.out + server.err if token in line] == []


async def three_users(folder: Path, server: Program, address: tuple[str, int]) -> None:
    """Each user has a folder and a kernel of their own, and runs the cells of the page."""
    talk, leave = (
        cell.replace("5000", str(address[1])).replace("is anybody there?", "I am {name}")
        for cell in cells("One server for the class")
    )
    clients, books = [], []
    for name in USERS:
        home = folder / "home" / name
        (home / "class").mkdir(parents=True)
        for given in ("client.pem", "token.txt"):
            shutil.copy(folder / "class" / given, home / "class")
        book = notebook(talk.replace("{name}", name), leave)
        resources = {"metadata": {"path": str(home)}}
        clients.append(NotebookClient(book, kernel_name="python3", resources=resources))
        books.append(book)
    await asyncio.gather(*(user(client, server) for client in clients))
    for name, book in zip(USERS, books, strict=True):
        (answer,) = book.cells[0].outputs
        assert answer.data["text/plain"] == repr(f"I am {name}".upper())


async def user(client: NotebookClient, server: Program) -> None:
    async with client.async_setup_kernel(cwd=client.resources["metadata"]["path"]):
        await client.async_execute_cell(client.nb.cells[0], 0)
        # Nobody leaves before all three are there.
        await asyncio.to_thread(
            until, lambda: len([line for line in server.out if " joins from " in line]) == 3
        )
        await client.async_execute_cell(client.nb.cells[1], 1)


def test_a_learner_without_the_files_stays_outside(folder: Path, server: Program) -> None:
    address = address_in(server.line())
    (talk, _) = cells("One server for the class")
    (folder / "class" / "token.txt").write_text("guessed\n")
    assert "AuthenticationError" in ran(talk.replace("5000", str(address[1])), folder)


def test_an_older_certificate_and_missing_tls_are_told_as_the_page_says(
    folder: Path, server: Program
) -> None:
    page = section("Who does not get through")
    port = str(address_in(server.line())[1])
    talk = cells("One server for the class")[0].replace("5000", port)
    plain = ran(talk.replace("ssl=trust, ", ""), folder)
    trustme.CA().cert_pem.write_to_path(folder / "class" / "client.pem")
    older = ran(talk, folder)
    for said, words in (
        (plain, "perhaps it speaks TLS"),
        (older, "unable to get local issuer certificate"),
    ):
        assert words in said
        assert words in page


def test_the_panel_on_the_projector_serves_the_class_as_well(folder: Path) -> None:
    [panel] = cells("The class on a projector")
    talk, leave = cells("One server for the class")
    book = notebook(
        panel.replace("5000", "0"),
        'panel.press("Start")',
        talk.replace('("127.0.0.1", 5000)', "panel.server.address"),
        leave + "panel.server.stop(); panel.close()",
    )
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(book, kernel_name="python3", resources=resources).execute()
    assert "application/vnd.jupyter.widget-view+json" in book.cells[0].outputs[0].data
    assert book.cells[2].outputs[0].data["text/plain"] == repr("IS ANYBODY THERE?")


def test_what_a_learner_sees_who_does_not_get_through_is_what_the_page_says(folder: Path) -> None:
    page = section("Who does not get through")
    talk, _ = cells("One server for the class")
    elsewhere = ran(talk, folder.parent)
    assert "FileNotFoundError" in elsewhere
    assert "client.pem" in elsewhere
    nobody = ran(talk.replace("5000", "1"), folder)
    for words in ("ConnectionRefusedError", "Nobody listens there"):
        assert words in nobody
        assert words in page


def ran(program: str, where: Path) -> str:
    """What is on stderr in the end when a program is run in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=where, capture_output=True, text=True, timeout=50,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr


def test_the_table_of_lessons_is_what_the_lessons_say() -> None:
    shown = classroom._TABLE.search(TEXT)
    assert shown is not None
    assert shown[0] == classroom.lesson_table(), "run: python -m tools.classroom lessons"


def test_every_module_that_it_runs_is_there() -> None:
    modules = set(re.findall(r"python -m ([\w.]+)", TEXT))
    assert {"sockkit", "trustme", "tools.site", "tools.classroom", "tools.handed_in"} <= modules
    for module in modules - {"trustme"}:
        path = ROOT.joinpath(*module.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), module


class TestLinks:
    def test_binder_opens_lesson_00_of_the_branch(self) -> None:
        assert classroom.binder_link("ada/kit", "next/one") == (
            "https://mybinder.org/v2/gh/ada/kit/next%2Fone"
            "?urlpath=lab/tree/notebooks/00_check_in.ipynb"
        )

    def test_a_hub_fetches_the_lessons_of_the_branch_and_opens_them(self) -> None:
        assert classroom.hub_link("https://hub.example/", "ada/kit", "main") == (
            "https://hub.example/hub/user-redirect/git-pull"
            "?repo=https%3A%2F%2Fgithub.com%2Fada%2Fkit&branch=main"
            "&urlpath=lab%2Ftree%2Fkit%2Fnotebooks%2F00_check_in.ipynb"
        )

    def test_binder_takes_the_image_of_one_branch_and_the_lessons_of_another(self) -> None:
        link = classroom.binder_pull_link("ada/kit", "main", "environment")
        start, _, path = link.partition("?urlpath=")
        assert start == "https://mybinder.org/v2/gh/ada/kit/environment"
        assert unquote(path) == classroom.pull_path("ada/kit", "main")

    def test_the_command_prints_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert classroom.main(["links", "ada/kit", "--hub", "https://hub.example"]) == 0
        said = capsys.readouterr().out
        assert classroom.badge("ada/kit", "main") in said
        assert classroom.hub_link("https://hub.example", "ada/kit", "main") in said

    @pytest.mark.parametrize("text", ["kit", "https://github.com/ada/kit", "ada/", "ada/kit/x"])
    def test_what_is_no_repository_is_refused(
        self, text: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            classroom.main(["links", text])
        assert f"{text!r} is not of the form OWNER/REPOSITORY" in capsys.readouterr().err

    def test_a_hub_without_https_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            classroom.main(["links", "ada/kit", "--hub", "hub.example"])
        assert "'hub.example' does not begin with https://" in capsys.readouterr().err

    def test_the_badge_in_the_readme_is_as_it_prints_them(self) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        [repository] = re.findall(r"badge_logo\.svg\)\]\(.*?/gh/(.+?/.+?)/", readme)
        assert f"\n{classroom.badge(repository, 'main')}\n" in readme


class TestTheEnvironmentAlone:
    def test_has_the_packages_of_the_lessons_and_no_lesson(self, tmp_path: Path) -> None:
        assert classroom.main(["environment", "ada/kit", str(tmp_path)]) == 0
        files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
        names = ("requirements.txt", "runtime.txt", "overrides.json", "postBuild", "start")
        assert files == {"requirements.txt", "binder", *(f"binder/{name}" for name in names)}
        wanted = (tmp_path / "binder" / "requirements.txt").read_text().splitlines()
        assert wanted[:2] == ["-c ../requirements.txt", "nbgitpuller"]
        assert any(line.startswith("jupyterlab>=") for line in wanted)
        assert not any("sockkit" in line for line in wanted)

    @pytest.mark.skipif(sys.platform == "win32", reason="an image's start script is for bash")
    def test_finds_the_kit_in_the_folder_of_the_lessons(self, tmp_path: Path) -> None:
        classroom.write_environment("ada/kit", tmp_path)
        show = [sys.executable, "-c", "import os; print(os.environ['PYTHONPATH'])"]
        done = subprocess.run(
            [tmp_path / "binder" / "start", *show], capture_output=True, text=True, check=True,
            env={"HOME": "/home/ada", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert done.stdout == "/home/ada/kit\n"

    @pytest.mark.skipif(sys.platform == "win32", reason="the steps of an image are for bash")
    def test_asks_nothing_over_the_first_lesson(self, tmp_path: Path) -> None:
        classroom.write_environment("ada/kit", tmp_path)
        subprocess.run(
            [tmp_path / "binder" / "postBuild"], cwd=tmp_path, check=True,
            env={"NB_PYTHON_PREFIX": str(tmp_path / "python"), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        [placed] = (tmp_path / "python").rglob("*.json")
        assert placed.read_text() == (ROOT / "binder" / "overrides.json").read_text()
