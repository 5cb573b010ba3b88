"""New lines put into a planar drawing: where they meet its edges, and the drawing with those nodes.

A line that passes within `SNAP_M` of a node goes through it, so that no two nodes of a line or of an edge come nearer
to each other than the rounding of coordinates can tell apart (after snap rounding, Hobby 1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from mapgrid.partition.cells.buckets import Buckets, buckets_along, room_for, sort_into_buckets
from mapgrid.partition.cells.diagram import on_grid
from mapgrid.partition.cells.shapes import distinct_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

SNAP_M = 1e-5
"""A line this near to a node goes through it: a hundred times the rounding of nodes, a hundredth of a millimetre."""

AT_NODE, AT_EDGE, FREE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Noded:
    """A drawing with new lines in it.

    Attributes
    ----------
    nodes
        (v, 2) metres; the nodes there were keep their numbers and coordinates.
    ends
        (e, 2) nodes of each edge; a piece of an edge there was is drawn as that one.
    parent
        (e,) the edge that it is a piece of, -1 for a new line.
    is_line
        (e,) True on a new line, also where that runs along an edge there was.
    """

    nodes: NDArray[np.float64]
    ends: NDArray[np.int64]
    parent: NDArray[np.int64]
    is_line: NDArray[np.bool_]


def put_in(nodes: NDArray[np.float64], ends: NDArray[np.int64], lines: NDArray[np.float64]) -> Noded:
    """Return the drawing with new segments noded into it.

    Parameters
    ----------
    nodes, ends
        (v, 2) metres and (e, 2): a planar drawing.
    lines
        (m, 2, 2) metres: new segments. They may meet each other at their ends only.
    """
    corners, corner = distinct_rows(on_grid(lines.reshape(-1, 2)))
    stroke = corner.reshape(-1, 2)
    stroke = stroke[stroke[:, 0] != stroke[:, 1]]
    buckets = sort_into_buckets(nodes[ends], reach_m=2 * SNAP_M)
    kind, at = _place(nodes, ends, buckets, corners)
    corners[kind == AT_NODE] = nodes[at[kind == AT_NODE]]
    on_edge = np.flatnonzero(kind == AT_EDGE)
    corners[on_edge] = _foot(corners[on_edge], nodes[ends[at[on_edge], 0]], nodes[ends[at[on_edge], 1]])
    stroke = stroke[(corners[stroke[:, 0]] != corners[stroke[:, 1]]).any(axis=1)]
    met, shares = _meet(nodes, ends, buckets, corners, stroke, (kind, at))
    which, node, edge = met.T
    along, share = shares.T
    crossing = np.flatnonzero(edge >= 0)
    start, end = nodes[ends[edge[crossing], 0]], nodes[ends[edge[crossing], 1]]
    crossed = on_grid(start + share[crossing, None] * (end - start))
    made, place = distinct_rows(np.concatenate([corners[kind != AT_NODE], crossed]))
    number = np.empty(len(corners), dtype=np.int64)
    number[kind == AT_NODE] = at[kind == AT_NODE]
    number[kind != AT_NODE] = len(nodes) + place[: len(corners) - int((kind == AT_NODE).sum())]
    node[crossing] = len(nodes) + place[len(place) - len(crossing) :]
    every = np.concatenate([nodes, made])
    pieces, parent = _cut_edges(
        every, ends, np.concatenate([at[on_edge], edge[crossing]]), np.concatenate([number[on_edge], node[crossing]])
    )
    drawn = _cut_strokes(number[stroke], which, along, node)
    return _joined(every, pieces, parent, drawn)


def _foot(xy: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    way = end - start
    share = ((xy - start) * way).sum(axis=1) / (way**2).sum(axis=1)
    return on_grid(start + share[:, None] * way)


def _cut_edges(
    nodes: NDArray[np.float64], ends: NDArray[np.int64], edge: NDArray[np.int64], node: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the edges cut at new nodes, and the edge that each piece is of."""
    pairs, _ = distinct_rows(np.stack([edge, node], axis=1))
    edge, node = pairs[:, 0], pairs[:, 1]
    start = nodes[ends[edge, 0]]
    along = ((nodes[node] - start) * (nodes[ends[edge, 1]] - start)).sum(axis=1)
    count = len(ends)
    parent = np.concatenate([np.arange(count), edge])
    first = np.concatenate([ends[:, 0], node])
    order = np.lexsort((np.concatenate([np.full(count, -np.inf), along]), parent))
    parent, first = parent[order], first[order]
    second = np.append(first[1:], 0)
    last = np.append(parent[1:] != parent[:-1], True)
    second[last] = ends[parent[last], 1]
    return np.stack([first, second], axis=1), parent


