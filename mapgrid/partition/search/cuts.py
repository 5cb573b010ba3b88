"""Cuts: at most, or at least, so many centres of grids lie in a rectangle."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Intervals = tuple[NDArray[np.int64], NDArray[np.int64]]

_MOST_EDGES = 24
_WHOLE = 0.04  # a number of centres so near to a whole one is one
_BLUR = 0.5


class Cut(NamedTuple):
    """A condition on the centres of a division.

    Attributes
    ----------
    box
        Its first column and row of squares, and one behind its last ones.
    number
        How many centres.
    sign
        1 for at least so many, -1 for at most.
    """

    box: tuple[int, int, int, int]
    number: int
    sign: int


def masks_of(cuts: tuple[Cut, ...], shape: tuple[int, int]) -> Reals:
    """Return a row for each cut: 1 for the squares of its rectangle, column by column, else 0."""
    inside = np.zeros((len(cuts), *shape))
    for mask, (west, south, east, north) in zip(inside, [cut.box for cut in cuts], strict=True):
        mask[west:east, south:north] = 1.0
    return inside.reshape(len(cuts), shape[0] * shape[1])


def choose_cut(centres: Reals, shape: tuple[int, int]) -> tuple[Cut, Cut] | None:
    """Return the two cuts that part divisions where prices mix them most, None where they mix none.

    The rectangle holds a number of centres as far from a whole one as can be, with few of them near its edge.

    Parameters
    ----------
    centres
        How many centres stand in each square.
    """
    total = np.zeros((shape[0] + 1, shape[1] + 1))
    total[1:, 1:] = centres.reshape(shape).cumsum(axis=0).cumsum(axis=1)
    columns, rows = _intervals(shape[0]), _intervals(shape[1])
    held, wider, closer = [_held(total, columns, rows, margin) for margin in (0, 1, -1)]
    odd = np.abs(held - np.round(held))
    score = np.round(np.where(odd > _WHOLE, odd - _BLUR * (wider - closer), -np.inf), 6)
    at = int(np.argmax(score))
    if not np.isfinite(score.ravel()[at]):
        return None
    a, b = np.unravel_index(at, score.shape)
    box = (int(columns[0][a]), int(rows[0][b]), int(columns[1][a]), int(rows[1][b]))
    fewer = int(held[a, b])
    return Cut(box, fewer, -1), Cut(box, fewer + 1, 1)


def _intervals(extent: int) -> Intervals:
    """Return the first and one behind the last square of the intervals that are looked at."""
    edges = np.unique(np.linspace(0, extent, min(extent, _MOST_EDGES) + 1).astype(np.int64))
    first, last = np.triu_indices(len(edges), 1)
    return edges[first], edges[last]


def _held(total: Reals, columns: Intervals, rows: Intervals, margin: int) -> Reals:
    """Return the centres in each pair of intervals widened by so many squares; 0 where one is empty."""
    west, east = (np.clip(edge, 0, len(total) - 1) for edge in (columns[0] - margin, columns[1] + margin))
    south, north = (np.clip(edge, 0, total.shape[1] - 1) for edge in (rows[0] - margin, rows[1] + margin))
    east, north = np.maximum(west, east), np.maximum(south, north)
    up_to_north, up_to_south = (total[np.ix_(east, edge)] - total[np.ix_(west, edge)] for edge in (north, south))
    held: Reals = up_to_north - up_to_south
    return held
