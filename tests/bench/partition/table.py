"""The figures as a table for a terminal, and the lines that say which limits are kept."""

from __future__ import annotations

import math
import statistics

import runs

_TIME_LIMITS = {"800": 0.2, "3000": 0.5, "20000": 2.0}
_MEMORY_MB = 300
_COLUMNS = (
    ("in range", "in_range_pct", "{:.0f} %"),
    ("min", "min", "{}"),
    ("max", "max", "{}"),
    ("cv", "cv", "{:.2f}"),
    ("parts", "multipart", "{}"),
    ("PP", "polsby_popper", "{:.3f}"),
    ("m", "distance_m", "{:.1f}"),
    ("ratio", "distance_ratio", "{:.3f}"),
    ("farthest", "farthest_m", "{:.0f}"),
    ("barrier", "barrier_pairs", "{}"),
    ("split", "units_split", "{}"),
    ("on line", "preferred_border_pct", "{:.0f} %"),
    ("s", "seconds", "{:.3g}"),
    ("CPU s", "cpu", "{:.3g}"),
    ("MB", "peak_mb", "{:.0f}"),
)


def median_of(found, preset, effort="standard", extra=""):
    """Return the medians of our runs over the seeds; None when there is none."""
    runs_of = [
        row
        for name, row in found["rows"].items()
        if name.startswith(f"{preset}-{effort}-") and name.split("-", 3)[3:] == ([extra] if extra else [])
    ]
    runs_of = [row for row in runs_of if "fault" not in row]
    if not runs_of:
        return None
    numbers = [name for name, value in runs_of[0].items() if isinstance(value, int | float)]
    return {name: statistics.median(row[name] for row in runs_of if row[name] is not None) for name in numbers}


def is_lawful(row):
    """Say whether a plan keeps what every plan must: all grids within the limits."""
    return "fault" not in row and row["in_range_pct"] == 100


def of_instance(name, found):
    """Return the table of one instance and the lines of its limits."""
    head = f"\n{name}: {found['households']} households, {found['grids']} grids (×: balanced, standard ÷ peer)"
    ours = median_of(found, "balanced")
    lines = [_line("plan", [title for title, _, _ in _COLUMNS], ["× dist", "× PP", "× s"])]
    for run, row in found["rows"].items():
        title = runs.PEERS.get(run, f"mapgrid {run}")
        if "fault" in row:
            lines.append(f"{title:<42}{row['fault']}")
            continue
        cells = [_show(row.get(field), shape) for _, field, shape in _COLUMNS]
        ratios = ["", "", ""] if run not in runs.PEERS or ours is None else _ratios(ours, run, row)
        lines.append(_line(title, cells, ratios))
    return "\n".join([head, *lines, *limits_of(name, found)])


def _show(value, shape):
    return "–" if value is None else shape.format(value)


def _line(title, cells, ratios):
    return f"{title:<42}" + "".join(f"{cell:>10}" for cell in [*cells, *ratios])


def _ratios(ours, run, row):
    quality = [
        f"{ours[field] / row[field]:.3f}" if ours.get(field) and row.get(field) else "–"
        for field in ("distance_ratio", "polsby_popper")
    ]
    return [*quality, f"{ours['cpu'] / max(runs.work_seconds(run, row), 1e-4):.3g}"]


def limits_of(name, found):
    """Return one line per limit: ok or short, the figure, the limit."""
    lines = []
    for preset in ("balanced", "shortest"):
        lines += _beside_peers(preset, found)
    lines += _laws(found)
    ours = median_of(found, "balanced")
    if name in _TIME_LIMITS and ours:
        limit = _TIME_LIMITS[name]
        shown = f"{ours['seconds']:.2f} s wall, {ours['cpu']:.2f} s CPU"
        lines.append(_verdict("balanced: seconds", shown, f"≤ {limit}", is_met=ours["cpu"] <= limit))
    if "command_line_mb" in found:
        peak = found["command_line_mb"]
        lines.append(_verdict("peak memory of the command", f"{peak} MB", f"≤ {_MEMORY_MB}", is_met=peak <= _MEMORY_MB))
    thorough = found["rows"].get("balanced-thorough-0", {})
    if thorough.get("bound_gap_pct") is not None:
        lines.append(f"      thorough: {thorough['bound_gap_pct']} % above the bound on distance")
    return lines


