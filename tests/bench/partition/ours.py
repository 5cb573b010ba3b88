"""mapgrid on one instance, in a process of its own: `python ours.py INSTANCE VARIANT RESULT`.

A variant is `PRESET-EFFORT-SEED` with `-river`, `-units` or `-roads` behind it. RESULT.json gets the scorecard of the
plan, seconds (wall and CPU) and the outline before borders were worked on; RESULT.npy the grid of each point.
"""

from __future__ import annotations

import inspect
import json
import sys
import time
from pathlib import Path

import numpy as np
from instances import LIMITS, instance
from measuring import compactness
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mapgrid.partition import divide, warm
from mapgrid.partition.cells.land import Touch


def takes(option):
    """Say whether `divide` has an option already."""
    return option in inspect.signature(divide).parameters


def main():
    name, variant, target = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    preset, effort, seed, *extras = variant.split("-")
    given = instance(name)
    wanted = {"barriers": given.river if "river" in extras else None}
    households = given.households.drop(columns=["unit", "visits"], errors="ignore")
    if "units" in extras:
        wanted["units"] = given.units
        households = given.households[["weight", "unit", "geometry"]]
    if "roads" in extras:
        wanted["prefer"] = given.roads
    warm()
    began, began_cpu = time.perf_counter(), time.process_time()
    plan = divide(given.village, households, limits=LIMITS, preset=preset, effort=effort, seed=int(seed), **wanted)
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    land = given.land_with_river if "river" in extras else given.land
    before = compactness(land, plan.division.grid)
    figures = plan.scorecard.as_record() | {
        "seconds": round(seconds, 4),
        "cpu": round(cpu, 4),
        "pp_of_cells": round(float(before.mean()), 4),
        "reasons": sorted({reason.code.value for reason in plan.reasons}),
        "unexplained_parts": unexplained(plan),
        "unnamed_crossings": unnamed_crossings(plan),
        "unnamed_units": unnamed_units(plan),
    }
    np.save(target.with_suffix(".npy"), plan.division.grid)
    target.with_suffix(".json").write_text(json.dumps(figures))


def unexplained(plan):
    """Return how many pieces of grids beyond the first no sentence explains."""
    parts = sum(len(shape.geoms) - 1 for shape in plan.grids.geometry if shape.geom_type == "MultiPolygon")
    return max(0, parts - len(plan.pieces))


def unnamed_crossings(plan):
    """Return how many grids one cannot walk all over on dry land and inside them, without a sentence saying so."""
    made = plan.division
    inside = made.land.pairs[
        (made.land.touch == Touch.OPEN) & (made.grid[made.land.pairs[:, 0]] == made.grid[made.land.pairs[:, 1]])
    ]
    net = coo_array((np.ones(len(inside), dtype=np.int8), tuple(inside.T)), shape=(len(made.grid),) * 2)
    piece = connected_components(net, directed=False)[1]
    label, count = np.unique(np.unique(np.stack([made.grid, piece]), axis=1)[0], return_counts=True)
    names = plan.cells["grid"].to_numpy()[[np.flatnonzero(made.grid == each)[0] for each in label[count > 1]]]
    return len(set(names) - {piece.grid for piece in plan.pieces})


def unnamed_units(plan):
    """Return how many split units no reason names."""
    named = sum(reason.detail.startswith("unit ") for reason in plan.reasons)
    return max(0, (plan.scorecard.units_split or 0) - named)


if __name__ == "__main__":
    main()
