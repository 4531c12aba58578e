"""What a result looks like, wherever it came from; none of this needs frontrun."""

import dataclasses
import importlib.metadata
import importlib.util
import re
import xml.etree.ElementTree as ElementTree

import pytest

from sockkit.lab import races
from sockkit.lab.races import Result, traces

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=sorted(races.DEMOS))
def result(request: pytest.FixtureRequest) -> Result:
    return traces.load(request.param)


def test_a_recorded_result_says_that_it_is_one(result: Result) -> None:
    assert f"Recorded, not run here: {result.recorded}." in result.to_text()
    assert f"Recorded, not run here: {result.recorded}." in result._repr_html_()
    assert "frontrun 0.7" in result.recorded


def test_the_terminal_gets_text_with_every_step_of_a_losing_schedule(result: Result) -> None:
    text = repr(result)
    assert text.startswith(result.verdict)
    assert all(step.line in text and step.action in text for step in result.steps) != result.holds


def test_a_result_that_holds_says_what_was_and_was_not_explored(result: Result) -> None:
    assert "Explored: " in result.to_text()
    assert ("Not covered: " in result.to_text()) == result.holds


def test_the_picture_has_a_box_for_each_step_and_an_arrow_for_each_collision(
    result: Result,
) -> None:
    root = ElementTree.fromstring(result.to_svg())
    assert len(root.findall(f"{SVG}g")) == len(result.steps)
    collisions = [step for step in result.steps if step.clash and not result.holds]
    assert len(root.findall(f"{SVG}path")) == 2 * len(collisions)
    assert (result.holds or collisions) != []


def test_the_picture_tells_all_without_the_text_around_it(result: Result) -> None:
    words = " ".join("".join(node.itertext()) for node in ElementTree.fromstring(result.to_svg()))
    for step in result.steps:
        assert step.line in words
        assert step.action in words
    assert result.invariant in words
    assert all(name in words for name in result.threads)


def test_the_picture_can_be_read_to_someone(result: Result) -> None:
    root = ElementTree.fromstring(result.to_svg())
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == result.verdict
    assert all(step.line in (root.findtext(f"{SVG}desc") or "") for step in result.steps)


def test_every_colour_comes_from_the_theme_and_has_a_fallback(result: Result) -> None:
    colours = set(re.findall(r"(?:fill|stroke|color): ([^;\"]+)", result.to_svg()))
    assert all(c in ("none", "currentColor") or re.match(r"var\(.*#\w{6}\)", c) for c in colours)


def test_no_box_leaves_the_picture_and_none_lies_on_another(result: Result) -> None:
    root = ElementTree.fromstring(result.to_svg())
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    bottom = 0.0
    for group in root.findall(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        assert box is not None
        x, y, w, h = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert x + w <= width
        assert y >= bottom
        bottom = y + h
    assert bottom < height


HOSTILE = "</title><script>alert(1)</script>&'\"\x1b[31m\u202e"


def test_hostile_text_is_text_in_the_picture_and_on_the_page() -> None:
    good = traces.load("torn_frame")
    steps = tuple(step._replace(line=HOSTILE, value=HOSTILE) for step in good.steps)
    bad = dataclasses.replace(
        good, steps=steps, invariant=HOSTILE, final=HOSTILE, threads=(HOSTILE,) * 2
    )
    for page in (bad.to_svg(), bad._repr_html_()):
        assert "<script" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page
    ElementTree.fromstring(bad.to_svg())
    assert "\x1b" not in bad.to_text()


def test_the_steps_are_plain_records_for_other_views() -> None:
    records = traces.load("lost_update").records()
    assert records[-1] == {
        "step": 4,
        "thread": "A",
        "line": "self.value += 1",
        "action": "writes value: 1",
        "note": "acts on what it read in step 1",
    }


def test_a_result_survives_being_written_down(result: Result) -> None:
    assert Result.from_json(result.to_json()) == result


def test_an_unknown_trace_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LookupError, match="no recorded trace 'lost'; there are client_registry, "):
        traces.load("lost")


@pytest.fixture
def no_frontrun(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "frontrun" else find(name)
    )


@pytest.mark.usefixtures("no_frontrun")
def test_without_frontrun_a_demonstration_shows_what_was_recorded() -> None:
    assert races.DEMOS["lost_update"].explore() == traces.load("lost_update")


@pytest.mark.usefixtures("no_frontrun")
def test_without_frontrun_other_questions_are_answered_with_a_sentence() -> None:
    demo = races.DEMOS["lost_update"]
    with pytest.raises(races.CannotExplore, match="frontrun, is not installed: it exists for"):
        races.explore(demo.setup, demo.threads, demo.invariant)


def test_a_frontrun_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.8.1")
    assert races.what_is_missing() == "frontrun 0.8.1 is installed, and this kit needs 0.7.x"


def test_each_demonstration_is_shown_by_its_source() -> None:
    for demo in races.DEMOS.values():
        assert demo.source.startswith("class ")
        assert len(demo.source.splitlines()) <= 25
