"""Borders people can walk: straight strokes between grids, past every household at a distance.

The borders of a fresh division are chains of Voronoi edges, half-way between houses. They are pulled tight as strings
between pegs: each household is ringed by pegs at a part of the distance that the border kept from it, so that no border
moves across or up to a house. Along walls and the outline borders stay. Then the cells are cut anew along the strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.cells.land import components
from mapgrid.partition.cells.recut import recut_along
from mapgrid.partition.cells.shapes import distinct_rows, lines_along, points_at
from mapgrid.partition.straight.joints import settle
from mapgrid.partition.straight.laying import lay, pegs_round, read, stand
from mapgrid.partition.straight.ledger import open_ledger
from mapgrid.partition.straight.network import border_network
from mapgrid.partition.straight.prefer import follow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land
    from mapgrid.partition.straight.network import Network
    from mapgrid.partition.straight.prefer import Preferred

CLEARANCE_M = 5.0
"""A border keeps this far from a household,"""

CLEARANCE_SHARE, SHAVED_SHARE = 0.9, 0.8
"""or the first share of the distance it had before, if that is less; and the second share of either where that saves a
bend."""

_SHARES_AGAIN = 0.98, 0.95
"""The same for borders that were straight already, and are pulled once more beside a preferred line."""


def straighten(
    land: Land,
    xy: NDArray[np.float64],
    grid: NDArray[np.int64],
    keep: NDArray[np.float64] | None = None,
    preferred: Preferred | None = None,
) -> Land:
    """Return the land cut anew, so that the borders between grids are straight where households leave room.

    Parameters
    ----------
    land
        The cells of a village, metres.
    xy
        (n, 2) the household point of each cell.
    grid
        (n,) the grid of each cell; it stays as it is.
    keep
        (m, 2, 2) segments, metres: borders along them (limits of units) stay where they are.
    preferred
        Lines that borders follow where that costs little.
    """
    keep = np.empty((0, 2, 2)) if keep is None else keep
    network = border_network(land, grid, keep)
    if len(network.start) == 1:
        return land
    tight = tighten_network(land, xy, network, grid)
    if preferred is not None:
        led = _cut_along(land, xy, grid, network, follow(land, xy, network, tight, preferred))
        if led is not None:
            keep = np.concatenate([keep, preferred.segments])
            network = border_network(led, grid, keep)
            tight = tighten_network(led, xy, network, grid, _SHARES_AGAIN)
            anew = _cut_along(led, xy, grid, network, tight)
            return led if anew is None else anew
    anew = _cut_along(land, xy, grid, network, tight)
    return land if anew is None else anew


def _cut_along(
    land: Land,
    xy: NDArray[np.float64],
    grid: NDArray[np.int64],
    network: Network,
    strings: list[NDArray[np.float64]],
) -> Land | None:
    """Return the land cut anew along strings and borders that are kept; None where the net would not be the same."""
    kept = network.fixed & ~land.faces.is_wall & (land.faces.edges[:, 3] >= 0)
    pieces = [np.stack([line[:-1], line[1:]], axis=1) for line in strings]
    segments = np.concatenate([land.faces.nodes[land.faces.edges[kept, :2]], *pieces])
    anew = recut_along(land, xy, grid, segments)
    return anew if is_same_net(land, anew, grid, segments) else None


def is_same_net(land: Land, anew: Land, grid: NDArray[np.int64], segments: NDArray[np.float64]) -> bool:
    """Return whether the strings are the borders off the walls, and no others are, and no grid fell apart."""
    drawn_m = float(np.hypot(*(segments[:, 1] - segments[:, 0]).T).sum())
    if abs(_borders_m(anew, grid) - drawn_m) > 1e-3 + 1e-6 * drawn_m:
        return False
    if abs(anew.area_m2.sum() - land.area_m2.sum()) > 1e-10 * land.area_m2.sum():
        return False
    return bool((_pieces(anew, grid) == _pieces(land, grid)).all())


def _borders_m(land: Land, grid: NDArray[np.int64]) -> float:
    """Return the length of borders between grids that are not walls."""
    faces = land.faces
    first, second = faces.edges[:, 2], faces.edges[:, 3]
    of_face = grid[land.cell_of_face]
    strung = (second >= 0) & ~faces.is_wall & (of_face[first] != of_face[second])
    return float(faces.edge_length()[strung].sum())


def _pieces(land: Land, grid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many pieces of land each grid has."""
    of_face = grid[land.cell_of_face]
    first, second = land.faces.edges[land.faces.edges[:, 3] >= 0, 2:].T
    same = of_face[first] == of_face[second]
    piece = components(len(of_face), first[same], second[same])
    label = of_face[np.unique(piece, return_index=True)[1]]
    return np.bincount(label, minlength=int(grid.max()) + 1).astype(np.int64)


