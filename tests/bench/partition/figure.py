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
_POINTS = 8
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
    figure.suptitle(
        "● every grid within 50–100 households   × some grids out of range   ◆ mapgrid: quick, standard, thorough",
        fontsize=10,
    )
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
        labels += [
            (row["cpu"], row[field], f"mapgrid {preset}" if effort == "standard" else "", _OURS) for effort, row in ours
        ]
    _write_apart(axis, labels)


def _write_apart(axis, labels):
    """Write each label beside its mark, at the nearest place where it covers neither a label nor a mark."""
    axis.margins(y=0.12)
    axis.set_xlim(3e-4, 1e4)
    axis.figure.canvas.draw()
    frame = axis.get_window_extent()
    marks = [axis.transData.transform((x, y)) for x, y, _, _ in labels]
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in marks]
    for (x, y), (at_x, at_y, text, colour) in sorted(zip(marks, labels, strict=True), key=lambda each: -each[0][1]):
        if not text:  # a mark that says nothing, but is not written over
            continue
        size = _size_of(axis, text)
        left, low = next(
            (at for at in _places(x, y, size) if _is_free(at, size, taken, frame)), (x + 8, y - size[1] / 2)
        )
        taken.append((left, low, left + size[0], low + size[1]))
        end = axis.transData.inverted().transform((left, low + size[1] / 2))
        is_near = abs(low + size[1] / 2 - y) < size[1] and left - x < 12
        line = None if is_near else {"arrowstyle": "-", "color": colour, "lw": 0.5, "shrinkA": 0, "shrinkB": 3}
        axis.annotate(text, (at_x, at_y), xytext=end, fontsize=_POINTS, color=colour, va="center", arrowprops=line)


def _size_of(axis, text):
    """Return the width and height of a label in pixels, with a little room round it."""
    drawn = axis.text(0, 0, text, fontsize=_POINTS)
    box = drawn.get_window_extent()
    drawn.remove()
    return box.width + 4, box.height + 2


def _places(x, y, size):
    """Yield lower left corners for a label of a mark at (x, y), pixels: right, left, above and below, then farther."""
    width, height = size
    for far in range(40):
        for side in (1, -1) if far else (1,):
            for left in (x + 8, x - width - 8, x + 30):
                yield left, y - height / 2 + side * far * height / 2


def _is_free(at, size, taken, frame):
    left, low = at
    right, high = left + size[0], low + size[1]
    inside = frame.x0 <= left and right <= frame.x1 and frame.y0 <= low and high <= frame.y1
    return inside and all(right <= a or c <= left or high <= b or d <= low for a, b, c, d in taken)
