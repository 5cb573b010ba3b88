"""The lines that cut a village: its outline, barriers, and the openings (bridges) in barriers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.cells.buckets import come_near
from mapgrid.partition.cells.shapes import lines_along, points_at

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

BRIDGE_M = 50.0
"""The widest opening between two loose ends of barriers that still counts as a bridge, not as the barrier's end."""

UNDERSHOOT_M = 10.0
"""A loose end this near to another barrier or to the outline was meant to reach it."""

ON_LINE_M = 1e-4
"""A point this near to a line stands on it."""

OUTSIDE_TOLERANCE_M = 0.02
"""A household this far outside the outline stands on the border: seven decimals of a degree are one centimetre."""


@dataclass(frozen=True, slots=True)
class Walls:
    """Barriers of one village as segments.

    Attributes
    ----------
    segments
        (m, 2, 2) metres: start and end of each barrier segment that touches the village.
    closings
        (c, 2, 2) metres: where a bridge would be shut: from a loose barrier end to the loose end it faces
        (at most `BRIDGE_M`
        away), or to the barrier or outline it nearly reaches (`UNDERSHOOT_M`).
    areas
        Barrier polygons (rivers drawn as areas).
    barriers
        All barrier lines and areas as given, also between the parts of a village.
    """

    segments: NDArray[np.float64]
    closings: NDArray[np.float64]
    areas: NDArray[np.object_]
    barriers: NDArray[np.object_]

    def lines(self) -> NDArray[np.object_]:
        """Return barrier segments as lines."""
        return lines_along(self.segments)

    def lines_with_closings(self) -> NDArray[np.object_]:
        """Return barrier segments and closed openings as lines."""
        return lines_along(np.concatenate([self.segments, self.closings]))


