"""The borders between grids as strings: what may be straightened, and what it is fastened to.

A border edge has different grids on its two sides. Edges along a wall or the outline are the shore: they stay. The rest
are strings of edges from joint to joint.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from mapgrid.partition.cells.faces import edges_along

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land


class Joint(IntEnum):
    """What the end of a string is fastened to."""

    PIN = 0
    """It stays where it is."""
    FORK = 1
    """Three strings meet; all three move with it."""
    SHORE = 2
    """One string ends on the outline or on a wall, and slides along it."""


@dataclass(frozen=True, slots=True)
class Network:
    """Strings between grids.

    Attributes
    ----------
    node
        Nodes of each string, one string after another; a closed one repeats its first node.
    start
        (s + 1,) offsets in `node`.
    joint
        (v,) kind of `Joint` of each node of the drawing, -1 where it is none.
    shore
        (v, 2) the two nodes along the shore from a node of it; -1 where it ends or forks.
    is_shore
        (v,) True where an edge of the shore ends.
    fixed, strung
        (e,) which edges of the drawing are shore, and which are parts of strings.
    """

    node: NDArray[np.int64]
    start: NDArray[np.int64]
    joint: NDArray[np.int64]
    shore: NDArray[np.int64]
    is_shore: NDArray[np.bool_]
    fixed: NDArray[np.bool_]
    strung: NDArray[np.bool_]


def border_network(land: Land, grid: NDArray[np.int64], keep: NDArray[np.float64] | None = None) -> Network:
    """Return the borders between grids (n,) of a land as strings; those along `keep` (m, 2, 2) are shore."""
    faces = land.faces
    count = len(faces.nodes)
    first, second = faces.edges[:, 2], faces.edges[:, 3]
    of_face = grid[land.cell_of_face]
    is_outer = second < 0
    is_border = ~is_outer & (of_face[first] != of_face[second])
    fixed = is_outer | faces.is_wall
    if keep is not None:
        fixed |= is_border & edges_along(faces.nodes, faces.edges, keep)
    shore_degree, shore = _neighbours(faces.edges[fixed, :2], count)
    strung = is_border & ~fixed
    strings = faces.edges[strung, :2]
    degree, beside = _neighbours(strings, count)
    is_shore = shore_degree > 0
    shore[shore_degree != 2] = -1
    joint = np.full(count, -1, dtype=np.int64)
    joint[(degree > 0) & ((degree != 2) | is_shore)] = Joint.PIN
    joint[(degree == 3) & ~is_shore] = Joint.FORK
    joint[(degree == 1) & (shore_degree == 2)] = Joint.SHORE
    node, start = _strings(strings, degree, beside, joint >= 0)
    return Network(node, start, joint, shore, is_shore, fixed, strung)


def _neighbours(edges: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many of these edges end at each node, and the other ends of the first two."""
    one, other = np.concatenate([edges[:, 0], edges[:, 1]]), np.concatenate([edges[:, 1], edges[:, 0]])
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    degree = np.bincount(one, minlength=count).astype(np.int64)
    begin = np.cumsum(degree) - degree
    beside = np.full((count, 2), -1, dtype=np.int64)
    for k in range(2):
        has = degree > k
        beside[has, k] = other[begin[has] + k]
    return degree, beside


def _strings(
    edges: NDArray[np.int64], degree: NDArray[np.int64], beside: NDArray[np.int64], is_joint: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    begins = both[is_joint[both[:, 0]]]
    inside = np.flatnonzero((degree == 2) & ~is_joint)
    return _follow(begins, inside, beside, is_joint, len(edges))


@njit(cache=True)
def _follow(
    begins: NDArray[np.int64],
    inside: NDArray[np.int64],
    beside: NDArray[np.int64],
    is_joint: NDArray[np.bool_],
    edges: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return strings from every joint, each once, then the closed ones."""
    node = np.empty(4 * edges + 4, dtype=np.int64)
    start = np.zeros(2 * edges + 2, dtype=np.int64)
    seen = np.zeros(len(is_joint), dtype=np.bool_)
    strings, at = 0, 0
    for k in range(len(begins) + len(inside)):
        if k < len(begins):
            last, here = begins[k]
        else:
            last = inside[k - len(begins)]
            here = beside[last, 0]
            if seen[last]:
                continue
        first, second, begun = last, here, at
        node[at] = last
        at += 1
        while not is_joint[here] and here != first:
            seen[here] = True
            node[at] = here
            at += 1
            last, here = here, (beside[here, 0] if beside[here, 0] != last else beside[here, 1])
        node[at] = here
        at += 1
        seen[first] = True
        # A string between joints is found from both ends: kept from the lower one.
        if is_joint[first] and (here < first or (here == first and last < second)):
            at = begun
            continue
        strings += 1
        start[strings] = at
    return node[:at], start[: strings + 1]
