"""Ways along roads: from each household straight to the nearest road, along roads, and straight to the grid's centre.

The search knows straight ways only. For ways along roads the village is divided by straight ways first; then each way
is measured by road, and every household's straight way counts for as much more as its way by road was longer; and it is
divided again. The division whose ways by road are better is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from mapgrid.partition.cells.shapes import points_at
from mapgrid.partition.search.solve import split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.search.graph import Graph
    from mapgrid.partition.search.presets import Effort, Wishes

_TOGETHER = 16  # centres from which ways are looked for at a time
_MOST_STRETCH, _NEAR_M = 4.0, 30.0


@dataclass(frozen=True, slots=True)
class RoadNet:
    """Roads with the households joined to them.

    Attributes
    ----------
    lengths
        Sparse (m, m) metres between neighbouring places on the roads; the places of the households come first.
    spur_m
        (n,) straight metres from each household to its place on the nearest road.
    """

    lengths: coo_array
    spur_m: NDArray[np.float64]


def road_lines(roads: NDArray[np.object_]) -> NDArray[np.object_] | None:
    """Return roads (lines, metres) cut wherever they cross or meet, for there one may turn; None when there is none."""
    given = roads[~shapely.is_missing(roads)]
    lines = shapely.get_parts(shapely.union_all(given))
    lines = lines[(shapely.get_dimensions(lines) == 1) & (shapely.length(lines) > 0)]
    return lines if len(lines) else None


def join_to_roads(roads: NDArray[np.object_], xy: NDArray[np.float64]) -> RoadNet:
    """Return the roads as a net, each household joined to its nearest point of them by a straight line.

    Parameters
    ----------
    roads
        As `road_lines` returns them.
    xy
        (n, 2) households, metres.
    """
    lines = roads
    points = points_at(xy)
    nearest = shapely.STRtree(lines).nearest(points)
    place_m = shapely.line_locate_point(lines[nearest], points)
    ends = np.round(np.concatenate([[line.coords[0], line.coords[-1]] for line in lines]), 6)
    node = len(xy) + np.unique(ends, axis=0, return_inverse=True)[1].reshape(-1, 2)
    every = np.arange(len(lines))
    line = np.concatenate([nearest, every, every])
    along = np.concatenate([place_m, np.zeros(len(lines)), shapely.length(lines)])
    number = np.concatenate([np.arange(len(xy)), node[:, 0], node[:, 1]])
    order = np.lexsort((number, along, line))
    one, other = order[:-1], order[1:]
    same = line[one] == line[other]
    one, other = one[same], other[same]
    metres = along[other] - along[one] + 1e-9  # a length of zero would be no edge
    size = int(number.max()) + 1
    # Two roads between the same places: the shorter one counts.
    pair = np.sort(np.stack([number[one], number[other]], axis=1), axis=1)
    shortest = np.lexsort((metres, pair[:, 1], pair[:, 0]))
    first = np.unique(pair[shortest], axis=0, return_index=True)[1]
    kept = shortest[first]
    lengths = coo_array((metres[kept], (pair[kept, 0], pair[kept, 1])), shape=(size, size))
    return RoadNet(lengths, shapely.distance(lines[nearest], points))


def ways_by_road(
    net: RoadNet, xy: NDArray[np.float64], weight: NDArray[np.int64], label: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the way (m) from each household to the one nearest to its grid's centre; straight where no road leads.

    Parameters
    ----------
    net
        Made of the same households in the same order.
    xy, weight, label
        Point (m), households and grid 0… of each.
    """
    load = np.bincount(label, weights=weight)
    centre = np.stack([np.bincount(label, weights=weight * axis) / load for axis in xy.T], axis=1)
    straight = np.sqrt(((xy - centre[label]) ** 2).sum(axis=1))
    order = np.lexsort((np.arange(len(xy)), np.round(straight, 6), label))
    home = order[np.searchsorted(label[order], np.arange(len(load)))]
    graph = net.lengths.tocsr()
    ways = np.empty(len(xy))
    for begin in range(0, len(home), _TOGETHER):
        found = dijkstra(graph, directed=False, indices=home[begin : begin + _TOGETHER])
        mine = np.flatnonzero((label >= begin) & (label < begin + _TOGETHER))
        ways[mine] = found[label[mine] - begin, mine]
    ways += net.spur_m + net.spur_m[home[label]]
    ways[home] = 0.0
    between = np.sqrt(((xy - xy[home[label]]) ** 2).sum(axis=1))
    return np.where(np.isfinite(ways), ways, between)


def split_along(
    graph: Graph,
    roads: NDArray[np.object_] | None,
    limits: tuple[int, int, int],
    how: tuple[Wishes, Effort, int],
) -> tuple[NDArray[np.int64], int]:
    """Return labels like `split`: with short ways along roads where there are any, else with short straight ways."""
    if roads is None:
        return split(graph, limits, *how)
    return split_by_road(graph, join_to_roads(roads, graph.xy), limits, *how)


def split_by_road(
    graph: Graph, net: RoadNet, limits: tuple[int, int, int], wishes: Wishes, effort: Effort, seed: int
) -> tuple[NDArray[np.int64], int]:
    """Return labels like `split`, with short ways along roads.

    The best of three divisions, by households beyond the limits, then households farther by road than `farthest_m`,
    then the mean way by road. What a household's way is longer by road counts by its square root or fourth root: it was
    measured to one centre and says less about the way to another.
    """
    first, beyond = split(graph, limits, wishes, effort, seed)
    ways = ways_by_road(net, graph.xy, graph.weight, first)
    load = np.bincount(first, weights=graph.weight)
    centre = np.stack([np.bincount(first, weights=graph.weight * axis) / load for axis in graph.xy.T], axis=1)
    straight = np.sqrt(((graph.xy - centre[first]) ** 2).sum(axis=1))
    root = np.sqrt(np.clip(ways / np.maximum(straight, _NEAR_M), 1.0, _MOST_STRETCH))
    found = [(first, beyond)]
    found += [
        split(replace(graph, stretch=stretch), limits, wishes, effort, seed)
        for stretch in (np.round(root, 6), np.round(np.sqrt(root), 6))
    ]

    def rank(label: NDArray[np.int64], missed: int) -> tuple[int, int, float]:
        metres = ways_by_road(net, graph.xy, graph.weight, label)
        far = int(graph.weight[metres > wishes.farthest_m].sum())
        return missed, far, round(float(graph.weight @ metres), 3)

    return min(found, key=lambda division: rank(*division))
