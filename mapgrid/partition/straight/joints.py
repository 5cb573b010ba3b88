"""Joints of strings slide: forks along one of their strings, ends along the shore, until the whole net is settled."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.straight.ledger import count_up, gain_by_slide, note_slide
from mapgrid.partition.straight.tighten import pull, take_out
from mapgrid.partition.straight.world import World, bucket_at, length_m, loosen, put, swept

_FORK, _SHORE = 1, 2
"""`Joint.FORK` and `Joint.SHORE` as numbers."""

_GAIN_M = 0.2
_NEAREST_M = 0.5
"""Two joints do not come nearer to each other along a string."""

_TRIES = 4
_SHORE_TRIES = 8
_ROUNDER = 3e-6
"""What the sum of Polsby and Popper's measure of two grids must gain by a metre of slide along the shore."""

_SWEEPS = 40


@njit(cache=True)
def next_to(world: World, v: int) -> int:
    """Return the neighbour of a vertex at the end of its string."""
    strings = world.strings
    return int(strings.after[v] if strings.before[v] < 0 else strings.before[v])


@njit(cache=True)
def move_joint(world: World, j: int) -> bool:
    """Slide a joint to where its strings are shorter; return whether it moved."""
    world.joints.slack[j] = False
    if world.joints.kind[j] == _FORK:
        return _slide_fork(world, j)
    if world.joints.kind[j] == _SHORE:
        return _slide_to_rounder(world, j) if world.ledger.decides else _slide_nearer(world, j)
    return False


@njit(cache=True)
def _slide_fork(world: World, j: int) -> bool:
    """Slide a fork along the string that pulls most.

    The two other strings sweep a triangle each, between the piece of string that the fork slides over and their own
    first piece: the same argument as for a vertex holds.
    """
    strings, end = world.strings, world.joints.end[j]
    here = strings.xy[end[0]].copy()
    to = np.empty((3, 2))
    for k in range(3):
        to[k] = strings.xy[next_to(world, end[k])]
    pull = _pulls(here, to)
    for _ in range(3):
        k = int(pull.argmax())
        if pull[k] < 1e-3:
            return False
        if _slide_over(world, j, k, here, to):
            return True
        pull[k] = -1.0
    return False


