"""Bundles of arrays as the compiled kernels take them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

OPENING, WALL = 2, 3
"""`Touch.OPENING` and `Touch.WALL` as numbers: below WALL there is a way."""


class Net(NamedTuple):
    """Neighbours of cell i: `neighbour[start[i]:start[i + 1]]`, with shared border (m) and `Touch` beside each."""

    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    border: NDArray[np.float64]
    touch: NDArray[np.int64]


class Cells(NamedTuple):
    """Point (m), households, land (m2) and outline (m) of each cell."""

    xy: NDArray[np.float64]
    weight: NDArray[np.int64]
    land: NDArray[np.float64]
    outline: NDArray[np.float64]


class Tally(NamedTuple):
    """Households, cells, moments (households × metres), land and outline of each grid."""

    load: NDArray[np.int64]
    cells: NDArray[np.int64]
    moment: NDArray[np.float64]
    land: NDArray[np.float64]
    outline: NDArray[np.float64]


class Prices(NamedTuple):
    """Energy per metre of distance, unit of Polsby–Popper, barrier pair, household beyond, squared load off mean."""

    metre: float
    compact: float
    pair: float
    beyond: float
    even: float
