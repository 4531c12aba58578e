"""Text from the network, made safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockkit.text import plain


@given(st.text() | st.binary() | st.integers(), st.integers(1, 50))
def test_nothing_shown_can_do_harm(value: object, limit: int) -> None:
    shown = plain(value, limit)
    assert len(shown) <= limit + 1
    for character in shown:
        assert unicodedata.category(character)[0] != "C"
        assert unicodedata.category(character) not in {"Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hello, wörld 你好 🙂", "hello, wörld 你好 🙂"),
        ("red\x1b[31m", "red·[31m"),
        ("left\u202eright", "left·right"),
        ("zero\u200bwidth", "zero·width"),
        ("a\nb\r\x00\u2028", "a·b···"),
        (b"\xffbytes\n", r"\xffbytes\n"),
        (bytearray(b"ab"), "ab"),
        (memoryview(b"ab"), "ab"),
        (None, "None"),
    ],
)
def test_harmless_text_stays_and_the_rest_becomes_dots(text: object, shown: str) -> None:
    assert plain(text) == shown


def test_long_text_is_cut_and_says_so() -> None:
    assert plain("x" * 10, limit=4) == "xxxx…"
    assert plain(b"x" * 10_000_000, limit=4) == "xxxx…"
