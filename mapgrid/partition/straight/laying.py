"""A network laid out as strings among pegs, and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from mapgrid.partition.points import SAME_POINT_M
from mapgrid.partition.straight.world import Frame, Joints, Ledger, Pegs, Places, Shore, Strings, World, put

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.straight.network import Network

_CORNERS = 8


def pegs_round(
    centre: NDArray[np.float64], radius: NDArray[np.float64], walls: NDArray[np.float64]
) -> tuple[Pegs, Frame]:
    """Return pegs round centres, those on the corners of walls, and the buckets they stand in."""
    turn = 2 * np.pi * np.arange(_CORNERS) / _CORNERS
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    round_them = (centre[:, None] + radius[:, None, None] * ring).reshape(-1, 2)
    xy = np.concatenate([centre, round_them, walls])
    holds = np.arange(len(xy)) < len(centre) + len(round_them)
    west, south = xy.min(axis=0) - 1
    width, height = xy.max(axis=0) + 1 - (west, south)
    size_m = max(float(np.sqrt(width * height / len(centre))), float(max(width, height)) / 1000)
    frame = Frame(float(west), float(south), size_m, int(width / size_m) + 1, int(height / size_m) + 1)
    column = np.clip(((xy[:, 0] - west) / size_m).astype(np.int64), 0, frame.columns - 1)
    row = np.clip(((xy[:, 1] - south) / size_m).astype(np.int64), 0, frame.rows - 1)
    bucket = row * frame.columns + column
    item = np.argsort(bucket, kind="stable")
    start = np.searchsorted(bucket[item], np.arange(frame.columns * frame.rows + 1))
    return Pegs(xy, holds, start.astype(np.int64), item), frame


def lay(network: Network, nodes: NDArray[np.float64], xy: NDArray[np.float64]) -> tuple[Strings, Joints, Shore]:
    """Return the strings of a network as linked vertices, with their joints and the shore that ends slide along."""
    room = 2 * len(network.node) + 256
    number = np.cumsum(network.joint >= 0) - 1
    at = np.flatnonzero(network.joint >= 0)
    ends, slack = np.full((len(at), 3), -1, dtype=np.int64), np.ones(len(at), dtype=bool)
    joints = Joints(ends, network.joint[at], at.copy(), network.shore[at].copy(), slack)
    strings = Strings(
        np.zeros((room, 2)),
        np.full(room, -2, dtype=np.int64),
        np.full(room, -2, dtype=np.int64),
        np.full(room, -1, dtype=np.int64),
        np.full(room, -1, dtype=np.int64),
        np.zeros(room, dtype=np.int64),
        np.ones(room, dtype=bool),
        np.zeros(1, dtype=np.int64),
    )
    _link(network.node, network.start, np.where(network.joint >= 0, number, -1), nodes, strings, joints.end)
    beside = network.shore.copy()
    beside[(beside < 0).any(axis=1)] = -1
    beside[cKDTree(xy).query(nodes, distance_upper_bound=SAME_POINT_M)[0] < SAME_POINT_M] = -1
    return strings, joints, Shore(nodes, beside)


@njit(cache=True)
def _link(
    node: NDArray[np.int64],
    start: NDArray[np.int64],
    number: NDArray[np.int64],
    nodes: NDArray[np.float64],
    strings: Strings,
    end: NDArray[np.int64],
) -> None:
    n = 0
    for s in range(len(start) - 1):
        first, last = start[s], start[s + 1]
        is_closed = number[node[first]] < 0
        size = last - first - (1 if is_closed else 0)
        for k in range(size):
            v = n + k
            strings.xy[v] = nodes[node[first + k]]
            strings.before[v], strings.after[v] = v - 1, v + 1
            strings.string[v] = s
            j = number[node[first + k]] if k in (0, size - 1) else -1
            strings.joint[v] = j
            if j >= 0:
                free = 0
                while free < 3 and end[j, free] >= 0:
                    free += 1
                if free < 3:
                    end[j, free] = v
        strings.before[n] = n + size - 1 if is_closed else -1
        strings.after[n + size - 1] = n if is_closed else -1
        n += size
    strings.used[0] = n


def stand(strings: Strings, joints: Joints, ledger: Ledger, shore: Shore, pegs: tuple[Pegs, Frame]) -> World:
    """Return the world of strings and joints, measured in a ledger, among these pegs."""
    buckets = pegs[1].columns * pegs[1].rows
    room = len(strings.xy)
    places = Places(
        np.full(buckets, -1, dtype=np.int64),
        np.full(room, -1, dtype=np.int64),
        np.full(room, -1, dtype=np.int64),
        np.full(room, -1, dtype=np.int64),
    )
    world = World(strings, joints, ledger, shore, *pegs, places, np.empty(1024, dtype=np.int64))
    _place(world)
    return world


@njit(cache=True)
def _place(world: World) -> None:
    """Put all vertices into the buckets."""
    strings = world.strings
    for v in range(strings.used[0]):
        if strings.after[v] != -2:
            put(world, v, strings.xy[v, 0], strings.xy[v, 1])


def read(strings: Strings, count: int) -> list[NDArray[np.float64]]:
    """Return the vertices of each string; a closed one ends where it begins."""
    used = int(strings.used[0])
    after, string = strings.after[:used].tolist(), strings.string[:used]
    alive = np.flatnonzero(strings.after[:used] != -2)
    # The end without a vertex before it comes first; a closed string begins anywhere.
    order = np.lexsort((alive, strings.before[alive] != -1, string[alive]))
    begin = alive[order][np.searchsorted(string[alive][order], np.arange(count))]
    lines = []
    for first in begin.tolist():
        path, v = [first], after[first]
        while v not in (-1, first):
            path.append(v)
            v = after[v]
        lines.append(strings.xy[path + [first] * (v == first)])
    return lines
