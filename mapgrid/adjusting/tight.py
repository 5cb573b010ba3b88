"""Borders that an edit made between households, pulled tight as those of a fresh plan are.

A border is drawn anew from joint to joint where any stretch of it is new. All others stay, and so does the border
round the grids of the edit: what ends on it stays at the node that it has, or the grid beyond would need a new one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.cells.patches import take_out
from mapgrid.partition.cells.recut import recut_along
from mapgrid.partition.straight.borders import is_same_net, tighten_network
from mapgrid.partition.straight.network import Joint, Network, border_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land
    from mapgrid.partition.cells.patches import Drawing
    from mapgrid.partition.plan import Division

_SHARES = 0.98, 0.95
"""How much of its distance to a household a border keeps, and where that saves a bend: nearly all, so that it may be
edited many times."""


def land_pulled_tight(made: Division, grid: NDArray[np.int64], labels: NDArray[np.int64]) -> Land | None:
    """Return the land with new borders between grids straight; None where there are none, or they have to stay.

    Parameters
    ----------
    made
        The division before the edit, metres.
    grid
        Label of each cell after the edit.
    labels
        Grids that households came to or left. Cells of all others stay as they are.
    """
    within = np.flatnonzero(np.isin(grid, labels))
    patch = take_out(made.land, within)
    xy, label, was = made.points.xy[within], grid[within], made.grid[within]
    if not _new_borders(patch, label, was).any():
        return None
    # Strings look at faces and cells alone.
    land = replace(made.land, faces=patch.faces, cell_of_face=patch.cell_of_face, home_face=patch.home_face)
    network = border_network(land, label, _unchanged(patch, border_network(land, label), label, was))
    _hold_ends(network, np.isin(patch.node, _nodes_beside_others(made.land, within)))
    strings = tighten_network(land, xy, network, label, _SHARES)
    kept = network.fixed & ~patch.faces.is_wall & (patch.faces.edges[:, 3] >= 0)
    pieces = [np.stack([line[:-1], line[1:]], axis=1) for line in strings]
    segments = np.concatenate([patch.faces.nodes[patch.faces.edges[kept, :2]], *pieces])
    anew = recut_along(made.land, made.points.xy, grid, segments, within)
    drawn = take_out(anew, within)
    after = replace(anew, faces=drawn.faces, cell_of_face=drawn.cell_of_face, home_face=drawn.home_face)
    return anew if is_same_net(land, after, label, segments) else None


def _new_borders(patch: Drawing, label: NDArray[np.int64], was: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the edges off the walls with different grids on both sides now, and with one before."""
    edges = patch.faces.edges
    one, other = patch.cell_of_face[edges[:, 2]], patch.cell_of_face[edges[:, 3]]
    new: NDArray[np.bool_] = (label[one] != label[other]) & (was[one] == was[other])
    return new & (edges[:, 3] >= 0) & ~patch.faces.is_wall


def _unchanged(
    patch: Drawing, network: Network, label: NDArray[np.int64], was: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the segments of strings without a stretch that is new."""
    steps = np.delete(np.stack([network.node[:-1], network.node[1:]], axis=1), network.start[1:-1] - 1, axis=0)
    string = np.repeat(np.arange(len(network.start) - 1), np.diff(network.start) - 1)
    size = len(patch.faces.nodes)
    key = np.sort(steps, axis=1) @ np.array([size, 1])
    new = patch.faces.edges[_new_borders(patch, label, was), :2] @ np.array([size, 1])
    has_new = np.bincount(string, weights=np.isin(key, new)) > 0
    segments: NDArray[np.float64] = patch.faces.nodes[steps[~has_new[string]]]
    return segments


def _nodes_beside_others(land: Land, within: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the nodes on the border between some cells and all others."""
    is_mine = np.zeros(len(land.home_face), dtype=bool)
    is_mine[within] = True
    edges = land.faces.edges[land.faces.edges[:, 3] >= 0]
    first, second = is_mine[land.cell_of_face[edges[:, 2:]]].T
    return np.unique(edges[first != second, :2])


def _hold_ends(network: Network, is_held: NDArray[np.bool_]) -> None:
    """Let no end of a string slide away from these nodes, nor along a border from or to them."""
    network.joint[is_held & (network.joint == Joint.SHORE)] = Joint.PIN
    network.shore[is_held] = -1
