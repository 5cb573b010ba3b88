"""Compiling the kernels once, in parts that can go side by side, so that no later caller waits for that."""

from __future__ import annotations

import numpy as np
import shapely

from mapgrid.partition.cells.land import cut_land
from mapgrid.partition.entry import sample_village, warm
from mapgrid.partition.rebalancing import rebalance
from mapgrid.partition.search.graph import build_graph
from mapgrid.partition.search.groups import divide_grids
from mapgrid.partition.search.presets import choose_effort, choose_wishes
from mapgrid.partition.search.solve import split
from mapgrid.partition.straight.borders import straighten
from mapgrid.partition.straight.prefer import preferred_lines
from mapgrid.village import Limits

_LIMITS = Limits()
_VILLAGE, _HOUSEHOLDS = sample_village(3)
_OUTLINE = _VILLAGE.geometry.iloc[0]
_XY = shapely.get_coordinates(_HOUSEHOLDS.geometry.to_numpy())
_WEIGHT = _HOUSEHOLDS["weight"].to_numpy(dtype=np.int64)
_NO_LINES = np.empty(0, dtype=object)


def warm_search() -> None:
    """Compile what divides, without what draws."""
    land, _ = cut_land(_OUTLINE, _XY, _NO_LINES)
    graph = build_graph(land, _XY, _WEIGHT)
    bounds = (_LIMITS.min, _LIMITS.max, _LIMITS.target)
    label, _ = split(graph, bounds, choose_wishes("balanced"), choose_effort("quick"), 0)
    divide_grids(graph, label, _LIMITS, 0)


def warm_borders() -> None:
    """Compile what draws borders, without what divides."""
    land, _ = cut_land(_OUTLINE, _XY, _NO_LINES)
    label = (_XY[:, 0] > 150).astype(np.int64) + 2 * (_XY[:, 1] > 150)
    road = preferred_lines(np.array([shapely.LineString([(142, -20), (142, 300)])], dtype=object))
    straighten(land, _XY, label, None, road)


def warm_all() -> None:
    """Compile all there is: also dividing by units, re-balancing and the bound."""
    warm(units=True, bound=True)
    rebalance.warm()
