"""What the bench of the partition says of figures, and how it runs a peer."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "partition"))

import runs
import table

_ROW = {
    "in_range_pct": 100.0,
    "distance_ratio": 1.02,
    "polsby_popper": 0.7,
    "pp_of_cells": 0.65,
    "seconds": 0.1,
    "cpu": 0.1,
    "reasons": [],
    "unexplained_parts": 0,
    "unnamed_crossings": 0,
    "unnamed_units": 0,
}


def found(**rows):
    ours = {f"balanced-standard-{seed}": _ROW | {"distance_ratio": 1.0 + seed / 100} for seed in (0, 2, 3)}
    ours["shortest-standard-0"] = _ROW
    return {"households": 800, "grids": 11, "rows": ours | rows}


def line_of(lines, start):
    (line,) = [line for line in lines if start in line]
    return line


def test_ratios_are_those_of_the_median_over_the_seeds():
    peer = {"kmc-10": _ROW | {"distance_ratio": 1.0, "polsby_popper": 0.5}}
    lines = table.limits_of("800", found(**peer))
    assert line_of(lines, "balanced: distance ÷ 10 starts").split()[-4:] == ["1.020", "(limit", "≤", "1.02)"]
    assert line_of(lines, "balanced: PP ÷ 10 starts").startswith("ok")


def test_a_peer_better_in_both_is_named_unless_it_leaves_the_limits():
    better = _ROW | {"distance_ratio": 0.9, "polsby_popper": 0.8}
    lawful, unlawful = table.better_peers(found(skater=better, **{"k-means": better | {"in_range_pct": 60.0}}), _ROW)
    assert (lawful, unlawful) == (["spopt Skater"], ["scikit-learn k-means (no limits)"])


def test_a_peer_that_does_not_answer_in_time_is_no_yardstick_but_its_single_start_is():
    lines = table.limits_of("800", found(**{"kmc-10": {"fault": "> 300 s"}, "kmc-1": _ROW | {"polsby_popper": 0.68}}))
    assert line_of(lines, "balanced: PP ÷ 1 start (10: > 300 s)").startswith("SHORT")


def test_a_plan_out_of_range_without_a_reason_is_short():
    lines = table.limits_of("800", found(**{"balanced-quick-0": _ROW | {"in_range_pct": 90.0}}))
    assert line_of(lines, "in range or with a reason").split()[0] == "SHORT"


def test_growth_is_the_slope_of_the_logarithms():
    sizes = {
        str(size): {
            "households": size,
            "grids": 1,
            "rows": {"balanced-standard-0": _ROW | {"cpu": (size / 100) ** 1.5}},
        }
        for size in (200, 800, 3000)
    }
    assert "to the power 1.50" in table.of_all(sizes)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("while True: pass", "> 1 s"),
        ("raise SystemExit('not installed here: no such peer')", "not installed here: no such peer"),
        ("1 / 0", "ZeroDivisionError"),
        ("pass", None),
    ],
)
def test_a_run_ends_with_a_result_or_a_reason(code, fault, monkeypatch):
    monkeypatch.setattr(runs, "START_S", 0)
    said = runs.run([sys.executable, "-c", code], {}, 1)
    assert said == fault if fault is None else fault in said
