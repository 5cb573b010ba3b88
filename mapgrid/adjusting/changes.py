"""What differs between two plans of the same land, whichever of them came first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.plan import Plan


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be done to make one plan of another with the same households and as many cells.

    Attributes
    ----------
    grids, ended
        Names of grids of the new plan that are new or not as they were, and of those that are no more; ascending.
    redrawn, regrouped
        Rows of `cells` with another polygon, and with another grid or group.
    households
        Rows of `households` with another grid or group.
    """

    grids: tuple[str, ...]
    ended: tuple[str, ...]
    redrawn: NDArray[np.int64]
    regrouped: NDArray[np.int64]
    households: NDArray[np.int64]


def changes_between(before: Plan, after: Plan) -> Changes:
    """Return what differs from one plan to another: polygons to the bit, figures, groups, locks."""
    was, now = before.grids.set_index("grid"), after.grids.set_index("grid")
    both = now.index.intersection(was.index)
    one, other = was.loc[both], now.loc[both]
    same = shapely.equals_exact(one.geometry.to_numpy(), other.geometry.to_numpy(), 0.0)
    for column in ("households", "weight", "reason"):
        same &= one[column].astype(object).fillna("").eq(other[column].astype(object).fillna("")).to_numpy()
    changed = set(both[~same]) | set(now.index.difference(was.index)) | (before.locked ^ after.locked)
    return Changes(
        tuple(sorted(changed & set(now.index))),
        tuple(sorted(was.index.difference(now.index))),
        np.flatnonzero(~shapely.equals_exact(before.cells.geometry.to_numpy(), after.cells.geometry.to_numpy(), 0.0)),
        _differing(before.cells["group"].to_numpy(), after.cells["group"].to_numpy()),
        _differing(before.households["group"].to_numpy(), after.households["group"].to_numpy()),
    )


def _differing(before: NDArray[np.object_], after: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the rows with another group, and so perhaps another grid: a group's name begins with its grid's."""
    return np.flatnonzero(before.astype(object) != after.astype(object))
