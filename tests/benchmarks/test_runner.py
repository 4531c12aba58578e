"""The benchmarks run, at a size that takes seconds, with servers of the standard library."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import environment, report, run
from benchmarks.contestants import BASE, CELLS, PEERS, Cell, Peer
from benchmarks.wire import frame_of, line_of

OURS = [peer for peer in PEERS if peer.name in ("sockkit", BASE, "socketserver, threads")]
TINY = [Cell(16, 1), Cell(1024, 4)]


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return run.compare(OURS, TINY, python=sys.executable, rounds=2, seconds=0.3, clients=3)


def test_every_peer_has_its_turn_in_every_round(results: dict[str, Any]) -> None:
    assert list(results["cells"]) == ["16 B, 1 in flight", "1 KiB, 4 in flight"]
    for rows in results["cells"].values():
        assert list(rows) == [peer.name for peer in OURS]
        for turns in rows.values():
            assert len(turns) == 2
            for turn in turns:
                assert turn["per_second"] > 0
                assert turn["per_cpu_second"] > 0


def test_the_results_say_when_where_and_of_what(results: dict[str, Any]) -> None:
    assert all(results[name] for name in ("date", "cpu", "system", "python"))
    assert (results["clients"], results["rounds"]) == (3, 2)
    assert {"sockkit", "trio", "websockets"} <= set(results["versions"])


def test_a_page_and_a_plot_for_each_theme_come_out(
    results: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "PAGE", tmp_path / "speed.md")
    monkeypatch.setattr(report, "IMAGES", tmp_path)
    made = report.make(results)
    assert [file.name for file in made] == ["speed.md", "speed-light.svg", "speed-dark.svg"]
    page = made[0].read_text(encoding="utf-8")
    for peer in OURS:
        assert page.count(f"| {peer.name} |") + page.count(f"| **{peer.name}** |") == len(TINY)
    for plot in made[1:]:
        assert "socketserver, threads" in plot.read_text(encoding="utf-8")


def test_a_lost_comparison_is_told() -> None:
    def rates(*given: float) -> list[dict[str, float]]:
        return [{"per_cpu_second": rate} for rate in given]

    rows = {"sockkit": rates(10, 30, 20), "faster": rates(50, 50, 50), BASE: rates(5, 5, 5)}
    told = report.lost({"cells": {"some load": rows, "other load": {"sockkit": rates(1)}}})
    assert told == "- some load: faster (2.50 times the kit).\n- other load: nobody."
    assert "| **sockkit** | 20 | 10 to 30 | 4.00 |" in report.tables({"cells": {"a": rows}})


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise SystemExit('as the test wants it')")
    broken = Peer("broken", str(tmp_path / "broken"))
    with pytest.raises(RuntimeError, match="broken ended instead of listening: as the test wants"):
        run.measure(broken, TINY[0], sys.executable, clients=1, seconds=0.05)


def test_a_server_that_replies_wrongly_is_found_out(tmp_path: Path) -> None:
    source = (run.PEERS / "asyncio_streams.py").read_text(encoding="utf-8")
    (tmp_path / "wrong.py").write_text(source.replace(".upper()", ".lower()"), encoding="utf-8")
    with pytest.raises(RuntimeError, match="wrong reply"):
        run.measure(Peer("wrong", str(tmp_path / "wrong")), TINY[0], sys.executable, 1, 2.0)


def test_a_server_that_never_replies_is_found_out(tmp_path: Path) -> None:
    source = (run.PEERS / "asyncio_streams.py").read_text(encoding="utf-8")
    (tmp_path / "mute.py").write_text(source.replace(".upper()", "[:0]"), encoding="utf-8")
    with pytest.raises(RuntimeError, match="no reply within"):
        run.measure(Peer("mute", str(tmp_path / "mute")), TINY[0], sys.executable, 1, 0.05)


def test_all_peers_are_there_with_pinned_packages() -> None:
    pinned = run.versions()
    for peer in PEERS:
        program = run.PEERS / f"{peer.program}.py"
        compile(program.read_text(encoding="utf-8"), str(program), "exec")
        assert not peer.package or peer.package in pinned
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    assert len(CELLS) == 3


def test_a_line_and_a_frame_carry_the_same_text() -> None:
    assert line_of(4).request == b"abc\n"
    assert frame_of(4).request == b"\x81\x83\0\0\0\0abc"
    assert frame_of(4).reply == b"\x81\x03ABC"
    assert frame_of(1024).reply[:4] == b"\x81\x7e\x03\xff"


def test_the_command_tells_what_it_can_do() -> None:
    command = [sys.executable, "-m", "benchmarks", "--help"]
    done = subprocess.run(command, cwd=environment.ROOT, capture_output=True, text=True, timeout=50)
    assert "--quick" in done.stdout
    assert done.returncode == 0, done.stderr
