"""Which cells must be divided together: the sides that walls leave, joined only where one cannot stand alone.

A side whose households fit a whole number of grids stands alone. Another one joins a neighbour through an opening in
the barrier (a bridge); failing that, the nearest side in another part of the village; failing that, a grid that is over
the maximum already. What is left stands alone, out of the limits, with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from mapgrid.partition.cells.land import WAYS, Land, Touch
from mapgrid.partition.cells.shapes import lines_along
from mapgrid.partition.reasons import counts_that_fit
from mapgrid.partition.search.graph import Graph, build_graph

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mapgrid.partition.cells.walls import Walls
    from mapgrid.village import Limits


@dataclass(frozen=True, slots=True)
class Region:
    """Cells that are divided together.

    Attributes
    ----------
    cells
        Ascending.
    over
        True when one point of it alone is over the maximum: then it is one grid.
    """

    cells: NDArray[np.int64]
    over: bool = False


@dataclass
class _Sides:
    """Sides being joined: which side each cell is on, and what each side weighs."""

    of_cell: NDArray[np.int64]
    weight: dict[int, int]
    over: set[int]
    limits: Limits

    def fits(self, side: int) -> bool:
        return self.weight_fits(self.weight[side])

    def weight_fits(self, weight: int) -> bool:
        return len(counts_that_fit(weight, self.limits.min, self.limits.max)) > 0

    def unfit(self) -> list[int]:
        """Return the sides that cannot stand alone, the lightest first."""
        return sorted(
            (side for side in self.weight if side not in self.over and not self.fits(side)),
            key=lambda side: (self.weight[side], side),
        )

    def join(self, side: int, to: int) -> None:
        self.of_cell[self.of_cell == side] = to
        self.weight[to] += self.weight.pop(side)


def find_regions(
    land: Land, walls: Walls, xy: NDArray[np.float64], weight: NDArray[np.int64], limits: Limits
) -> tuple[list[Region], Graph, NDArray[np.int64]]:
    """Return the regions to divide, in order of their first cell, the graph, and the links between parts in it."""
    graph = build_graph(land, xy, weight)
    heavy = weight > limits.max
    label = np.where(heavy, np.arange(len(weight)) + 1, 0)
    of_cell = graph.components(label, (Touch.OPEN,))
    loads = np.bincount(of_cell, weights=weight).astype(np.int64)
    sides = _Sides(of_cell, {side: int(load) for side, load in enumerate(loads)}, set(of_cell[heavy].tolist()), limits)
    _join_while(sides, lambda: _through_opening(sides, land))
    links: list[tuple[int, int]] = []
    _join_while(sides, lambda: _across_parts(sides, land, walls, xy, links))
    _join_while(sides, lambda: _into_over(sides, land))
    regions = [Region(np.flatnonzero(sides.of_cell == side), side in sides.over) for side in sides.weight]
    regions.sort(key=lambda region: int(region.cells[0]))
    linked = np.array(links, dtype=np.int64).reshape(-1, 2)
    return regions, build_graph(land, xy, weight, linked), linked


def _join_while(sides: _Sides, find: Callable[[], tuple[int, int] | None]) -> None:
    """Join side after side as long as `find` names a pair."""
    while (pair := find()) is not None:
        sides.join(*pair)


def _through_opening(sides: _Sides, land: Land) -> tuple[int, int] | None:
    """Return the lightest side that cannot stand alone and the side to join through an opening."""
    opening = land.touch == Touch.OPENING
    pairs, border = sides.of_cell[land.pairs[opening]], land.border_m[opening]
    apart = pairs[:, 0] != pairs[:, 1]
    pairs, border = pairs[apart], border[apart]
    with_opening = set(pairs.ravel().tolist())
    for side in sides.unfit():
        if side not in with_opening:
            continue
        width: dict[int, float] = {}
        for (one, other), metres in zip(pairs, border, strict=True):
            if (one == side) != (other == side):
                to = int(other if one == side else one)
                if to not in sides.over:
                    width[to] = width.get(to, 0.0) + float(metres)
        if width:
            return side, min(width, key=lambda to: (not _would_fit(sides, side, to), -round(width[to], 3), to))
    return None


def _would_fit(sides: _Sides, side: int, to: int) -> bool:
    return sides.weight_fits(sides.weight[side] + sides.weight[to])


def _across_parts(
    sides: _Sides, land: Land, walls: Walls, xy: NDArray[np.float64], links: list[tuple[int, int]]
) -> tuple[int, int] | None:
    """Return the lightest side that cannot stand alone and the nearest side in another part; note the link."""
    if (land.part == land.part[0]).all():
        return None
    for side in sides.unfit():
        mine = np.flatnonzero(sides.of_cell == side)
        is_over = np.isin(sides.of_cell, list(sides.over))
        theirs = np.flatnonzero(~np.isin(land.part, land.part[mine]) & (sides.of_cell != side) & ~is_over)
        if not len(theirs):
            continue
        near = cKDTree(xy[theirs]).query(xy[mine], k=np.arange(1, min(3, len(theirs)) + 1))
        away, at = np.asarray(near[0]), np.asarray(near[1])
        one = np.repeat(mine, away.shape[1])
        other = theirs[at.ravel()]
        order = np.lexsort((other, one, np.round(away.ravel(), 3)))
        free = order[~_meets_wall(xy, one[order], other[order], walls)]
        if len(free):
            pair = (int(one[free[0]]), int(other[free[0]]))
            links.append((min(pair), max(pair)))
            return side, int(sides.of_cell[pair[1]])
    return None


def _meets_wall(
    xy: NDArray[np.float64], one: NDArray[np.int64], other: NDArray[np.int64], walls: Walls
) -> NDArray[np.bool_]:
    meets = np.zeros(len(one), dtype=bool)
    if len(walls.barriers):
        ways = lines_along(np.stack([xy[one], xy[other]], axis=1))
        meets[np.unique(shapely.STRtree(walls.barriers).query(ways, "intersects")[0])] = True
    return meets


def _into_over(sides: _Sides, land: Land) -> tuple[int, int] | None:
    """Return a side that cannot stand alone and the grid over the maximum that it touches with the longest border."""
    if not sides.over:
        return None
    way = np.isin(land.touch, WAYS)
    pairs, border = sides.of_cell[land.pairs[way]], land.border_m[way]
    for side in sides.unfit():
        best: tuple[float, int] | None = None
        for to in sorted(sides.over):
            shared = ((pairs == (side, to)).all(axis=1)) | ((pairs == (to, side)).all(axis=1))
            metres = round(float(border[shared].sum()), 3)
            if metres > 0 and (best is None or metres > best[0]):
                best = (metres, to)
        if best is not None:
            return side, best[1]
    return None
