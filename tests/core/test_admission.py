"""The token: one line before everything else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockkit.admission import MAX_GREETING, FirstLine, FirstLineDecoder, greeting, is_token
from sockkit.errors import ProtocolError


@given(st.binary(max_size=20).filter(lambda line: b"\n" not in line), st.binary(max_size=20))
def test_the_first_line_is_found_in_whatever_pieces_it_comes(line: bytes, rest: bytes) -> None:
    assert FirstLineDecoder().feed(line + b"\n" + rest) == [FirstLine(line, rest)]
    decoder = FirstLineDecoder()
    for index in range(len(line)):
        assert decoder.feed(line[index : index + 1]) == []
        assert decoder.buffered == index + 1
    assert decoder.feed(b"\n" + rest) == [FirstLine(line, rest)]


@pytest.mark.parametrize("data", [b"x" * 1025, b"x" * 1025 + b"\n", b"x" * 100_000])
def test_a_line_too_long_is_no_token(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="first 1024 bytes"):
        FirstLineDecoder().feed(data)


@pytest.mark.parametrize("token", ["", "two\nlines", "x" * (MAX_GREETING + 1), "ä" * MAX_GREETING])
def test_a_token_is_one_line_of_moderate_length(token: str) -> None:
    with pytest.raises(ValueError, match="a token is one line"):
        greeting(token)


def test_a_token_of_bytes_is_refused_and_not_repeated() -> None:
    token: Any = b"open sesame"
    with pytest.raises(TypeError, match=r"^a token is a str, not bytes$"):
        greeting(token)


@given(st.text(min_size=1, max_size=MAX_GREETING // 4).filter(lambda text: "\n" not in text))
def test_any_such_text_is_a_token_that_is_known_again(token: str) -> None:
    try:
        line = greeting(token)
    except UnicodeEncodeError:
        return  # half a surrogate
    assert FirstLineDecoder().feed(line) == [FirstLine(token.encode(), b"")]
    assert is_token(token.encode(), token)
    assert not is_token(token.encode() + b" ", token)
