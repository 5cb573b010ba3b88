"""Bundles of arrays as the compiled kernels take them.

Few and wide arrays: each one that a kernel is handed costs at every call, and what lies in one row is fetched at once.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CELL, TOUCH = 0, 1
"""Columns of `Net.links`."""

OPENING, WALL = 2, 3
"""`Touch.OPENING` and `Touch.WALL` as numbers: below WALL there is a way."""


class Net(NamedTuple):
    """Neighbours of cell i: `links[start[i]:start[i + 1]]`, each a cell and how it touches; `border` beside them.

    `border` is the shared border in metres times its price: a border along a preferred line counts for less.
    """

    start: NDArray[np.int64]
    links: NDArray[np.int32]
    border: NDArray[np.float64]


FROZEN = -2.0
"""A cell whose BASE is FROZEN or less keeps its grid."""

X, Y, WEIGHT, WORK, STRETCH, LAND, OUTLINE, BASE = range(8)
"""Columns of the table of cells, one row of 64 bytes each: what is looked up together lies together.

Point (m), households, workload, what a metre from this cell counts for (1, or the way along roads over the straight
way), land (m2), outline (m, priced like `Net.border`), the grid the cell had before (-1 for none, FROZEN - grid when it
must stay there).
"""

LOAD, CELLS, EFFORT, MOMENT_X, MOMENT_Y, CENTRE_X, CENTRE_Y, PULL_X, PULL_Y, AREA, EDGE = range(11)
"""Columns of the table of grids.

Households, cells, workload, moments (households × metres), centre (m), pull (sum of the unit vectors from the centre to
the households), land (m2), outline (m).
"""


class Prices(NamedTuple):
    """Energy per unit of each fault of a division.

    Attributes
    ----------
    metre
        Per household and metre to its centre.
    compact
        Per unit of Polsby–Popper of a grid (a gain).
    pair
        Per two neighbouring cells of one grid with a barrier between them.
    beyond
        Per household over the most or under the least.
    even
        Per squared workload off the mean.
    far, farthest_m
        Per household farther from its centre than this, and once more per share of the excess.
    moved
        Per household that is not in the grid it had before.
    """

    metre: float
    compact: float
    pair: float
    beyond: float
    even: float
    far: float = 0.0
    farthest_m: float = np.inf
    moved: float = 0.0


class Model(NamedTuple):
    """One region with what is wanted of it; `limits` are the least and the most households of a grid."""

    net: Net
    cells: NDArray[np.float64]
    limits: tuple[float, float]
    prices: Prices
