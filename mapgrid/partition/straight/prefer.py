"""Borders led along preferred lines (roads, paths, water) where that costs little.

A border between two grids passes a gate between each two neighbouring households on its sides. Where a preferred line
passes a gate too, the border may pass there. The cheapest way through all gates (Bellman 1957), where a metre along a
preferred line counts for less, decides; a way that would sweep over a household, or meet another border, is not taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from mapgrid.partition.cells.shapes import lines_along, points_at
from mapgrid.partition.cells.walls import segments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land
    from mapgrid.partition.search.graph import Graph
    from mapgrid.partition.straight.network import Network

PRICE = 0.8
"""What a metre along a preferred line counts for: a border may be a quarter longer to follow one."""

BORDER_PRICE = 0.6
"""What a metre of border counts for in the search where a preferred line runs between two households."""

ALONG_M = 5.0
"""A border this near to a preferred line counts as along it."""

_HOUSE_M = 0.5
_OWN = -1


@dataclass(frozen=True, slots=True)
class Preferred:
    """Preferred lines as segments, joined where two of them end.

    Attributes
    ----------
    lines
        (l,) metres, in an order that does not depend on that of the input.
    segments, line, offset_m
        (m, 2, 2), (m,), (m,): their segments, the line of each, and how far along it each begins.
    """

    lines: NDArray[np.object_]
    segments: NDArray[np.float64]
    line: NDArray[np.int64]
    offset_m: NDArray[np.float64]


class _Place(NamedTuple):
    """Where a border may pass a gate: on which line (`_OWN` for the border itself), and how far along it."""

    x: float
    y: float
    line: int
    along_m: float


def preferred_lines(geometries: NDArray[np.object_]) -> Preferred | None:
    """Return lines, and the rings of polygons (metres), as preferred lines; None where there are none."""
    parts = shapely.get_parts(geometries[~shapely.is_missing(geometries)])
    dimension = shapely.get_dimensions(parts)
    given = np.concatenate([shapely.get_rings(parts[dimension == 2]), parts[dimension == 1]])
    if not len(given):
        return None
    # Noded, so that a crossing is an end of four lines; merged, so that a road in pieces is one line.
    lines = shapely.get_parts(shapely.line_merge(shapely.union_all(given)))
    lines = shapely.normalize(lines)
    lines = lines[np.argsort(shapely.to_wkb(lines), kind="stable")]
    segments, line = segments_of(lines)
    length = np.hypot(*(segments[:, 1] - segments[:, 0]).T)
    total = np.concatenate([[0.0], np.cumsum(length)])
    first = np.searchsorted(line, line)
    return Preferred(lines, segments, line, total[:-1] - total[first])


def border_prices(graph: Graph, preferred: Preferred) -> NDArray[np.float64]:
    """Return what a metre of border counts for beside each neighbour in a graph."""
    one = np.repeat(np.arange(len(graph.cells)), np.diff(graph.start))
    ways = lines_along(np.stack([graph.xy[one], graph.xy[graph.neighbour]], axis=1))
    crossed = np.unique(shapely.STRtree(ways).query(lines_along(preferred.segments), "intersects")[1])
    price = np.ones(len(one))
    price[crossed] = BORDER_PRICE
    return price


def share_along(land: Land, grid: NDArray[np.int64], preferred: Preferred) -> float:
    """Return the share (per cent) of the borders between grids within `ALONG_M` of a preferred line, metre by metre."""
    faces = land.faces
    inner = faces.edges[faces.edges[:, 3] >= 0]
    first, second = grid[land.cell_of_face[inner[:, 2:]]].T
    ends = faces.nodes[inner[first != second, :2]]
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    pieces = np.maximum(np.ceil(length).astype(np.int64), 1)
    edge = np.repeat(np.arange(len(ends)), pieces)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = ((step + 0.5) / pieces[edge])[:, None]
    xy = ends[edge, 0] + share * (ends[edge, 1] - ends[edge, 0])
    near = np.zeros(len(xy), dtype=bool)
    near[np.unique(shapely.STRtree(lines_along(preferred.segments)).query(points_at(xy), "dwithin", ALONG_M)[0])] = True
    weight = (length / pieces)[edge]
    return round(100 * float(weight[near].sum() / weight.sum()), 2) if len(xy) else 0.0


def follow(
    land: Land, xy: NDArray[np.float64], network: Network, strings: list[NDArray[np.float64]], preferred: Preferred
) -> list[NDArray[np.float64]]:
    """Return the strings of a network led along preferred lines.

    Parameters
    ----------
    land, xy
        The cells of a village and their points, metres.
    network, strings
        Its borders, and the same pulled tight.
    preferred
        Lines to follow.
    """
    gates = _gates(land, network)
    passed = _passed(xy[gates], preferred)
    begin = network.start - np.arange(len(network.start))  # a string has one edge less than nodes
    led = list(strings)
    fixed = lines_along(land.faces.nodes[land.faces.edges[network.fixed, :2]])
    check = _Check(xy, fixed, led)
    for number, string in enumerate(strings):
        at = np.arange(begin[number], begin[number + 1])
        if not any(int(gate) in passed for gate in at) or (string[0] == string[-1]).all():
            continue
        layers = _layers(string, at, xy[gates[at]], passed)
        path = _path(string, _cheapest(layers, preferred), preferred)
        if len(path) > 2 and check.allows(number, path):
            led[number] = path
    return led


def _gates(land: Land, network: Network) -> NDArray[np.int64]:
    """Return the two cells beside each edge of each string, string by string."""
    is_last = np.zeros(len(network.node), dtype=bool)
    is_last[network.start[1:] - 1] = True
    step = np.flatnonzero(~is_last)
    ends = np.sort(np.stack([network.node[step], network.node[step + 1]], axis=1), axis=1)
    size = len(land.faces.nodes)
    key = land.faces.edges[:, 0] * size + land.faces.edges[:, 1]
    cells: NDArray[np.int64] = land.cell_of_face[
        land.faces.edges[np.searchsorted(key, ends[:, 0] * size + ends[:, 1]), 2:]
    ]
    return cells


def _passed(gates: NDArray[np.float64], preferred: Preferred) -> dict[int, list[_Place]]:
    """Return where preferred lines pass gates (g, 2, 2), not right beside a household."""
    at_gate, at = shapely.STRtree(lines_along(preferred.segments)).query(lines_along(gates), "intersects")
    order = np.lexsort((at, at_gate))
    at_gate, at = at_gate[order], at[order]
    start, way = gates[at_gate, 0], gates[at_gate, 1] - gates[at_gate, 0]
    other, along = preferred.segments[at, 0], preferred.segments[at, 1] - preferred.segments[at, 0]
    cross = way[:, 0] * along[:, 1] - way[:, 1] * along[:, 0]
    offset = other - start
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (offset[:, 0] * along[:, 1] - offset[:, 1] * along[:, 0]) / cross
    width = np.hypot(*way.T)
    usable = np.isfinite(share) & (share * width > _HOUSE_M) & ((1 - share) * width > _HOUSE_M)
    passed: dict[int, list[_Place]] = {}
    for k in np.flatnonzero(usable):
        x, y = start[k] + share[k] * way[k]
        measure = preferred.offset_m[at[k]] + float(np.hypot(x - other[k, 0], y - other[k, 1]))
        passed.setdefault(int(at_gate[k]), []).append(_Place(float(x), float(y), int(preferred.line[at[k]]), measure))
    return passed


def _layers(
    string: NDArray[np.float64], at: NDArray[np.int64], gates: NDArray[np.float64], passed: dict[int, list[_Place]]
) -> list[list[_Place]]:
    """Return the places to choose from at both ends of a string and at each of its gates."""
    line = shapely.LineString(string)
    # A string may cross a gate twice or run along it: the first place counts.
    met, gate_of = shapely.get_coordinates(shapely.intersection(lines_along(gates), line), return_index=True)
    along = np.full(len(gates), np.inf)
    np.minimum.at(along, gate_of, shapely.line_locate_point(line, points_at(met)))
    missed = np.isinf(along)
    along[missed] = shapely.line_locate_point(line, points_at(gates[missed].mean(axis=1)))
    along = np.maximum.accumulate(along)
    own = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    layers = [[_Place(float(string[0, 0]), float(string[0, 1]), _OWN, 0.0)]]
    for gate, (x, y), metres in zip(at.tolist(), own.tolist(), along.tolist(), strict=True):
        layers.append([_Place(x, y, _OWN, metres), *passed.get(gate, [])])
    layers.append([_Place(float(string[-1, 0]), float(string[-1, 1]), _OWN, line.length)])
    return layers


def _cheapest(layers: list[list[_Place]], preferred: Preferred) -> list[_Place]:
    """Return one place of each layer, so that the way through them counts for least."""
    cost = [0.0]
    back: list[list[int]] = []
    for before, here in pairwise(layers):
        ways = [[cost[k] + _count(place, to, preferred) for k, place in enumerate(before)] for to in here]
        back.append([min(range(len(way)), key=way.__getitem__) for way in ways])
        cost = [min(way) for way in ways]
    k = 0
    chosen = [layers[-1][0]]
    for layer, best in zip(layers[-2::-1], back[::-1], strict=True):
        k = best[k]
        chosen.append(layer[k])
    return chosen[::-1]


def _count(one: _Place, to: _Place, preferred: Preferred) -> float:
    """Return what the way between two places counts for."""
    straight = float(np.hypot(one.x - to.x, one.y - to.y))
    if one.line == to.line == _OWN:
        return abs(to.along_m - one.along_m)
    if _OWN in (one.line, to.line):
        return straight
    way_m = _way_along(one, to, preferred)[0]
    return PRICE * way_m if way_m <= 1.5 * straight + ALONG_M else straight


def _way_along(one: _Place, to: _Place, preferred: Preferred) -> tuple[float, tuple[float, float]]:
    """Return the way between two places of preferred lines, and where it leaves the first and enters the second."""
    if one.line == to.line:
        return abs(to.along_m - one.along_m), (to.along_m, to.along_m)
    first, second = preferred.lines[one.line], preferred.lines[to.line]
    best = (np.inf, (0.0, 0.0))
    for leave, at in ((0.0, 0), (first.length, -1)):
        for enter, place in ((0.0, 0), (second.length, -1)):
            if first.coords[at] == second.coords[place]:
                way_m = abs(one.along_m - leave) + abs(to.along_m - enter)
                best = min(best, (way_m, (leave, enter)))
    return best


def _path(string: NDArray[np.float64], chosen: list[_Place], preferred: Preferred) -> NDArray[np.float64]:
    """Return the way through the chosen places, with every corner of the lines between them."""
    own = shapely.LineString(string)
    parts = [np.array([[chosen[0].x, chosen[0].y]])]
    for one, to in pairwise(chosen):
        if one.line == to.line == _OWN:
            parts.append(_corners(own, one.along_m, to.along_m))
        elif _OWN not in (one.line, to.line):
            way_m, (leave, enter) = _way_along(one, to, preferred)
            if way_m <= 1.5 * float(np.hypot(one.x - to.x, one.y - to.y)) + ALONG_M:
                parts.append(_corners(preferred.lines[one.line], one.along_m, leave))
                if one.line != to.line:
                    parts.append(np.array([preferred.lines[one.line].interpolate(leave).coords[0]]))
                    parts.append(_corners(preferred.lines[to.line], enter, to.along_m))
        parts.append(np.array([[to.x, to.y]]))
    path = np.concatenate(parts)
    kept = np.ones(len(path), dtype=bool)
    kept[1:] = np.hypot(*(path[1:] - path[:-1]).T) > 1e-3
    kept[-1] = True
    path = path[kept]
    path[0], path[-1] = string[0], string[-1]
    return path


def _corners(line: shapely.LineString, start_m: float, end_m: float) -> NDArray[np.float64]:
    """Return the corners of a line strictly between two measures, in the order of going from one to the other."""
    xy = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*(xy[1:] - xy[:-1]).T))])
    between: NDArray[np.float64] = xy[(along > min(start_m, end_m) + 1e-3) & (along < max(start_m, end_m) - 1e-3)]
    return between if start_m <= end_m else between[::-1]


class _Check:
    """What a string may not touch: households, the shore, and the other strings as they are by now."""

    def __init__(self, xy: NDArray[np.float64], fixed: NDArray[np.object_], strings: list[NDArray[np.float64]]) -> None:
        self.lines = np.array([shapely.linestrings(string) for string in strings], dtype=object)
        self.points = shapely.STRtree(points_at(xy))
        self.fixed = fixed
        self.shore = shapely.STRtree(fixed)

    def allows(self, number: int, path: NDArray[np.float64]) -> bool:
        """Return whether a string may take a new path between its ends; if so, it has taken it."""
        line = shapely.LineString(path)
        if not line.is_simple or len(self.points.query(line, "dwithin", _HOUSE_M)):
            return False
        drawn = shapely.union_all([line, self.lines[number]])
        swept = shapely.union_all([line.buffer(1e-4), *shapely.get_parts(shapely.polygonize([drawn]))])
        if len(self.points.query(swept, "intersects")):
            return False
        ends = shapely.MultiPoint([path[0], path[-1]]).buffer(0.01)
        reach = swept.difference(ends)
        others = np.delete(self.lines, number)
        if shapely.intersects(others, reach).any() or len(self.shore.query(reach, "intersects")):
            return False
        self.lines[number] = line
        return True
