"""Strings, joints and pegs as arrays, and what a triangle that a string sweeps holds.

A string is a border between two grids as linked vertices; a joint is where strings meet or are fastened; a peg is a
point that no string sweeps over. Pegs and vertices stand in one grid of buckets.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

APART_M = 0.5
"""Strings keep this far from each other's and the shore's corners, unless they were nearer."""

_ON_M = 1e-7


class Strings(NamedTuple):
    """Vertices of strings, linked; those at the ends of strings in one place share a joint.

    Attributes
    ----------
    xy
        (room, 2) metres.
    before, after
        (room,) the neighbours in the string, -1 beyond an end; -2 where the vertex is taken out.
    string, joint
        (room,) the string it is of; the joint at an end, else -1.
    held
        (room,) which way the string turns round a peg here (1 left, -1 right), 0 where there is none.
    slack
        (room,) whether something near has moved since the vertex was last tried.
    used
        (1,) how many vertices there are, those taken out among them.
    """

    xy: NDArray[np.float64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    string: NDArray[np.int64]
    joint: NDArray[np.int64]
    held: NDArray[np.int64]
    slack: NDArray[np.bool_]
    used: NDArray[np.int64]


class Joints(NamedTuple):
    """What strings end at.

    Attributes
    ----------
    end
        (j, 3) vertices at the ends of strings that meet here, -1 where there are fewer.
    kind
        (j,) of `Joint`.
    at
        (j,) the node of the shore it stands at, -1 between two.
    shore
        (j, 2) the nodes of the shore on both sides of it, -1 where it cannot go.
    slack
        (j,) whether something beside it has moved since it was last tried.
    """

    end: NDArray[np.int64]
    kind: NDArray[np.int64]
    at: NDArray[np.int64]
    shore: NDArray[np.int64]
    slack: NDArray[np.bool_]


class Shore(NamedTuple):
    """Nodes of the drawing (v, 2) in metres, and the two nodes along the shore from each (v, 2), -1 to stop there."""

    xy: NDArray[np.float64]
    beside: NDArray[np.int64]


class Pegs(NamedTuple):
    """Points that no string sweeps over, by bucket; a string is led round those that `holds` is True for."""

    xy: NDArray[np.float64]
    holds: NDArray[np.bool_]
    start: NDArray[np.int64]
    item: NDArray[np.int64]


class Frame(NamedTuple):
    """The grid of buckets that pegs and vertices stand in."""

    west: float
    south: float
    size_m: float
    columns: int
    rows: int


class Places(NamedTuple):
    """Vertices by bucket, as lists: head of each bucket; vertices after and before each in it; bucket of each."""

    head: NDArray[np.int64]
    after: NDArray[np.int64]
    before: NDArray[np.int64]
    bucket: NDArray[np.int64]


class Ledger(NamedTuple):
    """What grids measure while strings move.

    Attributes
    ----------
    decides
        Whether ends slide along the shore to where grids are rounder; else to where their string is shorter.
    left, right
        (s,) the grid on either side of each string, in the order of its vertices.
    shore_m2, shore_m
        (g,) what the shore adds to the area and to the outline of each grid: half the cross products along it
        anticlockwise, and its length.
    area_m2, outline_m
        (g,) of each grid, as they were when last counted.
    origin
        (2,) what cross products are taken about, metres.
    """

    decides: bool
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    shore_m2: NDArray[np.float64]
    shore_m: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    outline_m: NDArray[np.float64]
    origin: NDArray[np.float64]


class World(NamedTuple):
    """All that a move looks at."""

    strings: Strings
    joints: Joints
    ledger: Ledger
    shore: Shore
    pegs: Pegs
    frame: Frame
    places: Places
    found: NDArray[np.int64]


@njit(cache=True, inline="always")
def length_m(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the distance of two points."""
    return float(np.hypot(b[0] - a[0], b[1] - a[1]))


@njit(cache=True)
def bucket_at(frame: Frame, x: float, y: float) -> int:
    """Return the bucket of a point."""
    column = min(max(int((x - frame.west) / frame.size_m), 0), frame.columns - 1)
    row = min(max(int((y - frame.south) / frame.size_m), 0), frame.rows - 1)
    return row * frame.columns + column


@njit(cache=True)
def put(world: World, v: int, x: float, y: float) -> None:
    """Move a vertex to a place."""
    places, strings = world.places, world.strings
    strings.xy[v, 0], strings.xy[v, 1] = x, y
    b = bucket_at(world.frame, x, y)
    if places.bucket[v] == b:
        return
    lift(world, v)
    places.bucket[v] = b
    places.before[v] = -1
    places.after[v] = places.head[b]
    if places.head[b] >= 0:
        places.before[places.head[b]] = v
    places.head[b] = v


@njit(cache=True)
def lift(world: World, v: int) -> None:
    """Take a vertex out of the buckets."""
    places = world.places
    b = places.bucket[v]
    if b < 0:
        return
    if places.before[v] >= 0:
        places.after[places.before[v]] = places.after[v]
    else:
        places.head[b] = places.after[v]
    if places.after[v] >= 0:
        places.before[places.after[v]] = places.before[v]
    places.bucket[v] = -1


@njit(cache=True, inline="always")
def loosen(world: World, v: int) -> None:
    """Have a vertex tried again, and the joint that it stands at."""
    world.strings.slack[v] = True
    if world.strings.joint[v] >= 0:
        world.joints.slack[world.strings.joint[v]] = True


