"""Edits of a plan by hand: small values that a pure function turns into the next plan, keeping the coverage true.

Connectedness, barriers, locks and the coverage are hard: an edit that breaks one is refused and changes nothing.
A grid out of the limits is not: a planner may merge first and cut later. It carries the reason `BY_HAND`.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.adjusting import drafts
from mapgrid.adjusting.edits import Assign, Cut, Edit, Lock, Merge, Reshape, Unlock, as_record, from_record
from mapgrid.adjusting.rebuild import rebuild
from mapgrid.adjusting.sound import check_known
from mapgrid.errors import EditRefusedError, Refusal
from mapgrid.partition.entry import divide, sample_village
from mapgrid.partition.whole_units.units import units_split

if TYPE_CHECKING:
    from mapgrid.adjusting.rebuild import Draft
    from mapgrid.partition.plan import Plan
    from mapgrid.partition.reasons import Reason

__all__ = [
    "Adjusted",
    "Assign",
    "Cut",
    "Edit",
    "Lock",
    "Merge",
    "Reshape",
    "Unlock",
    "apply",
    "as_record",
    "from_record",
    "warm",
]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A plan after an edit.

    Attributes
    ----------
    plan
        The plan.
    touched
        Names of the grids that changed, new and ended ones among them; all others are as they were, to the bit.
    warnings
        Reasons of touched grids that are out of the limits.
    split_units
        Names of units that lay in one grid before and lie in several now.
    """

    plan: Plan
    touched: tuple[str, ...]
    warnings: tuple[Reason, ...] = ()
    split_units: tuple[str, ...] = ()


def apply(plan: Plan, edit: Edit) -> Adjusted:
    """Return the plan after an edit.

    Parameters
    ----------
    plan
        As `mapgrid.partition.divide` or another edit made it. Left as it is.
    edit
        What to change. Lines are in the metric CRS of the plan; households are labels of `plan.households.index`.

    Returns
    -------
    Adjusted
        With a plan whose cells and grids tile the village as before. Rows of untouched grids, cells and groups are
        identical; a new grid has the next serial, and serials of ended grids are never used again.

    Raises
    ------
    EditRefusedError
        With the code, and expected, found and hint in words.
    """
    if isinstance(edit, Lock | Unlock):
        return _locked(plan, edit)
    draft = _draft(plan, edit)
    new, touched = rebuild(plan, draft)
    warnings = tuple(reason for reason in new.reasons if reason.grid in touched)
    return Adjusted(new, touched, warnings, _split_units(plan, new))


def warm() -> None:
    """Get this process ready for edits: load their kernels, and leave all that is loaded out of garbage collections.

    For a server, once, before its first request. A full collection goes through every object of every library that is
    loaded, and one that falls into an edit takes longer than the edit.
    """
    village, households = sample_village()
    plan = divide(village, households, effort="quick")
    west, south, east, north = village.total_bounds.tolist()
    middle = (south + north) / 2 + 1.0
    cut = apply(plan, Cut(((west - 5.0, middle), (east + 5.0, middle)))).plan
    apply(cut, Merge(cut.division.names))
    gc.collect()
    gc.freeze()


def _draft(plan: Plan, edit: Assign | Cut | Merge | Reshape) -> Draft:
    match edit:
        case Assign():
            return drafts.assign(plan, edit)
        case Cut():
            return drafts.cut(plan, edit)
        case Merge():
            return drafts.merge(plan, edit)
        case Reshape():
            return drafts.reshape(plan, edit)


def _locked(plan: Plan, edit: Lock | Unlock) -> Adjusted:
    check_known(plan, [edit.grid])
    is_lock = isinstance(edit, Lock)
    if is_lock == (edit.grid in plan.locked):
        state, hint = ("locked", "nothing is to do") if is_lock else ("unlocked", "nothing is to do")
        raise EditRefusedError(Refusal.NOTHING_CHANGES, f"a grid that is not {state}", f"{edit.grid} {state}", hint)
    locked = plan.locked | {edit.grid} if is_lock else plan.locked - {edit.grid}
    return Adjusted(replace(plan, locked=locked), (edit.grid,))


def _split_units(before: Plan, after: Plan) -> tuple[str, ...]:
    """Return the units that the edit split, in the order of their names."""
    made = before.division
    if made.units is None:
        return ()
    was, now = (units_split(made.units, made.points.of_row, grid) for grid in (made.grid, after.division.grid))
    return tuple(made.units.names[unit] for unit in np.setdiff1d(now, was))
