"""Say of each grid why it is out of the limits, and why it has more than one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.cells.land import Touch
from mapgrid.partition.cells.shapes import points_at
from mapgrid.partition.reasons import Piece, Reason, ReasonCode, counts_that_fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mapgrid.partition.points import Points
    from mapgrid.partition.search.graph import Graph
    from mapgrid.partition.search.sides import Region
    from mapgrid.village import Limits


def households_text(count: int) -> str:
    """Return a number of households in words."""
    return "1 household" if count == 1 else f"{count} households"


def reasons_of_grids(
    regions: list[Region],
    weight: NDArray[np.int64],
    grid: NDArray[np.int64],
    limits: Limits,
    names: Sequence[str],
) -> list[Reason]:
    """Return a reason for every grid whose households are outside the limits, in the order of the grids."""
    load = np.bincount(grid, weights=weight).astype(np.int64)
    reasons = [
        _reason(names[label], int(load[label]), region, weight, limits)
        for region in regions
        for label in np.unique(grid[region.cells])
        if not limits.min <= load[label] <= limits.max
    ]
    return sorted(reasons, key=lambda reason: reason.grid or "")


def _reason(grid: str, load: int, region: Region, weight: NDArray[np.int64], limits: Limits) -> Reason:
    bounds = f"{limits.min}–{limits.max}"
    in_region, total = int(weight[region.cells].sum()), int(weight.sum())
    heaviest = int(weight[region.cells].max())
    if region.over:
        enclosed = load - heaviest
        detail = f"one point of {households_text(heaviest)} is alone over the maximum of {limits.max}"
        if enclosed:
            detail += f"; {enclosed} more that cannot stand alone are with it"
        return Reason(grid, ReasonCode.UNIT_OVER_MAX, detail)
    if not len(counts_that_fit(total, limits.min, limits.max)):
        detail = f"the village has {households_text(total)}: no number of grids of {bounds} households fits"
        return Reason(grid, ReasonCode.VILLAGE_UNDER_MIN, detail)
    if not len(counts_that_fit(in_region, limits.min, limits.max)):
        detail = (
            f"{households_text(in_region)} cut off from the rest by a barrier without an opening, or by heavier "
            f"neighbours: no number of grids of {bounds} households fits"
        )
        return Reason(grid, ReasonCode.ISOLATED_UNIT, detail)
    detail = (
        f"{households_text(load)}: no connected division of its {in_region} households into grids of {bounds} was "
        f"found; the heaviest point has {heaviest}"
    )
    return Reason(grid, ReasonCode.NO_DIVISION_FOUND, detail)


def explain_pieces(
    graph: Graph,
    points: Points,
    grid: NDArray[np.int64],
    polygons: NDArray[np.object_],
    limits: Limits,
    names: Sequence[str],
) -> list[Piece]:
    """Return a sentence for every piece of a grid beyond its first, and for every side joined through an opening."""
    pieces = []
    several = np.flatnonzero(shapely.get_num_geometries(polygons) > 1)
    beyond = graph.components(grid, (Touch.OPEN, Touch.LINK))
    bridged = np.flatnonzero(np.bincount(np.unique(np.stack([grid, beyond]), axis=1)[0]) > 1)
    for label in sorted({*several.tolist(), *bridged.tolist()}):
        cells = np.flatnonzero(grid == label)
        why = [*_parts(polygons[label], points, cells, limits), *_sides(beyond[cells], points.weight[cells], limits)]
        pieces += [Piece(names[label], part, text) for part, text in enumerate(why, start=2)]
    return pieces


def _parts(polygon: shapely.Geometry, points: Points, cells: NDArray[np.int64], limits: Limits) -> list[str]:
    """Return why, for each polygon of a grid but the one with most households."""
    parts = shapely.get_parts(polygon)
    if len(parts) == 1:
        return []
    inside = shapely.intersects(parts[:, None], points_at(points.xy[cells])[None, :])
    loads = (inside * points.weight[cells]).sum(axis=1)
    order = np.lexsort((-shapely.area(parts), -loads))[1:]
    return [_why_part(int(loads[part]), limits) for part in order]


def _why_part(load: int, limits: Limits) -> str:
    if load == 0:
        return "land without households in another part of the village, joined to the nearest grid"
    return (
        f"{households_text(load)} in another part of the village, joined to the nearest grid: "
        f"that part cannot make grids of {limits.min}–{limits.max} households alone"
    )


def _sides(piece: NDArray[np.int64], weight: NDArray[np.int64], limits: Limits) -> list[str]:
    """Return why, for each set of cells of a grid that only an opening connects with the heaviest one."""
    at = np.unique(piece, return_inverse=True)[1]
    loads = np.bincount(at, weights=weight).astype(int)
    return [
        f"{households_text(loads[number])} beyond a barrier, joined through its opening: "
        f"that side cannot make grids of {limits.min}–{limits.max} households alone"
        for number in np.argsort(-loads, kind="stable")[1:]
    ]
