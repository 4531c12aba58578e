"""The pages around the code: no link that leads nowhere, and forms that ask for what we need."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.answers import ANSWERS
from tools.notebooks import LESSONS, ROOT, lessons, read

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), LESSONS / "README.md"]
BOOKS = [*lessons(), *lessons(ANSWERS)]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FORMS = [ROOT / ".github/ISSUE_TEMPLATE" / name for name in ("lesson.yml", "kit.yml")]


PICTURE = re.compile(r'(?:src|srcset)="([^":]+)"')


def text_of(path: Path) -> str:
    """The prose of a page or of a notebook, without code."""
    if path.suffix == ".ipynb":
        cells = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
        return without_code("\n\n".join(cells))
    text = re.sub(r"^    .*$", " ; ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return without_code(text)


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]+`", " ; ", text, flags=re.DOTALL)


def inner_links(path: Path) -> set[str]:
    return {link for link in LINK.findall(text_of(path)) if not re.match(r"\w+:", link)}


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", without_code_blocks(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def without_code_blocks(path: Path) -> str:
    return re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_each_picture_is_there_and_is_shown_on_a_page() -> None:
    named = [
        (page.parent / name).resolve()
        for page in PAGES
        for name in PICTURE.findall(page.read_text(encoding="utf-8"))
    ]
    there = [path.resolve() for path in (ROOT / "docs" / "images").iterdir()]
    assert sorted(named) == sorted(there)


@pytest.mark.parametrize("path", [*PAGES, *BOOKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_inner_link_leads_somewhere(path: Path) -> None:
    for link in inner_links(path):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def test_the_test_of_links_sees_the_links() -> None:
    assert "CHANGELOG.md" in inner_links(ROOT / "CONTRIBUTING.md")
    assert "../README.md" in inner_links(BOOKS[0])
    assert "thirty-learners" in anchors(ROOT / "docs" / "teaching.md")


@pytest.mark.parametrize("path", [*PAGES, *BOOKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_word_stands_twice_in_a_row(path: Path) -> None:
    prose = re.sub(r"[|*_#>\-]", " ; ", text_of(path))
    twice = re.findall(r"\b([A-Za-z]+)\s+\1\b", prose)
    assert [word for word in twice if word.lower() not in {"that", "had"}] == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_for_the_lesson_and_for_what_doctor_prints(path: Path) -> None:
    form: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    fields = {field["id"]: field for field in form["body"]}
    assert "lesson" in fields
    assert "python -m sockkit doctor" in fields["doctor"]["attributes"]["description"]
    assert fields["doctor"]["validations"] == {"required": True}
    must = {name for name, field in fields.items() if field.get("validations")}
    assert path.stem != "lesson" or {"lesson", "cell", "seen"} <= must


def test_before_a_commit_the_same_versions_look_at_it_as_in_the_tests() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    hooks = {repo["repo"].rpartition("/")[2]: repo for repo in yaml.safe_load(text)["repos"]}
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert f"ruff=={hooks['ruff-pre-commit']['rev'].removeprefix('v')}" in lock
    (cleaning,) = hooks["local"]["hooks"]
    assert cleaning["entry"] == "python -m tools.notebooks --clean"
    assert set(cleaning["additional_dependencies"]) <= set(lock)
    learners = [path.relative_to(ROOT).as_posix() for path in BOOKS]
    assert [name for name in learners if re.search(cleaning["files"], name)] == [
        path.relative_to(ROOT).as_posix() for path in lessons()
    ]


def test_contributing_is_one_page() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 80
