"""Units in several grids of a plan that was not divided from scratch: named, with what made it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.reasons import Reason, ReasonCode
from mapgrid.partition.whole_units.units import OddUnit, units_split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mapgrid.partition.points import Points
    from mapgrid.partition.whole_units.units import Units


def tell_splits(
    units: Units,
    points: Points,
    labels: tuple[NDArray[np.int64], Sequence[str]],
    made: tuple[ReasonCode, str],
    known: tuple[Iterable[Reason], Iterable[OddUnit]] = ((), ()),
) -> tuple[list[Reason], list[OddUnit]]:
    """Return a reason and a record for each unit in several grids, and the records of units that are odd otherwise.

    Parameters
    ----------
    labels
        Grid of each point, and the names of the grids.
    made
        What made it so: the code and the words for units that no known reason speaks of.
    known
        Reasons and records of the plan before; those that are still true stay.
    """
    grid, names = labels
    before = {reason.detail.split(":")[0]: reason for reason in known[0] if reason.grid is None}
    told = {unit.name: unit for unit in known[1]}
    reasons, odd = [], []
    split = units_split(units, points.of_row, grid)
    for unit in sorted(split):
        placed = (units.of_row == unit) & (points.of_row >= 0)
        where = f"in grids {', '.join(names[label] for label in np.unique(grid[points.of_row[placed]]))}"
        start = f"unit {units.names[unit]} is {where}"
        reason = before.get(start, Reason(None, made[0], f"{start}: {made[1]}"))
        weight = int(points.weight[units.of_point == unit].sum())
        reasons.append(reason)
        odd.append(OddUnit(units.names[unit], weight, reason.detail.removeprefix(f"unit {units.names[unit]} is ")))
    whole = [unit for unit in told.values() if not unit.why.startswith("in grids ")]
    return reasons, [*whole, *odd]
