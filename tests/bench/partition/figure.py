"""Quality against time at three sizes, as small multiples."""

from __future__ import annotations

import environment
import matplotlib as mpl
import runs

mpl.use("Agg")

import matplotlib.pyplot as plt

_SIZES = ("800", "3000", "20000")
_ROWS = (
    ("distance_ratio", "way to the centre ÷ k-means\n(less is better)"),
    ("polsby_popper", "outline, Polsby–Popper\n(more is better)"),
)
_OURS, _LAWFUL, _UNLAWFUL = "#b3261e", "#1f4e79", "#9aa0a6"
TARGET = environment.ROOT / "docs" / "images" / "partition-quality-against-time.png"


def draw(found):
    """Write the figure and return its path."""
    figure, axes = plt.subplots(2, 3, figsize=(15, 8.5), sharey="row", layout="constrained")
    for column, size in enumerate(_SIZES):
        rows = {run: row for run, row in found[size]["rows"].items() if "fault" not in row}
        for row, (field, title) in enumerate(_ROWS):
            axis = axes[row, column]
            _panel(axis, rows, field)
            if column == 0:
                axis.set_ylabel(title)
        axes[0, column].set_title(f"{int(size):,} households, {found[size]['grids']} grids")
        axes[1, column].set_xlabel("seconds (log)")
    figure.suptitle("● every grid within 50–100 households   × some grids out of range   ◆ mapgrid", fontsize=10)
    TARGET.parent.mkdir(exist_ok=True)
    figure.savefig(TARGET, dpi=110)
    plt.close(figure)
    return TARGET


def _panel(axis, rows, field):
    axis.set_xscale("log")
    axis.grid(visible=True, color="#e8eaed", linewidth=0.8)
    axis.set_axisbelow(True)
    labels = []
    for run, row in rows.items():
        if run not in runs.PEERS:
            continue
        lawful = row["in_range_pct"] == 100
        colour = _LAWFUL if lawful else _UNLAWFUL
        seconds = max(runs.work_seconds(run, row), 1e-3)
        axis.plot(seconds, row[field], "o" if lawful else "x", color=colour, markersize=6)
        labels.append((seconds, row[field], runs.PEERS[run].split(" (")[0], colour))
    for preset in ("balanced", "shortest"):
        ours = [
            (effort, rows[key])
            for effort in ("quick", "standard", "thorough")
            if (key := f"{preset}-{effort}-0") in rows
        ]
        axis.plot([row["cpu"] for _, row in ours], [row[field] for _, row in ours], "D-", color=_OURS, markersize=5)
        for effort, row in ours:
            name = f"mapgrid {preset}" if effort == "standard" else effort
            labels.append((row["cpu"], row[field], name, _OURS))
    _write_apart(axis, labels)


def _write_apart(axis, labels):
    """Write each label beside its mark, moved up or down until it covers no other."""
    axis.margins(y=0.25)
    axis.set_xlim(5e-4, 3e4)
    axis.figure.canvas.draw()
    taken = []
    place = axis.transData.transform
    for x, y, text, colour in sorted(labels, key=lambda label: -label[1]):
        left, middle = place((x, y))
        left += 8
        width, height = 6.3 * len(text), 14
        while any(
            left < other[0] + other[2] and other[0] < left + width and abs(middle - other[1]) < height
            for other in taken
        ):
            middle -= 3
        taken.append((left, middle, width))
        at = axis.transData.inverted().transform((left, middle))
        axis.annotate(
            text,
            (x, y),
            xytext=at,
            fontsize=8,
            color=colour,
            va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.4, "shrinkB": 2},
        )
