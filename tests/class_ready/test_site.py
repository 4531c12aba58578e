"""The answer key as pages and as slides: nothing from elsewhere, and no link that leads nowhere."""

import re
from pathlib import Path

import pytest

from tools import classroom, site
from tools.notebooks import lessons, read

KEY = next(path for path in lessons(site.ANSWERS) if path.name.startswith("05"))
SOURCE = next(path for path in lessons(site.ANSWERS) if path.name.startswith("03"))
NAMES = ["04_who_said_that", KEY.stem, "06_roster_and_panel"]
LOADS = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?!data:)([^"]+)""")


@pytest.fixture(scope="module")
def lesson() -> str:
    return site.page(read(KEY), NAMES, 1)


def links(text: str) -> list[str]:
    return re.findall(r'<a\b[^>]*href="([^"]+)"', text)


def test_a_page_holds_what_the_lesson_says_and_showed(lesson: str) -> None:
    assert "<title>05 · Who left?</title>" in lesson
    assert "Solved." in lesson
    assert "model not found" not in lesson


def test_code_in_an_output_is_in_the_font_of_code(lesson: str) -> None:
    [rule] = re.findall(r"\.jp-RenderedMarkdown \.highlight pre \{([^}]*)\}", lesson)
    assert "font-family: var(--jp-code-font-family)" in rule


def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing(lesson: str) -> None:
    assert "<script" not in lesson
    assert LOADS.findall(lesson) == []
    assert not re.search(r"@import|url\((?!['\"]?(?:data:|#))", lesson)


def test_a_page_leads_to_its_neighbours_and_to_the_contents(lesson: str) -> None:
    inner = {link for link in links(lesson) if "://" not in link and not link.startswith("#")}
    assert inner == {f"{NAMES[0]}.html", f"{NAMES[2]}.html", "index.html"}
    assert lesson.count('rel="next" href="06_roster_and_panel.html"') == 2  # above and below


def test_the_first_and_the_last_have_one_neighbour() -> None:
    assert 'rel="prev"' not in site.navigation(NAMES, 0)
    assert 'rel="next"' not in site.navigation(NAMES, 2)


def test_a_lesson_that_is_not_on_the_site_is_looked_for_in_the_contents() -> None:
    assert site.place("04_who_said_that.ipynb", NAMES) == "04_who_said_that.html"
    assert site.place("10_capstone.ipynb", NAMES) == "index.html"
    assert site.place("../README.md", NAMES) == "index.html"


@pytest.mark.parametrize("as_slides", [False, True], ids=["pages", "slides"])
@pytest.mark.parametrize("key", [KEY, SOURCE], ids=lambda path: path.stem)
def test_the_site_of_one_lesson_is_whole(key: Path, as_slides: bool, tmp_path: Path) -> None:
    files = site.make(tmp_path / "site", [key], as_slides)
    assert [path.name for path in files] == [f"{key.stem}.html", "index.html", "LICENSE.txt"]
    for path in files[:2]:
        inner = [link for link in links(path.read_text("utf-8")) if "://" not in link]
        for link in (link.partition("#")[0] for link in inner):
            assert not link or (path.parent / link).is_file(), link
    title = site.title(read(key))
    assert f'<a href="{key.stem}.html">{title}</a>' in files[1].read_text("utf-8")


def test_of_a_link_into_the_source_the_words_are_left() -> None:
    text = 'it <a href="../../sockkit/sockets.py">once</a>, see <a href="../README.md">there</a>'
    assert site.linked(text, NAMES) == 'it once, see <a href="index.html">there</a>'


def test_no_link_of_a_page_is_without_words(lesson: str) -> None:
    assert re.findall(r"<a\b[^>]*></a>", lesson) == []


def test_what_is_wider_than_a_narrow_window_can_be_scrolled(lesson: str) -> None:
    [wide] = re.findall(r"([^{}*/]*)\{ overflow-x: auto; \}", lesson)
    assert wide.strip() == ".jp-InputArea-editor .highlight pre, .jp-OutputArea-child"


@pytest.fixture(scope="module")
def slides() -> str:
    return site.slides(read(KEY), NAMES)


def test_each_text_begins_a_slide_and_the_code_stays_with_it(slides: str) -> None:
    texts = sum(cell.cell_type == "markdown" for cell in read(KEY).cells)
    assert len(re.findall(r"<section\s*>\s*<section\s*>", slides)) == texts


def test_slides_have_the_title_of_their_lesson_and_lead_to_other_slides(slides: str) -> None:
    assert "<title>05 · Who left?</title>" in slides
    inner = {link for link in links(slides) if "://" not in link and not link.startswith("#")}
    assert inner == {f"{NAMES[0]}.html", f"{NAMES[2]}.html", "index.html"}


def test_slides_are_as_wide_as_a_projector_and_cut_no_line(slides: str) -> None:
    assert re.search(r"width: 1280,\s+height: 720,", slides)
    [rule] = re.findall(r"\.reveal \.highlight pre[^{]*\{([^}]*)\}", slides)
    assert "white-space: pre-wrap" in rule


def test_the_command_says_what_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(site, "lessons", lambda folder=None: [KEY])
    assert site.main([str(tmp_path / "out")]) == 0
    assert f"open {tmp_path / 'out' / 'index.html'}" in capsys.readouterr().out


def test_slides_for_the_hour_hold_no_solution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [book] = [path for path in lessons() if path.name == KEY.name]
    monkeypatch.setattr(site, "lessons", lambda folder=None: [KEY] if folder else [book])
    assert site.main([str(tmp_path), "--slides", "--unsolved"]) == 0
    assert "Solved." not in (tmp_path / f"{KEY.stem}.html").read_text("utf-8")
    assert "as learners get them" in (tmp_path / "index.html").read_text("utf-8")


def test_a_folder_that_is_a_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(site, "lessons", lambda folder=None: [KEY])
    (tmp_path / "out").touch()
    for command in (site.main, lambda words: classroom.main(["environment", "ada/kit", *words])):
        with pytest.raises(SystemExit):
            command([str(tmp_path / "out")])
        assert str(tmp_path / "out") in capsys.readouterr().err.splitlines()[-1]
