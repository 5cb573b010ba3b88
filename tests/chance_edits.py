"""Edits of a plan drawn by chance."""

import numpy as np

from mapgrid.adjust import Assign, Cut, Merge, Reshape
from mapgrid.outlines import neighbours_of


def edits_of(plan, rng, count):
    """Draw edits by chance: neighbours merged, households at borders moved, lines across."""
    made, near = plan.division, neighbours_of(plan.grids, "grid")
    names = sorted(near)
    for number in range(count):
        one = names[rng.integers(len(names))]
        other = sorted(near[one])[rng.integers(len(near[one]))]
        shape = plan.grids.set_index("grid").geometry[one]
        middle = np.array(shape.centroid.coords[0])
        way = rng.normal(size=2)
        way *= 0.7 * np.hypot(*(np.array(shape.bounds[2:]) - shape.bounds[:2])) / np.hypot(*way)
        line = (tuple(middle - way), tuple(middle + rng.normal(size=2) * 5), tuple(middle + way))
        pairs = made.land.pairs[np.isin(made.grid[made.land.pairs], [made.names.index(one)]).sum(axis=1) == 1]
        cell = int(pairs[rng.integers(len(pairs))][rng.integers(2)])
        household = int(plan.households.index[np.flatnonzero(made.points.of_row == cell)[0]])
        yield [
            Merge((one, other)),
            Assign((household,), one),
            Assign((household,)),
            Cut(line, (one,)),
            Cut(line),
            Reshape((one, other), line),
        ][number % 6]
