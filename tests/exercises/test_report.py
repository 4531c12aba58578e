"""How a long wire trace becomes one that can be read."""

from sockkit.exercises.report import folded


def test_what_many_clients_in_a_row_got_is_told_by_the_first_and_the_last() -> None:
    lines = [
        "the client that leaves → a reset (RST)",
        *(f"client {number} ← the end (FIN)" for number in range(50)),
        "client 3 ← nothing",
    ]
    assert folded(lines) == [
        "the client that leaves → a reset (RST)",
        "client 0 ← the end (FIN)",
        "… 48 more like these …",
        "client 49 ← the end (FIN)",
        "client 3 ← nothing",
    ]


def test_what_differs_or_happens_a_few_times_or_to_one_alone_stays() -> None:
    few = [f"client {number} ← 3 bytes  b'all'" for number in (1, 2, 3)]
    other = [f"client {number} ← 3 bytes  b'{number}'" for number in range(9)]
    alone = ["← 1 byte  b'x'"] * 9
    assert folded([*few, *other, *alone]) == [*few, *other, *alone]
