import ast

import pytest

from sockkit.lab import source
from sockkit.lab.reading import Listing
from sockkit.portal import Portal


def test_a_method_comes_without_its_indent_below_the_name_of_its_file() -> None:
    first, second = repr(source(Portal.call)).splitlines()[:2]
    assert first == "# sockkit/portal.py"
    assert second.startswith("def call(self")


def test_what_is_shown_is_python() -> None:
    module = ast.parse(source(Portal, Portal.call, Listing).code)
    assert [node.name for node in module.body if hasattr(node, "name")] == [
        "Portal",
        "call",
        "Listing",
    ]


def test_a_file_outside_of_the_kit_is_named_without_its_folder() -> None:
    assert source(ast.parse).code.startswith("# ast.py\n")


def test_a_page_gets_it_highlighted() -> None:
    listing = source(Portal.call)
    assert f"\n\n```python\n{listing.code}\n```\n\n" in listing._repr_markdown_()


def test_a_thing_without_source_is_refused() -> None:
    with pytest.raises(TypeError):
        source(len)
