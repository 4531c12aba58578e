"""A page and two plots out of the results: docs/speed.md, and one plot for each theme."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.contestants import BASE
from benchmarks.environment import ROOT

PAGE = ROOT / "docs" / "speed.md"
IMAGES = ROOT / "docs" / "images"
KIT = "sockkit"  # the first word of every row that is ours
THEMES = {  # text and lines, our bars, the others' bars: readable on white, and on GitHub's black
    "light": ("#1f2328", "#0969da", "#a0a8b2"),
    "dark": ("#e6edf3", "#58a6ff", "#6e7681"),
}

_PAGE = """\
# How fast it is

*Made by `python -m benchmarks report` out of [results.json](../benchmarks/results.json); nothing
here is typed by hand.*

<picture>
<source media="(prefers-color-scheme: dark)" srcset="images/speed-dark.svg">
<img src="images/speed-light.svg" alt="{alt}">
</picture>

Each server sends lines back in upper case to {clients} clients. Counted are messages for each
second of the **server's processor time**, which hardly changes when others use the machine too.
There were {rounds} rounds. In each, every server had its turn of a second, on one core, with its
clients in another process on another core, and every byte that came back was compared. Shown are
the median, the lowest and the highest, and how many times {base} that is.

Measured on {date}: {python}, {system}, {cpu}{busy}.
Versions: {versions}.

{tables}

## Who was faster

{lost}

## How to repeat it

    python lab.py --version                  # makes the environment, if there is none yet
    .venv/bin/python -m benchmarks           # {minutes} minutes, if nothing else runs
    .venv/bin/python -m benchmarks report    # this page

The others' packages go into an environment of their own, `build/benchmarks`. The servers are in
[benchmarks/peers](../benchmarks/peers), each a page long; [load.py](../benchmarks/load.py) is the
other side. `--quick` runs everything once, and `--only NAME` a single one.
"""


def make(results: dict[str, Any]) -> list[Path]:
    """Write the page and the plots; return where they are."""
    made = [PAGE]
    PAGE.write_text(page(results), encoding="utf-8")
    for theme in THEMES:
        file = IMAGES / f"speed-{theme}.svg"
        plot(results, theme, file)
        made.append(file)
    return made


def page(results: dict[str, Any]) -> str:
    """The whole page as Markdown."""
    turns = sum(len(rows) for rows in results["cells"].values()) * results["rounds"]
    return _PAGE.format(
        alt=alternative_text(results),
        base=BASE,
        tables=tables(results),
        lost=lost(results),
        minutes=round(turns * 2.5 / 60),
        busy=f", under a load of {results['load']} when it began" if results["load"] else "",
        **{
            name: results[name] for name in ("clients", "rounds", "date", "python", "system", "cpu")
        },
        versions=", ".join(f"{name} {version}" for name, version in results["versions"].items()),
    )


def ranked(rows: dict[str, list[dict[str, float]]]) -> Iterator[tuple[str, list[float]]]:
    """The rows of one kind of load, the fastest first: a name, and its rates in order."""
    rates = {name: sorted(turn["per_cpu_second"] for turn in turns) for name, turns in rows.items()}
    yield from sorted(rates.items(), key=lambda row: -statistics.median(row[1]))


def tables(results: dict[str, Any]) -> str:
    """A table for each kind of load."""
    parts = []
    for cell, rows in results["cells"].items():
        medians = {name: statistics.median(rates) for name, rates in ranked(rows)}
        base = medians.get(BASE)
        lines = [
            f"## {cell}",
            "",
            f"| server | messages a CPU second | lowest to highest | times {BASE} |",
            "| :-- | --: | --: | --: |",
        ]
        for name, rates in ranked(rows):
            shown = f"**{name}**" if name.startswith(KIT) else name
            ratio = f"{medians[name] / base:.2f}" if base else ""
            spread = f"{rates[0]:,.0f} to {rates[-1]:,.0f}"
            lines.append(f"| {shown} | {medians[name]:,.0f} | {spread} | {ratio} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def lost(results: dict[str, Any]) -> str:
    """For each kind of load, who was ahead of the kit on the loop it uses by default."""
    sentences = []
    for cell, rows in results["cells"].items():
        medians = {name: statistics.median(rates) for name, rates in ranked(rows)}
        ahead = [
            f"{name} ({medians[name] / medians[KIT]:.2f} times the kit)"
            for name in medians
            if medians[name] > medians[KIT] and not name.startswith(KIT)
        ]
        sentences.append(f"- {cell}: {', '.join(ahead) or 'nobody'}.")
    return "\n".join(sentences)


def alternative_text(results: dict[str, Any]) -> str:
    """The plot in words, for those who can't see it."""
    parts = []
    for cell, rows in results["cells"].items():
        medians = {name: statistics.median(rates) for name, rates in ranked(rows)}
        if BASE in medians and KIT in medians:
            parts.append(f"{cell}: {medians[KIT] / medians[BASE]:.1f} times {BASE}")
    return f"Bars of messages a CPU second. sockkit has, with {'; with '.join(parts)}."


def plot(results: dict[str, Any], theme: str, file: Path) -> None:
    """Bars for each kind of load, the fastest on top."""
    import matplotlib
    from matplotlib.figure import Figure

    ink, ours, theirs = THEMES[theme]
    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": KIT,
        "font.size": 9,
        "text.color": ink,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(8, 9.6), layout="constrained")
        panels = figure.subplots(len(results["cells"]), 1, squeeze=False)[:, 0]
        for panel, (cell, rows) in zip(panels, results["cells"].items(), strict=True):
            order = list(ranked(rows))[::-1]
            names = [name for name, _ in order]
            medians = [statistics.median(rates) / 1000 for _, rates in order]
            colors = [ours if name.startswith(KIT) else theirs for name in names]
            bars = panel.barh(names, medians, color=colors)
            panel.bar_label(bars, [f"{median:,.0f}" for median in medians], padding=3, color=ink)
            panel.set_title(f"{cell}: thousand messages a CPU second", loc="left", color=ink)
            panel.tick_params(axis="y", length=0, labelcolor=ink)
            panel.xaxis.set_visible(False)
            panel.spines[:].set_visible(False)
            panel.margins(x=0.1, y=0.01)
        figure.savefig(file, transparent=True, metadata={"Date": None})