def _beside_peers(preset, found):
    """Return lines for distance and outline beside k-means-constrained and beside all peers."""
    ours = median_of(found, preset)
    if ours is None:
        return [_verdict(f"{preset}: a plan is made", "none", "all", is_met=False)]
    lines = []
    peer, starts = found["rows"].get("kmc-10", {"fault": "not run"}), "10 starts"
    if "fault" in peer:
        peer, starts = found["rows"].get("kmc-1", peer), f"1 start (10: {peer['fault']})"
    if "fault" not in peer:
        distance = ours["distance_ratio"] / peer["distance_ratio"]
        outline = ours["polsby_popper"] / peer["polsby_popper"]
        lines.append(_verdict(f"{preset}: distance ÷ {starts}", f"{distance:.3f}", "≤ 1.02", is_met=distance <= 1.02))
        lines.append(_verdict(f"{preset}: PP ÷ {starts}", f"{outline:.3f}", "≥ 1.12", is_met=outline >= 1.12))
    better, unlawful = better_peers(found, ours)
    lines.append(_verdict(f"{preset}: peers better in both", ", ".join(better) or "none", "none", is_met=not better))
    if unlawful:
        lines.append(f"      (better in both, but with grids out of range: {', '.join(unlawful)})")
    before, after = ours["pp_of_cells"], ours["polsby_popper"]
    lines.append(f"      {preset}: PP of cells {before:.3f}, with borders worked on {after:.3f}")
    return lines


def better_peers(found, ours):
    """Return the peers better in distance and outline, those that keep the limits and those that do not."""
    better, unlawful = [], []
    for peer, title in runs.PEERS.items():
        row = found["rows"].get(peer, {"fault": "not run"})
        if "fault" in row or row["distance_ratio"] is None:
            continue
        if row["distance_ratio"] < ours["distance_ratio"] and row["polsby_popper"] > ours["polsby_popper"]:
            (better if is_lawful(row) else unlawful).append(title)
    return better, unlawful


def _laws(found):
    """Return lines for what must hold of every plan of ours."""
    ours = {run: row for run, row in found["rows"].items() if run not in runs.PEERS}
    whole = {run: row for run, row in ours.items() if "fault" not in row}
    failed = [run for run in ours if run not in whole]
    out = [run for run, row in whole.items() if row["in_range_pct"] < 100 and not row["reasons"]]
    parts = [run for run, row in whole.items() if row["unexplained_parts"]]
    crossings = [run for run, row in whole.items() if row["unnamed_crossings"]]
    units = [run for run, row in whole.items() if row["unnamed_units"]]
    return [
        _verdict(
            "all: grids across a barrier, not named", ", ".join(crossings) or "none", "none", is_met=not crossings
        ),
        _verdict("all: split units, not named", ", ".join(units) or "none", "none", is_met=not units),
        _verdict("all: a plan is made", ", ".join(failed) or "all", "all", is_met=not failed),
        _verdict("all: in range or with a reason", ", ".join(out) or "all", "all", is_met=not out),
        _verdict("all: parts without explanation", ", ".join(parts) or "none", "none", is_met=not parts),
    ]


def _verdict(what, figure, limit, *, is_met):
    return f"{'ok' if is_met else 'SHORT':<6}{what:<44}{figure} (limit {limit})"


def of_all(found):
    """Return how time grows with size, and how many limits are kept."""
    lines = ["", "all instances"]
    drawn = {int(name): median_of(each, "balanced") for name, each in found.items() if name.isdigit()}
    drawn = {size: row for size, row in drawn.items() if row}
    if len(drawn) > 1:
        power = _slope([math.log(size) for size in drawn], [math.log(row["cpu"]) for row in drawn.values()])
        lines.append(f"      CPU seconds grow with households to the power {power:.2f}")
    if {800, 20_000} <= set(drawn):
        per = {size: drawn[size]["cpu"] / (size * math.log(size)) for size in (800, 20_000)}
        times = per[20_000] / per[800]
        lines.append(
            _verdict("CPU s ÷ (n log n) at 20,000 ÷ that at 800", f"{times:.2f}", "≤ 1.5", is_met=times <= 1.5)
        )
    said = [line for name, each in found.items() for line in limits_of(name, each)]
    short = sum(line.startswith("SHORT") for line in said)
    lines.append(f"      {sum(line.startswith('ok') for line in said)} limits kept, {short} short")
    return "\n".join(lines)


def _slope(x, y):
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    above = sum((one - mean_x) * (other - mean_y) for one, other in zip(x, y, strict=True))
    return above / sum((one - mean_x) ** 2 for one in x)
