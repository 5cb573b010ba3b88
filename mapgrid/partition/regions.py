"""Grids for cells, region by region: by whole units, along roads, or freely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.search.solve import split
from mapgrid.partition.search.ways import join_to_roads, split_by_road
from mapgrid.partition.whole_units.whole import divide_by_units, task_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mapgrid.partition.search.graph import Graph
    from mapgrid.partition.search.presets import Effort, Wishes
    from mapgrid.partition.search.sides import Region
    from mapgrid.partition.whole_units.units import Units
    from mapgrid.village import Limits


@dataclass(frozen=True, slots=True)
class Search:
    """How grids are looked for; `roads` are the lines to go along, or None."""

    wishes: Wishes
    effort: Effort
    seed: int
    roads: NDArray[np.object_] | None = None


def divide_regions(
    regions: list[Region],
    graph: Graph,
    units: Units | None,
    limits: Limits,
    search: Search,
    tell: Callable[[float], None] = lambda _: None,
) -> tuple[NDArray[np.int64], int, bool]:
    """Return the grid 0… of each cell (-1 in no region), their number, and whether units are proved to fit best.

    Parameters
    ----------
    regions
        Cells that are divided together; numbered in this order.
    tell
        Called before each region with the share of the households that is done.
    """
    grid = np.full(len(graph.cells), -1, dtype=np.int64)
    count, done, total, proved = 0, 0, int(graph.weight.sum()), True
    bounds = (limits.min, limits.max, limits.target)
    for region in regions:
        tell(done / total)
        label = np.zeros(1, dtype=np.int64)
        if region.over:
            pass
        elif units is not None:
            how = (search.wishes, search.effort, search.seed)
            found = divide_by_units(task_of(graph, region.cells, units.of_point, bounds, how))
            label, proved = found.label, proved and found.proved
        else:
            label = _split(graph.part(region.cells), bounds, search)
        grid[region.cells] = label + count
        count += int(label.max()) + 1
        done += int(graph.weight[region.cells].sum())
    return grid, count, proved


def _split(graph: Graph, bounds: tuple[int, int, int], search: Search) -> NDArray[np.int64]:
    """Return the grid 0… of each cell of a region without units."""
    wishes, effort, seed = search.wishes, search.effort, search.seed
    if search.roads is None:
        return split(graph, bounds, wishes, effort, seed)[0]
    return split_by_road(graph, join_to_roads(search.roads, graph.xy), bounds, wishes, effort, seed)[0]