def tighten_network(
    land: Land,
    xy: NDArray[np.float64],
    network: Network,
    grid: NDArray[np.int64],
    shares: tuple[float, float] = (CLEARANCE_SHARE, SHAVED_SHARE),
) -> list[NDArray[np.float64]]:
    """Return the strings of a network, pulled tight: the vertices of each, metres."""
    nodes = land.faces.nodes
    centre, radius = _clearances(land, xy, network, grid, shares[0])
    strings, joints, shore = lay(network, nodes, xy)
    # Beside a preferred line the last stretch goes on as the line does.
    ledger = open_ledger(land, grid, network, decides=shares != _SHARES_AGAIN)
    settle(stand(strings, joints, ledger, shore, pegs_round(centre, radius, nodes[network.is_shore])), may_bend=True)
    strings.held[:] = 0
    strings.slack[:] = True
    joints.slack[:] = True
    shaved = pegs_round(centre, radius * shares[1], nodes[network.is_shore])
    settle(stand(strings, joints, ledger, shore, shaved), may_bend=False)
    return read(strings, len(network.start) - 1)


def _clearances(
    land: Land, xy: NDArray[np.float64], network: Network, grid: NDArray[np.int64], share: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points that strings keep away from, and how far."""
    tree = shapely.STRtree(lines_along(land.faces.nodes[land.faces.edges[network.strung, :2]]))
    (at, _), distance = tree.query_nearest(
        points_at(xy), max_distance=CLEARANCE_M / share, return_distance=True, all_matches=False
    )
    away = np.full(len(xy), np.inf)
    away[at] = distance
    radius = np.minimum(CLEARANCE_M, share * away)
    feet, reach = _feet(land, grid, network)
    return np.concatenate([xy, feet]), np.concatenate([radius, reach])


def _feet(land: Land, grid: NDArray[np.int64], network: Network) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a place on each stretch of shore between two strings that they may not slide over, and how far to keep.

    A grid that reaches the shore between two strings would else be squeezed to nothing there.
    """
    faces = land.faces
    fixed = np.flatnonzero(network.fixed)
    edge, side = np.repeat(fixed, 2), np.tile([2, 3], len(fixed))
    face = faces.edges[edge, side]
    edge, face = edge[face >= 0], face[face >= 0]
    label = grid[land.cell_of_face[face]]
    one, node = np.tile(np.arange(len(edge)), 2), faces.edges[edge, :2].T.ravel()
    is_end = network.joint[node] >= 0
    order = np.lexsort((one, label[one], node))
    after = order[1:][(node[order][1:] == node[order][:-1]) & (label[one[order]][1:] == label[one[order]][:-1])]
    before = order[:-1][(node[order][1:] == node[order][:-1]) & (label[one[order]][1:] == label[one[order]][:-1])]
    joined = ~is_end[after]
    stretch = components(len(edge), one[before[joined]], one[after[joined]])
    ends = distinct_rows(np.stack([stretch[one[is_end]], node[is_end]], axis=1))[0]
    first, last = (np.searchsorted(ends[:, 0], np.arange(int(stretch.max()) + 1), side=at) for at in ("left", "right"))
    between = np.flatnonzero((last - first > 1)[stretch])
    middle = faces.nodes[faces.edges[edge[between], :2]].mean(axis=1)
    to_ends = [
        np.hypot(*(faces.nodes[ends[at[stretch[between]], 1]] - middle).T) for at in (first, np.maximum(last - 1, 0))
    ]
    away = np.round(np.minimum(*to_ends), 6)
    order = np.lexsort((edge[between], -away, stretch[between]))
    best = order[np.unique(stretch[between][order], return_index=True)[1]]
    return middle[best], np.minimum(CLEARANCE_M, away[best] / 4)
