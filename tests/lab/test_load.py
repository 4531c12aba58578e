import sys
import time

import pytest

from sockkit.lab import Comparison, Load, compare, descriptors, load, room_for

from . import serving

load_module = sys.modules["sockkit.lab.load"]  # `sockkit.lab.load` is the function

pytestmark = pytest.mark.usefixtures("nothing_left")

ONE = Load("<one>", 10, 0, 1234.5, 2_500_000, 11)
TWO = Load("two", 1000, 3, 10.0, 0, 1)


def test_a_load_counts_clients_threads_and_requests():
    found = load(serving.a_thread_each, 20, requests=200, name="threads")
    assert (found.server, found.clients, found.lost, found.threads) == ("threads", 20, 0, 21)
    assert found.rate > 0


def test_a_server_is_called_as_its_function_is():
    assert load(serving.on_a_loop, 1, requests=1).server == "on_a_loop"


def test_a_client_with_a_wrong_reply_is_lost():
    found = load(serving.one_reply_in_lower_case, 1, requests=3)
    assert (found.lost, found.rate) == (1, 0)


def test_each_server_gets_each_load_and_the_small_ones_come_first():
    servers = {"threads": serving.a_thread_each, "asyncio": serving.on_a_loop}
    found = compare(servers, clients=(5, 2, 5), requests=10)
    each = [(load.server, load.clients, load.lost) for load in found.loads]
    assert each == [("threads", 2, 0), ("asyncio", 2, 0), ("threads", 5, 0), ("asyncio", 5, 0)]
    assert found.left_out == ()


def test_no_greater_load_is_begun_when_time_is_short(monkeypatch):
    clock = iter([0.0, 0.0, 3.0])  # the beginning, before the first load, before the second
    monkeypatch.setattr(load_module.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(load_module, "load", lambda serve, size, requests, name: ONE)
    found = compare({"one": serving.on_a_loop}, clients=(10, 100, 1000), seconds=8)
    assert found.loads == [ONE]
    assert found.left_out == [100, 1000]


def test_a_comparison_is_a_table_for_people():
    assert Comparison([ONE, TWO], [5000]).to_text().splitlines() == [
        "server  clients  requests/s  memory, MB  threads  wrong or lost",
        "<one>        10       1,234         2.5       11              0",
        "two       1,000          10         0.0        1              3",
        "Not tried, for want of time: 5,000 clients.",
    ]


def test_on_a_page_it_is_a_table_and_a_name_is_text():
    page = Comparison([ONE, TWO], [5000])._repr_html_()
    assert page.count("<tr>") == 3
    assert '<td style="text-align: left">&lt;one&gt;</td><td>10</td>' in page
    assert "<p>Not tried" in page


def test_the_plot_has_a_line_for_each_server_in_each_picture():
    figure = Comparison([ONE, TWO, Load("two", 10, 0, 5.0, 0, 1)]).plot()
    assert [axes.get_title() for axes in figure.axes] == [
        "requests a second",
        "memory, MB",
        "threads",
    ]
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 2]
    for axes in figure.axes:
        assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "1,000"]


# How many clients fit.


@pytest.fixture
def plenty(monkeypatch):
    """A process with time and descriptors, whatever this one has."""
    for name in [name for name in descriptors.os.environ if name.startswith("BINDER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(descriptors.time, "thread_time", time.perf_counter)
    monkeypatch.setattr(descriptors, "descriptor_limits", lambda: (100_000, 100_000))


def test_as_many_clients_as_asked_for_where_there_is_plenty(plenty):
    assert room_for(1000) == 1000


def test_fewer_where_descriptors_are_few(plenty, monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limits", lambda: (1024, 1024))
    one, both = room_for(2000), room_for(2000, ends=2)
    assert 2 * both <= one < 1024 - descriptors.SPARE
    monkeypatch.setattr(descriptors, "descriptor_limits", lambda: (3, 3))
    assert room_for(2000) == 1


def test_where_nobody_counts_descriptors_they_set_no_bound(plenty, monkeypatch):
    monkeypatch.setattr(descriptors, "descriptor_limits", lambda: None)
    assert room_for(5000) == 5000


def test_a_few_hundred_on_binder(plenty, monkeypatch):
    monkeypatch.setenv("BINDER_LAUNCH_HOST", "https://binder.example")
    assert room_for(1000) == 200
    assert room_for(50) == 50


def test_a_few_hundred_where_others_take_the_processor(plenty, monkeypatch):
    monkeypatch.setattr(descriptors.time, "thread_time", lambda: 0.0)
    assert room_for(1000) == 200
