"""Grids for cells, region by region: by whole units, along roads, or freely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.search.ways import split_along
from mapgrid.partition.whole_units.task import task_of
from mapgrid.partition.whole_units.whole import divide_by_units

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
    bounds, how = (limits.min, limits.max, limits.target), (search.wishes, search.effort, search.seed)
    for region in regions:
        tell(done / total)
        label = np.zeros(1, dtype=np.int64)
        if region.over:
            pass
        elif units is not None:
            found = divide_by_units(task_of(graph, region.cells, units.of_point, bounds, how, search.roads))
            label, proved = found.label, proved and found.proved
        else:
            label = split_along(graph.part(region.cells), search.roads, bounds, how)[0]
        grid[region.cells] = label + count
        count += int(label.max()) + 1
        done += int(graph.weight[region.cells].sum())
    return grid, count, proved