def _cut_strokes(
    stroke: NDArray[np.int64], which: NDArray[np.int64], along: NDArray[np.float64], node: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the strokes cut at the nodes they meet, each piece from its lower node, once."""
    count = len(stroke)
    number = np.concatenate([np.arange(count), which, np.arange(count)])
    place = np.concatenate([np.full(count, -1.0), along, np.full(count, 2.0)])
    passed = np.concatenate([stroke[:, 0], node, stroke[:, 1]])
    order = np.lexsort((passed, place, number))
    number, passed = number[order], passed[order]
    step = (number[1:] == number[:-1]) & (passed[1:] != passed[:-1])
    pairs = np.sort(np.stack([passed[:-1][step], passed[1:][step]], axis=1), axis=1)
    return distinct_rows(pairs)[0]


def _joined(
    nodes: NDArray[np.float64], pieces: NDArray[np.int64], parent: NDArray[np.int64], drawn: NDArray[np.int64]
) -> Noded:
    """Return pieces of edges and of strokes together; a piece of a stroke that is a piece of an edge stands once."""
    size = len(nodes)
    key = np.sort(pieces, axis=1) @ np.array([size, 1])
    order = np.argsort(key, kind="stable")
    wanted = drawn @ np.array([size, 1])
    at = order[np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)]
    known = key[at] == wanted
    is_line = np.zeros(len(pieces), dtype=bool)
    is_line[at[known]] = True
    new = drawn[~known]
    return Noded(
        nodes,
        np.concatenate([pieces, new]),
        np.concatenate([parent, np.full(len(new), -1)]),
        np.concatenate([is_line, np.ones(len(new), dtype=bool)]),
    )


@njit(cache=True)
def _place(
    nodes: NDArray[np.float64], ends: NDArray[np.int64], buckets: Buckets, corners: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return whether each corner is at a node, on an edge or free, and which."""
    kind = np.full(len(corners), FREE, dtype=np.int64)
    at = np.full(len(corners), -1, dtype=np.int64)
    frame = (buckets.west, buckets.south, buckets.size_m, buckets.columns, buckets.rows)
    found = np.empty(room_for(frame), dtype=np.int64)
    for c in range(len(corners)):
        x, y = corners[c, 0], corners[c, 1]
        best_node, best_edge = SNAP_M, SNAP_M
        for k in range(buckets_along((x, y, x, y), frame, 0.0, found)):
            for e in buckets.item[buckets.start[found[k]] : buckets.start[found[k] + 1]]:
                for end in range(2):
                    v = ends[e, end]
                    away = np.hypot(nodes[v, 0] - x, nodes[v, 1] - y)
                    if away < best_node or (away == best_node and kind[c] == AT_NODE and v < at[c]):
                        best_node = away
                        kind[c], at[c] = AT_NODE, v
                if kind[c] == AT_NODE:
                    continue
                away = _away_from(nodes, ends, e, x, y)
                if away < best_edge:
                    best_edge = away
                    kind[c], at[c] = AT_EDGE, e
    return kind, at


@njit(cache=True)
def _away_from(nodes: NDArray[np.float64], ends: NDArray[np.int64], e: int, x: float, y: float) -> float:
    """Return the distance of a point from an edge, metres."""
    px, py = nodes[ends[e, 0], 0], nodes[ends[e, 0], 1]
    dx, dy = nodes[ends[e, 1], 0] - px, nodes[ends[e, 1], 1] - py
    share = min(max(((x - px) * dx + (y - py) * dy) / (dx * dx + dy * dy), 0.0), 1.0)
    return float(np.hypot(px + share * dx - x, py + share * dy - y))


@njit(cache=True)
def _meet(
    nodes: NDArray[np.float64],
    ends: NDArray[np.int64],
    buckets: Buckets,
    corners: NDArray[np.float64],
    stroke: NDArray[np.int64],
    placed: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return where strokes meet the drawing, in rows: stroke, node or -1, edge crossed or -1; shares of the two."""
    kind, at = placed
    frame = (buckets.west, buckets.south, buckets.size_m, buckets.columns, buckets.rows)
    found = np.empty(room_for(frame), dtype=np.int64)
    seen_edge = np.full(len(ends), -1, dtype=np.int64)
    seen_node = np.full(len(nodes), -1, dtype=np.int64)
    met, share = np.empty((4 * len(stroke) + 16, 3), dtype=np.int64), np.empty((4 * len(stroke) + 16, 2))
    count = 0
    for s in range(len(stroke)):
        a, b = stroke[s]
        _mark_ends((a, b), kind, at, s, seen_edge, seen_node)
        line = (corners[a, 0], corners[a, 1], corners[b, 0], corners[b, 1])
        for k in range(buckets_along(line, frame, SNAP_M, found)):
            for e in buckets.item[buckets.start[found[k]] : buckets.start[found[k] + 1]]:
                if seen_edge[e] == s:
                    continue
                is_apart = seen_edge[e] != -2 - s
                seen_edge[e] = s
                met, share = _with_room(met, share, count + 3)
                for v in ends[e]:
                    t = _passes(line, nodes[v, 0], nodes[v, 1])
                    is_apart = is_apart and t < 0 and seen_node[v] != s
                    if t >= 0 and seen_node[v] != s:
                        seen_node[v] = s
                        met[count] = (s, v, -1)
                        share[count] = (t, 0.0)
                        count += 1
                t, u = _crosses(line, nodes, ends[e, 0], ends[e, 1])
                if is_apart and t >= 0:
                    met[count] = (s, -1, e)
                    share[count] = (t, u)
                    count += 1
    return met[:count], share[:count]


@njit(cache=True)
def _with_room(
    met: NDArray[np.int64], share: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    if count > len(met):
        return np.concatenate((met, met)), np.concatenate((share, share))
    return met, share


@njit(cache=True)
def _mark_ends(
    corners: tuple[int, int],
    kind: NDArray[np.int64],
    at: NDArray[np.int64],
    s: int,
    seen_edge: NDArray[np.int64],
    seen_node: NDArray[np.int64],
) -> None:
    """Note the nodes and edges that stroke s begins and ends at: it meets them there and nowhere else."""
    for c in corners:
        if kind[c] == AT_NODE:
            seen_node[at[c]] = s
        elif kind[c] == AT_EDGE:
            seen_edge[at[c]] = -2 - s


@njit(cache=True)
def _passes(line: tuple[float, float, float, float], x: float, y: float) -> float:
    """Return at which share of a segment it passes within `SNAP_M` of a point, or -1."""
    ax, ay, bx, by = line
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    t = ((x - ax) * dx + (y - ay) * dy) / square
    if t <= 0 or t >= 1 or abs(dx * (y - ay) - dy * (x - ax)) > SNAP_M * np.sqrt(square):
        return -1.0
    return float(t)


@njit(cache=True)
def _crosses(
    line: tuple[float, float, float, float], nodes: NDArray[np.float64], p: int, q: int
) -> tuple[float, float]:
    """Return the shares of a segment and of an edge at which they cross, or (-1, -1)."""
    ax, ay, bx, by = line
    px, py, qx, qy = nodes[p, 0], nodes[p, 1], nodes[q, 0], nodes[q, 1]
    of_p = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    of_q = (bx - ax) * (qy - ay) - (by - ay) * (qx - ax)
    of_a = (qx - px) * (ay - py) - (qy - py) * (ax - px)
    of_b = (qx - px) * (by - py) - (qy - py) * (bx - px)
    if (of_p > 0) == (of_q > 0) or (of_a > 0) == (of_b > 0):
        return -1.0, -1.0
    return of_a / (of_a - of_b), of_p / (of_p - of_q)
