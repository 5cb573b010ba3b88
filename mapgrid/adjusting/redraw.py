"""The land cut anew along a hand-drawn line, so that the border runs where it was drawn.

Where the line ends on the border of a grid that is not part of the edit, it ends in a node that this border has: a new
node there would have to be in the other grid's polygon too, which is to stay as it is to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.adjusting.lines import longer
from mapgrid.partition.cells.recut import recut
from mapgrid.partition.cells.shapes import points_at

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from mapgrid.partition.cells.land import Land
    from mapgrid.partition.plan import Plan

_ON_BORDER_M = 1e-6
_NODES_TRIED = 8


def land_along(plan: Plan, grid: NDArray[np.int64], labels: list[int], line: shapely.LineString) -> Land:
    """Return the land with a line as border between households of different grids.

    Parameters
    ----------
    grid
        Label of each cell after the edit.
    labels
        Grids of the plan that the edit parts or reshapes; nothing else changes.
    line
        Metres, in the CRS of the plan.
    """
    made = plan.division
    outlines = plan.grids.geometry.to_numpy()
    area = shapely.union_all(outlines[labels])
    parts = shapely.get_parts(shapely.line_merge(shapely.intersection(longer(line), area)))
    parts = parts[shapely.get_dimensions(parts) == 1]
    inner = _shared_border(made.village.geometry.iloc[0], area)
    nodes = np.unique(shapely.get_coordinates(outlines[labels]), axis=0)
    nodes = nodes[shapely.dwithin(inner, points_at(nodes), _ON_BORDER_M)]
    drawn = np.array([_ending_in_nodes(part, inner, nodes, area) for part in parts], dtype=object)
    return recut(made.land, made.points.xy, grid, drawn, np.flatnonzero(np.isin(made.grid, labels)))


def _shared_border(village: BaseGeometry, area: BaseGeometry) -> BaseGeometry:
    """Return the border of an area but for the outline of the village."""
    border: BaseGeometry = shapely.difference(shapely.boundary(area), shapely.buffer(village.boundary, 1e-3))
    shapely.prepare(border)
    return border


def _ending_in_nodes(
    line: shapely.LineString, border: BaseGeometry, nodes: NDArray[np.float64], area: BaseGeometry
) -> shapely.LineString:
    """Return a line whose ends on a border are moved to the nearest node from where it stays in the area."""
    xy = shapely.get_coordinates(line)
    for end, before in ((0, 1), (-1, -2)):
        if len(nodes) and shapely.dwithin(border, shapely.Point(xy[end]), _ON_BORDER_M):
            away = np.hypot(nodes[:, 0] - xy[end, 0], nodes[:, 1] - xy[end, 1])
            for node in nodes[np.lexsort((nodes[:, 1], nodes[:, 0], np.round(away, 6)))[:_NODES_TRIED]]:
                last = shapely.LineString([xy[before], node])
                if shapely.length(shapely.difference(last, area)) < _ON_BORDER_M:
                    xy[end] = node
                    break
    return shapely.LineString(xy)
