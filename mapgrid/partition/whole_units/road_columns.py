"""The way by road in each union of atoms: to the household nearest to the mean, as ways of a plan are measured.

A search from that household goes on until all of the union are reached (Dijkstra 1959), so that it looks at little
more of the roads than the union's own.
"""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from mapgrid.partition.search.ways import RoadNet
from mapgrid.partition.whole_units.columns import AtomCells, count_far, mean_of_union


class RoadTable(NamedTuple):
    """Roads as the kernels take them; the places of households come first.

    Neighbours of place v: `neighbour[start[v]:start[v + 1]]`, so many `metres` away. `piece` tells places apart that no
    road joins; `spur` is the way (m) from each household to its place.
    """

    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    metres: NDArray[np.float64]
    piece: NDArray[np.int64]
    spur: NDArray[np.float64]


class _Walk(NamedTuple):
    """How far walks came.

    The last walk that came to place v is number `seen[v]`, after `away[v]` metres; `wanted[v]` is the last one that
    has to reach it.
    """

    away: NDArray[np.float64]
    seen: NDArray[np.int64]
    wanted: NDArray[np.int64]


def road_table(net: RoadNet) -> RoadTable:
    """Return a road net as a table."""
    lengths = (net.lengths + net.lengths.T).tocsr()
    piece = connected_components(lengths, directed=False)[1]
    return RoadTable(
        lengths.indptr.astype(np.int64),
        lengths.indices.astype(np.int64),
        lengths.data.astype(np.float64),
        piece.astype(np.int64),
        net.spur_m.astype(np.float64),
    )


@njit(cache=True)
def _home_of(members: NDArray[np.int64], load: int, cells: AtomCells) -> int:
    """Return the point nearest to the mean of a union; of equals (to a thousandth of a millimetre) the first."""
    x, y = mean_of_union(members, load, cells)
    home, nearest = -1, np.inf
    for atom in members:
        for k in range(cells.start[atom], cells.start[atom + 1]):
            dx, dy = cells.xy[k, 0] - x, cells.xy[k, 1] - y
            away = np.round(np.sqrt(dx * dx + dy * dy), 6)
            if away < nearest or (away == nearest and cells.point[k] < cells.point[home]):
                home, nearest = k, away
    return home


@njit(cache=True)
def _walk_from(place: int, left: int, number: int, roads: RoadTable, walk: _Walk) -> None:
    """Walk from a place until the `left` places that walk `number` has to reach are reached."""
    todo = [(0.0, place)]
    walk.away[place], walk.seen[place] = 0.0, number
    while left and todo:
        metres, v = heappop(todo)
        if metres > walk.away[v]:
            continue
        if walk.wanted[v] == number:
            left -= 1
        for e in range(roads.start[v], roads.start[v + 1]):
            other, further = roads.neighbour[e], metres + roads.metres[e]
            if walk.seen[other] != number or further < walk.away[other]:
                walk.away[other], walk.seen[other] = further, number
                heappush(todo, (further, other))


@njit(cache=True)
def measure_by_road(
    unions: tuple[NDArray[np.int64], NDArray[np.int64]],
    load: NDArray[np.int64],
    cells: AtomCells,
    roads: RoadTable,
    farthest_m: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return of each union the way by road (m, summed), straight where no road leads, and what is too far.

    Parameters
    ----------
    unions
        Atoms of them, and offsets.
    load
        (c,) households of each.
    cells
        What atoms hold; `point` numbers households as the roads do.
    farthest_m
        Longest way that is wished for.
    """
    members, offsets = unions
    way, far = np.zeros(len(load)), np.zeros(len(load))
    walk = _Walk(np.zeros(len(roads.piece)), np.full(len(roads.piece), -1), np.full(len(roads.piece), -1))
    home = np.empty(len(load), dtype=np.int64)
    for c in range(len(load)):
        home[c] = _home_of(members[offsets[c] : offsets[c + 1]], load[c], cells)
    # Unions with one household nearest to their mean are many: one walk is enough for them.
    order = np.argsort(home, kind="mergesort")
    first = 0
    while first < len(order):
        last, left = first, 0
        while last < len(order) and home[order[last]] == home[order[first]]:
            c = order[last]
            left += _want(members[offsets[c] : offsets[c + 1]], cells, (first, home[c]), roads, walk)
            last += 1
        _walk_from(cells.point[home[order[first]]], left, first, roads, walk)
        for c in order[first:last]:
            union = members[offsets[c] : offsets[c + 1]]
            way[c], far[c] = _ways_home(union, home[c], cells, (roads, walk), farthest_m)
        first = last
    return way, far


@njit(cache=True)
def _want(union: NDArray[np.int64], cells: AtomCells, whose: tuple[int, int], roads: RoadTable, walk: _Walk) -> int:
    """Note what a walk from home is to reach: the union's households on the same roads; return how many are new."""
    number, home = whose
    left = 0
    for atom in union:
        for k in range(cells.start[atom], cells.start[atom + 1]):
            point = cells.point[k]
            if walk.wanted[point] != number and roads.piece[point] == roads.piece[cells.point[home]]:
                walk.wanted[point] = number
                left += 1
    return left


@njit(cache=True)
def _ways_home(
    union: NDArray[np.int64],
    home: int,
    cells: AtomCells,
    walked: tuple[RoadTable, _Walk],
    farthest_m: float,
) -> tuple[float, float]:
    """Return the way (m, summed) of a union whose walk is done, and what is too far."""
    roads, walk = walked
    at_home = cells.point[home]
    total, far = 0.0, 0.0
    for atom in union:
        for k in range(cells.start[atom], cells.start[atom + 1]):
            point = cells.point[k]
            metres = walk.away[point] + roads.spur[point] + roads.spur[at_home]
            if point == at_home:
                metres = 0.0
            elif roads.piece[point] != roads.piece[at_home]:
                metres = np.hypot(cells.xy[k, 0] - cells.xy[home, 0], cells.xy[k, 1] - cells.xy[home, 1])
            total += cells.point_weight[k] * metres
            far += cells.point_weight[k] * count_far(metres, farthest_m)
    return total, far