@njit(cache=True)
def swept(world: World, corners: NDArray[np.float64], own: tuple[int, int, int], closing: int) -> tuple[int, bool]:
    """Look at what a triangle (3, 2) holds: write the pegs to be led round into `world.found`.

    Return their number, and whether anything else is in the way: a vertex of another string, a corner of the shore, or
    one of these so near to the new side that it would be touched. `own` are the vertices at the corners; `closing` says
    which corner is opposite the new side.
    """
    frame = world.frame
    low_y, high_y = corners[:, 1].min() - APART_M, corners[:, 1].max() + APART_M
    bottom = min(max(int((low_y - frame.south) / frame.size_m), 0), frame.rows - 1)
    top = min(max(int((high_y - frame.south) / frame.size_m), 0), frame.rows - 1)
    count = 0
    for row in range(bottom, top + 1):
        low = frame.south + row * frame.size_m - APART_M if row > bottom else low_y
        high = frame.south + (row + 1) * frame.size_m + APART_M if row < top else high_y
        low_x, high_x = _span(corners, low, high)
        left = min(max(int((low_x - APART_M - frame.west) / frame.size_m), 0), frame.columns - 1)
        right = min(max(int((high_x + APART_M - frame.west) / frame.size_m), 0), frame.columns - 1)
        for b in range(row * frame.columns + left, row * frame.columns + right + 1):
            count = _pegs_in(world, b, corners, closing, count)
            if count < 0 or _string_in(world, b, corners, own, closing):
                return 0, True
    return count, False


@njit(cache=True, inline="always")
def _span(corners: NDArray[np.float64], low: float, high: float) -> tuple[float, float]:
    """Return from where to where in x a triangle reaches between two heights."""
    least, most = np.inf, -np.inf
    for k in range(3):
        ax, ay = corners[k]
        bx, by = corners[(k + 1) % 3]
        if ay > by:
            ax, ay, bx, by = bx, by, ax, ay
        if by < low or ay > high:
            continue
        slope = (bx - ax) / (by - ay) if by > ay else 0.0
        at_low = ax + slope * (low - ay) if ay < low else ax
        at_high = ax + slope * (high - ay) if by > high else bx
        least, most = min(least, at_low, at_high), max(most, at_low, at_high)
    if least > most:
        return corners[:, 0].min(), corners[:, 0].max()
    return least, most


@njit(cache=True)
def _pegs_in(world: World, b: int, corners: NDArray[np.float64], closing: int, count: int) -> int:
    """Write the pegs of a bucket that lie in the triangle after `count`; return the new count, -1 if one is no peg."""
    pegs = world.pegs
    for p in pegs.item[pegs.start[b] : pegs.start[b + 1]]:
        x, y = pegs.xy[p]
        if pegs.holds[p]:
            if _is_in(corners, x, y) and count < len(world.found):
                world.found[count] = p
                count += 1
        elif _is_in(corners, x, y) or _is_beside(corners, closing, x, y):
            return -1
    return count


@njit(cache=True)
def _string_in(world: World, b: int, corners: NDArray[np.float64], own: tuple[int, int, int], closing: int) -> bool:
    """Return whether a vertex of a bucket lies in the triangle, or too near to its new side."""
    strings = world.strings
    v = world.places.head[b]
    while v >= 0:
        is_own = v in own
        if not is_own and strings.joint[v] >= 0:
            for c in own:
                is_own = is_own or (c >= 0 and strings.joint[c] == strings.joint[v])
        if not is_own:
            x, y = strings.xy[v]
            if _is_in(corners, x, y):
                return True
            follows = strings.before[v] in own or strings.after[v] in own
            if not follows and _is_beside(corners, closing, x, y):
                return True
        v = world.places.after[v]
    return False


@njit(cache=True, inline="always")
def _is_beyond(cross: float, dx: float, dy: float) -> bool:
    """Return whether a cross product with (dx, dy) says that a point lies beyond that side, by more than rounding."""
    return cross < 0 and cross * cross > _ON_M * _ON_M * (dx * dx + dy * dy)


@njit(cache=True, inline="always")
def _is_in(corners: NDArray[np.float64], x: float, y: float) -> bool:
    """Return whether a point lies in or on a triangle; its corners themselves do not count."""
    ax, ay = corners[0, 0] - x, corners[0, 1] - y
    bx, by = corners[1, 0] - x, corners[1, 1] - y
    cx, cy = corners[2, 0] - x, corners[2, 1] - y
    turn = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    way = 1.0 if turn > 0 else -1.0
    if (
        _is_beyond(way * (ax * by - ay * bx), bx - ax, by - ay)
        or _is_beyond(way * (bx * cy - by * cx), cx - bx, cy - by)
        or _is_beyond(way * (cx * ay - cy * ax), ax - cx, ay - cy)
    ):
        return False
    is_corner = (ax == 0 and ay == 0) or (bx == 0 and by == 0) or (cx == 0 and cy == 0)
    return not is_corner


@njit(cache=True, inline="always")
def _is_beside(corners: NDArray[np.float64], closing: int, x: float, y: float) -> bool:
    """Return whether a point is nearer to the new side than strings should come; less matters near the side's ends."""
    ax, ay = corners[(closing + 1) % 3]
    dx, dy = corners[(closing + 2) % 3, 0] - ax, corners[(closing + 2) % 3, 1] - ay
    square = dx * dx + dy * dy
    if square == 0:
        return False
    share = min(max(((x - ax) * dx + (y - ay) * dy) / square, 0.0), 1.0)
    off = _squared(ax + share * dx - x, ay + share * dy - y)
    to_end = min(_squared(ax - x, ay - y), _squared(ax + dx - x, ay + dy - y))
    return bool(off < min(APART_M * APART_M, 0.2 * 0.2 * to_end))


@njit(cache=True, inline="always")
def _squared(dx: float, dy: float) -> float:
    return dx * dx + dy * dy