@njit(cache=True)
def _pulls(here: NDArray[np.float64], to: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the strings shorten per metre that the fork slides along each of them."""
    way = to - here
    for k in range(len(to)):
        way[k] /= max(np.hypot(way[k, 0], way[k, 1]), 1e-9)
    total = way.sum(axis=0)
    pulls: NDArray[np.float64] = way[:, 0] * total[0] + way[:, 1] * total[1]
    return pulls


@njit(cache=True)
def _slide_over(world: World, j: int, k: int, here: NDArray[np.float64], to: NDArray[np.float64]) -> bool:
    strings, end = world.strings, world.joints.end[j]
    n = next_to(world, end[k])
    length = length_m(here, to[k])
    may_reach = strings.joint[n] < 0 and strings.held[n] == 0
    most = length if may_reach else min(0.98 * length, length - _NEAREST_M)
    if most <= 0:
        return False
    one, other = (k + 1) % 3, (k + 2) % 3
    unit = (to[k] - here) / length
    step = _best_step(here, unit, to[one], to[other], most)
    for _ in range(_TRIES):
        at = here + step * unit if step < length else to[k].copy()
        gain = step + _shorter(here, at, to[one]) + _shorter(here, at, to[other])
        if gain < _GAIN_M:
            return False
        if _is_free(world, (end[one], next_to(world, end[one]), n), here, at, to[one]) and _is_free(
            world, (end[other], next_to(world, end[other]), n), here, at, to[other]
        ):
            if step >= length:
                take_out(world, n)
            for e in end:
                put(world, e, at[0], at[1])
                loosen(world, next_to(world, e))
            world.joints.slack[j] = True
            return True
        step /= 2
    return False


@njit(cache=True, inline="always")
def _shorter(here: NDArray[np.float64], at: NDArray[np.float64], to: NDArray[np.float64]) -> float:
    return length_m(here, to) - length_m(at, to)


@njit(cache=True)
def _best_step(
    here: NDArray[np.float64],
    unit: NDArray[np.float64],
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    most: float,
) -> float:
    """Return the step along a string after which the three are shortest; their length is convex in it."""
    low, high = 0.0, most
    for _ in range(40):
        middle = (low + high) / 2
        at = here + middle * unit
        to_one, to_other = one - at, other - at
        slope = -1.0
        slope -= (to_one[0] * unit[0] + to_one[1] * unit[1]) / max(np.hypot(to_one[0], to_one[1]), 1e-9)
        slope -= (to_other[0] * unit[0] + to_other[1] * unit[1]) / max(np.hypot(to_other[0], to_other[1]), 1e-9)
        if slope < 0:
            low = middle
        else:
            high = middle
    return most if most - low < 1e-6 else low


@njit(cache=True)
def _is_free(
    world: World, own: tuple[int, int, int], here: NDArray[np.float64], at: NDArray[np.float64], to: NDArray[np.float64]
) -> bool:
    corners = np.empty((3, 2))
    corners[0], corners[1], corners[2] = at, here, to
    count, is_blocked = swept(world, corners, own, 1)
    return count == 0 and not is_blocked


@njit(cache=True)
def _slide_nearer(world: World, j: int) -> bool:
    """Slide the end of a string along the edge of the shore that brings it nearer to the vertex before it."""
    joints, strings = world.joints, world.strings
    e = joints.end[j, 0]
    n = next_to(world, e)
    here, to = strings.xy[e].copy(), strings.xy[n].copy()
    for side in range(2):
        corner = joints.shore[j, side]
        if corner < 0:
            continue
        edge = world.shore.xy[corner] - here
        length = max(np.hypot(edge[0], edge[1]), 1e-9)
        foot = ((to[0] - here[0]) * edge[0] + (to[1] - here[1]) * edge[1]) / length
        if foot <= 0:
            continue
        reaches = foot >= length and world.shore.beside[corner, 0] >= 0
        step = length if reaches else min(foot, 0.98 * length)
        for _ in range(_TRIES):
            at = world.shore.xy[corner].copy() if reaches else here + (step / length) * edge
            if _shorter(here, at, to) < _GAIN_M and not (reaches and length < 0.1):
                break
            if _is_free(world, (e, n, n), here, at, to) and not _is_taken(world, at, j):
                put(world, e, at[0], at[1])
                loosen(world, n)
                joints.slack[j] = True
                _note_shore(world, j, corner, reaches)
                return True
            reaches = False
            step /= 2
    return False


@njit(cache=True)
def _slide_to_rounder(world: World, j: int) -> bool:
    """Slide the end of a string along an edge of the shore, if the two grids beside it become rounder."""
    joints, strings = world.joints, world.strings
    e = joints.end[j, 0]
    n = next_to(world, e)
    here, to = strings.xy[e].copy(), strings.xy[n].copy()
    for side in range(2):
        corner = joints.shore[j, side]
        if corner < 0:
            continue
        edge = world.shore.xy[corner] - here
        length = max(np.hypot(edge[0], edge[1]), 1e-9)
        reaches = world.shore.beside[corner, 0] >= 0
        step = length if reaches else 0.98 * length
        for _ in range(_SHORE_TRIES):
            at = world.shore.xy[corner].copy() if reaches else here + (step / length) * edge
            if (
                gain_by_slide(world, e, at, step) > _ROUNDER * step
                and _is_free(world, (e, n, n), here, at, to)
                and not _is_taken(world, at, j)
            ):
                note_slide(world, e, at, step)
                put(world, e, at[0], at[1])
                loosen(world, n)
                joints.slack[j] = True
                _note_shore(world, j, corner, reaches)
                return True
            reaches = False
            step /= 2
    return False


@njit(cache=True)
def _note_shore(world: World, j: int, corner: int, reaches: bool) -> None:  # noqa: FBT001
    """Note between which nodes of the shore a joint stands after a slide towards one of them."""
    joints = world.joints
    if reaches:
        joints.at[j] = corner
        joints.shore[j] = world.shore.beside[corner]
    elif joints.at[j] >= 0:
        joints.shore[j, 0], joints.shore[j, 1] = joints.at[j], corner
        joints.at[j] = -1


@njit(cache=True)
def _is_taken(world: World, at: NDArray[np.float64], j: int) -> bool:
    """Return whether another string's end stands at a place of the shore, or next to it."""
    strings, frame = world.strings, world.frame
    b = bucket_at(frame, at[0], at[1])
    for step in range(9):
        near = b + (step // 3 - 1) * frame.columns + step % 3 - 1
        v = world.places.head[near] if 0 <= near < len(world.places.head) else -1
        while v >= 0:
            if strings.joint[v] >= 0 and strings.joint[v] != j and length_m(strings.xy[v], at) < _NEAREST_M:
                return True
            v = world.places.after[v]
    return False


def settle(world: World, *, may_bend: bool) -> None:
    """Pull strings and slide joints in turn until nothing moves, or often enough."""
    for _ in range(_SWEEPS):
        if _sweep(world, may_bend) == (0, 0):
            return


@njit(cache=True)
def _sweep(world: World, may_bend: bool) -> tuple[int, int]:  # noqa: FBT001
    """Pull every string that is slack and slide every joint once; return how many vertices and joints moved."""
    strings = world.strings
    count_up(world)
    pulled, slid = 0, 0
    v = 0
    while v < strings.used[0]:
        if strings.slack[v] and strings.before[v] >= 0 and strings.after[v] >= 0 and pull(world, v, may_bend):
            pulled += 1
        v += 1
    for j in range(len(world.joints.kind)):
        if world.joints.slack[j] and move_joint(world, j):
            slid += 1
    return pulled, slid
