import random

import pytest

from sockkit.lab.garbage import endless_line, huge_length, not_text, random_bytes


def test_garbage_is_what_its_name_says():
    source = random.Random(0)
    assert b"\n" not in endless_line(source, 10_000)
    assert huge_length(source, 100)[:4] == b"\xff\xff\xff\xff"
    with pytest.raises(UnicodeDecodeError):
        not_text(source, 100).decode()
    assert {len(make(source, 100)) for make in (random_bytes, not_text, huge_length)} == {100}
