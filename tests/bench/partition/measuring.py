"""Measure any plan, given as labels, by the scorecard of mapgrid."""

from __future__ import annotations

import numpy as np
import shapely

from mapgrid.partition.cells.outlines import cell_polygons, merge
from mapgrid.partition.scorecard import measure_plan


def compactness(land, label):
    """Return 4πA/P² of each grid as the union of its cells."""
    shapes = merge(cell_polygons(land.faces, land.cell_of_face, len(label)), label, int(label.max()) + 1)
    return 4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2


def measure(given, label, limits, seconds):
    """Return the scorecard's figures of labels on an instance's points; those of groups are not meant."""
    points = given.points
    shapes = merge(given.cells, label, int(label.max()) + 1)
    outline = given.village.geometry.iloc[0]
    card = measure_plan(outline, given.land, points, (label, label), shapes, limits, seconds).as_record()
    card["barrier_pairs"] = pairs_across(given, label)
    card["units_split"] = units_split(given, label)
    return {name: value for name, value in card.items() if not name.startswith("groups")}


def pairs_across(given, label):
    """Return how many neighbours of one grid have a barrier between them; None where there is no barrier."""
    land = given.land_with_river
    if land is None:
        return None
    one, other = land.pairs.T
    return int(((land.touch >= 2) & (label[one] == label[other])).sum())


def units_split(given, label):
    """Return how many units have households in more than one grid; None where there are no units."""
    if given.units is None:
        return None
    at = given.points.of_row
    grids = {}
    for unit, grid in zip(given.households["unit"], label[at].tolist(), strict=True):
        grids.setdefault(unit, set()).add(grid)
    return sum(len(each) > 1 for each in grids.values())
