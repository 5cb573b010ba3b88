"""The least that a grid can cost under given prices of households, wherever its centre lies in the plane.

The cost of a grid with centre c is the sum of way less price over its households, `low` to `high` of them, chosen as
cheaply as possible. Its least value over the plane is enclosed by branch and bound on squares. In a square of half side
h around c the way of a household at x is at least its tangent plane at c (a distance is convex):

    |x - c - d| >= |x - c| + u.d   with u the unit vector from x to c.

For one choice of households the sum of tangent planes is linear in d, so its least value in the square is at a corner;
so the least over all choices is the least of four choices, one for each corner. The error falls with the square of h.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Places = NDArray[np.int64]


@njit(cache=True)
def squares_across(xy: Reals, side: float) -> tuple[int, int]:
    """Return how many squares of this side the box around points is wide and high; counted up column by column."""
    west, south = xy[:, 0].min(), xy[:, 1].min()
    return int((xy[:, 0].max() - west) / side) + 1, int((xy[:, 1].max() - south) / side) + 1


@njit(cache=True)
def sort_into_squares(xy: Reals, price: Reals, side: float) -> tuple[Places, Places, Reals, tuple[int, int]]:
    """Return where the points of each square begin in the second array, the highest price in each, and the shape."""
    west, south = xy[:, 0].min(), xy[:, 1].min()
    shape = squares_across(xy, side)
    square = np.empty(len(xy), dtype=np.int64)
    begin = np.zeros(shape[0] * shape[1] + 1, dtype=np.int64)
    top = np.full(shape[0] * shape[1], -np.inf)
    for i in range(len(xy)):
        square[i] = int((xy[i, 0] - west) / side) * shape[1] + int((xy[i, 1] - south) / side)
        begin[square[i] + 1] += 1
        top[square[i]] = max(top[square[i]], price[i])
    for at in range(1, len(begin)):
        begin[at] += begin[at - 1]
    filled = begin[:-1].copy()
    listed = np.empty(len(xy), dtype=np.int64)
    for i in range(len(xy)):
        listed[filled[square[i]]] = i
        filled[square[i]] += 1
    return begin, listed, top, shape


@njit(cache=True)
def least_cost(value: Reals, weight: Reals, size: int, limits: tuple[float, float]) -> float:
    """Return the least sum of the first values for a load within the limits; a point may be taken in part."""
    load, cost = 0.0, 0.0
    for at in np.argsort(value[:size]):
        if load >= limits[1] or (load >= limits[0] and value[at] >= 0):
            break
        part = min(weight[at], (limits[0] if value[at] >= 0 else limits[1]) - load)
        cost += part * value[at]
        load += part
    return cost


@njit(cache=True)
def collect(
    centre: tuple[float, float],
    reach: float,
    side: float,
    points: tuple[Reals, Reals, Reals],
    squares: tuple[Places, Places, Reals, tuple[int, int]],
    found: Places,
) -> tuple[int, float]:
    """List the points whose way less price is below `reach`; return how many there are and their load."""
    xy, weight, price = points
    begin, listed, top, shape = squares
    west, south = xy[:, 0].min(), xy[:, 1].min()
    rings = int((reach + top.max()) / side) + 1
    column, row = int(np.floor((centre[0] - west) / side)), int(np.floor((centre[1] - south) / side))
    size, load = 0, 0.0
    for a in range(max(column - rings, 0), min(column + rings, shape[0] - 1) + 1):
        for b in range(max(row - rings, 0), min(row + rings, shape[1] - 1) + 1):
            dx = max(west + a * side - centre[0], centre[0] - west - (a + 1) * side, 0.0)
            dy = max(south + b * side - centre[1], centre[1] - south - (b + 1) * side, 0.0)
            if np.sqrt(dx * dx + dy * dy) >= reach + top[a * shape[1] + b]:
                continue
            for i in listed[begin[a * shape[1] + b] : begin[a * shape[1] + b + 1]]:
                away = np.sqrt((xy[i, 0] - centre[0]) ** 2 + (xy[i, 1] - centre[1]) ** 2)
                if away < reach + price[i]:
                    found[size] = i
                    size += 1
                    load += weight[i]
    return size, load


@njit(cache=True)
def _in_square(
    centre: tuple[float, float, float],
    side: float,
    points: tuple[Reals, Reals, Reals],
    squares: tuple[Places, Places, Reals, tuple[int, int]],
    limits: tuple[float, float],
    room: tuple[Places, Reals],
) -> tuple[float, float]:
    """Return a bound on the cost of a grid whose centre lies in a square (x, y, half side), and its cost at the middle.

    Points enough for the least load have values below `enough` in the middle, so below `enough` and one way to a corner
    anywhere in the square; what is not listed is above that everywhere, and above 0, so could not be chosen.
    """
    xy, weight, price = points
    found, table = room
    x, y, half = centre
    corner_m, enough = half * 1.4143, 0.0  # a little more than the square root of two: how far a corner is away
    size, load = collect((x, y), enough, side, points, squares, found)
    while load < limits[0] and size < len(xy):
        enough = 2 * enough + side
        size, load = collect((x, y), enough, side, points, squares, found)
    size, _ = collect((x, y), enough + 2 * corner_m, side, points, squares, found)
    for at in range(size):
        i = found[at]
        dx, dy = x - xy[i, 0], y - xy[i, 1]
        away = np.sqrt(dx * dx + dy * dy)
        table[0, at] = away - price[i]
        table[1, at] = dx / away if away > 0 else 0.0
        table[2, at] = dy / away if away > 0 else 0.0
        table[3, at] = weight[i]
    bound = np.inf
    for corner in range(4):
        sx, sy = (half if corner % 2 else -half), (half if corner < 2 else -half)
        for at in range(size):
            table[4, at] = table[0, at] + table[1, at] * sx + table[2, at] * sy
        bound = min(bound, least_cost(table[4], table[3], size, limits))
    return bound, least_cost(table[0], table[3], size, limits)


@njit(cache=True, nogil=True)
def least_over_plane(
    xy: Reals,
    weight: Reals,
    price: Reals,
    limits: tuple[float, float],
    guess: float,
    tolerance: float,
    side: float,
    reward: Reals,
) -> tuple[float, Reals]:
    """Return a value that no grid's cost is below, wherever its centre, and cheaper centres than guessed that were met.

    Parameters
    ----------
    xy, weight, price
        Of the points: metres, households, and what each household pays (metres).
    limits
        Least and most households of a grid.
    guess
        A cost that some grid has, as low as possible.
    tolerance
        By how much the value may be below the true least.
    side
        Of the squares to begin with, metres. Centres outside the box around the points need not be looked at: a point
        of the box is nearer to all of them.
    reward
        By how much a grid is cheaper whose centre lies in each of these squares, as `squares_across` counts them.
    """
    points = (xy, weight, price)
    squares = sort_into_squares(xy, price, side)
    room = (np.empty(len(xy), dtype=np.int64), np.empty((5, len(xy))))
    west, south = xy[:, 0].min(), xy[:, 1].min()
    stack = np.empty((256, 3))
    cheap = np.empty((_MOST_CHEAP, 2))
    met, floor = 0, guess - tolerance
    for number in range(squares[3][0] * squares[3][1]):
        column, row = number // squares[3][1], number % squares[3][1]
        stack[0] = west + (column + 0.5) * side, south + (row + 0.5) * side, side / 2
        depth = 1
        while depth > 0:
            depth -= 1
            x, y, half = stack[depth]
            bound, cost = _in_square((x, y, half), side, points, squares, limits, room)
            bound, cost = bound - reward[number], cost - reward[number]
            if bound >= floor:
                continue
            if cost < guess and met < _MOST_CHEAP and half <= side / 4:
                cheap[met] = x, y
                met += 1
            floor = min(floor, cost - tolerance)
            for corner in range(4):
                sx, sy = (half / 2 if corner % 2 else -half / 2), (half / 2 if corner < 2 else -half / 2)
                stack[depth] = x + sx, y + sy, half / 2
                depth += 1
    return floor, cheap[:met].copy()


_MOST_CHEAP = 5000