def segments_of(geometries: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the segments of lines or rings, shape (m, 2, 2), and the geometry each one came from."""
    xy, owner = shapely.get_coordinates(geometries, return_index=True)
    same = owner[1:] == owner[:-1]
    segments = np.stack([xy[:-1], xy[1:]], axis=1)[same]
    owner = owner[1:][same]
    long_enough = (segments[:, 0] != segments[:, 1]).any(axis=1)
    return segments[long_enough], owner[long_enough]


def outline_segments(village: BaseGeometry) -> NDArray[np.float64]:
    """Return the segments of all rings of a village, shape (m, 2, 2)."""
    return segments_of(shapely.get_rings(shapely.get_parts(village)))[0]


def build_walls(village: BaseGeometry, barriers: NDArray[np.object_]) -> Walls:
    """Return the walls that barriers make in a village.

    Parameters
    ----------
    village
        Polygon or MultiPolygon in metres, prepared or not.
    barriers
        Lines or polygons in metres, single or multi; points in a layer of lines are passed over.
    """
    areas = _of_dimension(barriers, 2)
    west, south, east, north = village.bounds
    given = _of_dimension(barriers, 1)
    lines = np.concatenate([shapely.get_rings(areas), given])
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    plain = np.asarray(shapely.linestrings(xy, indices=owner), dtype=object)
    clipped = np.asarray(shapely.clip_by_rect(plain, west - 1, south - 1, east + 1, north + 1))
    lines = shapely.get_parts(clipped[~shapely.is_empty(clipped)])
    segments, owner = segments_of(lines)
    shapely.prepare(village)
    inside = shapely.intersects(village, lines_along(segments))
    segments, owner = segments[inside], owner[inside]
    return Walls(segments, _closings(village, lines, segments, owner), areas, np.concatenate([areas, given]))


def _of_dimension(geometries: NDArray[np.object_], dimension: int) -> NDArray[np.object_]:
    parts = shapely.get_parts(geometries[~shapely.is_missing(geometries)])
    kept: NDArray[np.object_] = parts[(shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)]
    return kept


def _closings(
    village: BaseGeometry,
    lines: NDArray[np.object_],
    segments: NDArray[np.float64],
    owner: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return one segment from each loose barrier end to the loose end, barrier or outline it faces."""
    none = np.empty((0, 2, 2))
    if not len(segments):
        return none
    ends, line_of_end = _loose_ends(village, lines, segments, owner)
    if not len(ends):
        return none
    outline = outline_segments(village)
    targets = lines_along(np.concatenate([segments, outline]))
    target_line = np.concatenate([owner, np.full(len(outline), -1)])
    tree = shapely.STRtree(targets)
    found = []
    for end, line in zip(ends, line_of_end, strict=True):
        closing = _nearest_end(end, ends) or _nearest_line(end, tree, targets, target_line, line)
        if closing is not None:
            found.append((end, closing))
    return np.array(found).reshape(-1, 2, 2) if found else none


def _loose_ends(
    village: BaseGeometry,
    lines: NDArray[np.object_],
    segments: NDArray[np.float64],
    owner: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return ends of lines inside the village that touch neither the outline nor another line, and their lines."""
    ends = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(lines, 0)), shapely.get_coordinates(shapely.get_point(lines, -1))]
    )
    line_of_end = np.tile(np.arange(len(lines)), 2)
    open_lines = ~shapely.is_closed(lines)[line_of_end]
    ends, line_of_end = ends[open_lines], line_of_end[open_lines]
    points = points_at(ends)
    at_end, at_segment = shapely.STRtree(lines_along(segments)).query(points, "dwithin", ON_LINE_M)
    touched = np.zeros(len(ends), dtype=bool)
    touched[at_end[owner[at_segment] != line_of_end[at_end]]] = True
    inside = shapely.contains(village, points) & ~shapely.dwithin(village.boundary, points, ON_LINE_M)
    loose = inside & ~touched
    order = np.lexsort((ends[loose, 1], ends[loose, 0]))
    return ends[loose][order], line_of_end[loose][order]


def _nearest_end(end: NDArray[np.float64], ends: NDArray[np.float64]) -> tuple[float, float] | None:
    distance = np.hypot(*(ends - end).T)
    distance[distance == 0] = np.inf
    nearest = int(distance.argmin())
    return (float(ends[nearest, 0]), float(ends[nearest, 1])) if distance[nearest] <= BRIDGE_M else None


def _nearest_line(
    end: NDArray[np.float64],
    tree: shapely.STRtree,
    targets: NDArray[np.object_],
    target_line: NDArray[np.int64],
    line: int,
) -> tuple[float, float] | None:
    point = shapely.Point(end)
    near = np.sort(tree.query(point, "dwithin", UNDERSHOOT_M))
    near = near[target_line[near] != line]
    if not len(near):
        return None
    nearest = targets[near[shapely.distance(targets[near], point).argmin()]]
    foot = shapely.get_coordinates(shapely.line_interpolate_point(nearest, shapely.line_locate_point(nearest, point)))
    return (float(foot[0, 0]), float(foot[0, 1]))


def notch(segments: NDArray[np.float64], points: NDArray[np.float64], *, within_m: float) -> NDArray[np.float64]:
    """Return the segments bent through the points that stand on them, each point at its nearest segment.

    A point on a line is on one side or the other only to within rounding; once it is a node of the line it lies exactly
    on the border of both, whatever is computed from it later. The bend is a notch a millimetre wide, so the line as a
    whole stays where it was.
    """
    if not len(segments) or not len(points):
        return segments
    points = points[come_near(points, segments, within_m=2 * within_m)]  # nearly all are far from every segment
    lines = lines_along(segments)
    at_point, at_segment = shapely.STRtree(lines).query(points_at(points), "dwithin", within_m)
    if not len(at_point):
        return segments
    distance = shapely.distance(points_at(points[at_point]), lines[at_segment])
    order = np.lexsort((at_segment, distance, at_point))
    first = order[np.unique(at_point[order], return_index=True)[1]]
    bent: dict[int, list[int]] = {}
    for k in first:
        bent.setdefault(int(at_segment[k]), []).append(int(at_point[k]))
    kept = np.delete(segments, list(bent), axis=0)
    pieces = [_bend(segments[segment], points[on_it]) for segment, on_it in sorted(bent.items())]
    return np.concatenate([kept, *pieces])


def _bend(segment: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the segment led through the points in order of their foot, leaving it only beside each."""
    start, end = segment
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    feet = (points - start) @ along
    path, last = [start], 0.0
    for k in np.argsort(feet, kind="stable"):
        off = float(np.hypot(*(points[k] - start - feet[k] * along)))
        half = max(2 * off, 1e-3)
        if off > 0 and feet[k] - half > last:
            path.append(start + (feet[k] - half) * along)
        path.append(points[k])
        last = min(feet[k] + half, length)
        if off > 0 and last < length:
            path.append(start + last * along)
    path.append(end)
    nodes = np.array(path)
    pieces = np.stack([nodes[:-1], nodes[1:]], axis=1)
    kept: NDArray[np.float64] = pieces[(pieces[:, 0] != pieces[:, 1]).any(axis=1)]
    return kept
