"""A program that offers output to a client that never reads, by a policy."""

import sys

import pytest

from sockkit.lab.sloth import Offered, offer, plot_memory

pytestmark = pytest.mark.usefixtures("nothing_left")

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")


def grown(offered: Offered) -> float:
    return offered.points[-1][1] - offered.points[0][1]


def test_what_is_kept_grows_by_as_much_as_was_offered() -> None:
    kept = offer("writer.write(data)", 60, memory=1_000_000_000)
    assert kept.end == ""
    assert kept.points[-1][0] == 58
    assert grown(kept) > 45


@linux
def test_what_is_kept_ends_where_memory_does() -> None:
    kept = offer("writer.write(data)")
    assert kept.end.startswith("MemoryError")
    assert kept.points[-1][0] < 298


@pytest.mark.parametrize(
    ("policy", "end"),
    [
        ("writer.write(data); await asyncio.wait_for(writer.drain(), 0.5)", "TimeoutError"),
        ("waiting() < 1_000_000 and writer.write(data)", ""),
    ],
)
def test_memory_stays_flat_with_a_bound(policy: str, end: str) -> None:
    bounded = offer(policy, 60)
    assert bounded.end == end
    assert grown(bounded) < 10


def test_a_program_that_hangs_is_ended() -> None:
    assert offer("await asyncio.sleep(60)", timeout=2).end == "ended after 2 s"


def test_the_plot_names_each_policy_and_its_end() -> None:
    figure = plot_memory({"keep": Offered([(0, 20), (10, 30)], "MemoryError")})
    (label,) = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert label == "keep: MemoryError"
