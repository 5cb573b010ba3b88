"""Divide a region into grids of whole units, exactly; where that cannot be, break the fewest units.

Atoms (connected parts of units) are combined by the exact model. Units over the maximum, and land in no unit, are cut
into parts of ten households or more by the free division; the parts are recombined like atoms. When there is no
division, a relaxation says how many units at least must be broken and names some; these and those beside them are cut
into parts too, with a price on every unit that does not stay whole which no shorter way makes up for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.cells.land import Touch
from mapgrid.partition.reasons import counts_that_fit
from mapgrid.partition.search.solve import split
from mapgrid.partition.whole_units.atoms import Atoms, build_atoms, contract
from mapgrid.partition.whole_units.columns import connected_unions
from mapgrid.partition.whole_units.fewest import NONE_BROKEN, Fewest, fewest_broken
from mapgrid.partition.whole_units.task import Task, Whole
from mapgrid.partition.whole_units.whole_model import PART_SIZES, Model, sets_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOOSE_FOR_SIZE = (150, 400, 1000)  # households to cut above which parts are made larger
_NEAR = 3  # how many rounds of neighbours may be broken


def divide_by_units(task: Task) -> Whole:
    """Return a division of a connected region that breaks no unit that need not be broken."""
    low, high, _ = task.limits
    total = int(task.graph.weight.sum())
    if total < low or not (task.unit >= 0).any():
        return Whole(task.split(np.arange(len(task.unit)))[0], proved=total < low)
    atoms = build_atoms(task.graph, task.graph.components(task.unit, (Touch.OPEN,)), task.unit)
    over = atoms.cells.weight > high
    loose = over | (atoms.unit < 0)
    if not counts_that_fit(total, low, high):
        near = _attempt(task, atoms, loose, beyond=True) or _free(task, atoms, loose)
        return replace(near, proved=near.proved and not _broken(task, atoms, near.label))
    # A broken unit is divided by itself, without households of other units, where the others can do without it.
    fits = [len(counts_that_fit(int(weight), low, high)) > 0 for weight in atoms.cells.weight]
    alone = over & np.array(fits) & (atoms.unit >= 0)
    found = _attempt(task, atoms, loose, alone=alone) if alone.any() else None
    found = found or _attempt(task, atoms, loose)
    return _break_fewest(task, atoms, loose, found) or _free(task, atoms, loose)


def _attempt(
    task: Task, atoms: Atoms, loose: NDArray[np.bool_], *, alone: NDArray[np.bool_] | None = None, beyond: bool = False
) -> Whole | None:
    """Return the best division into atoms, with the loose ones in parts; None when there is none or too many sets.

    Those that are `alone` are divided by themselves, and take no part in what is combined.
    """
    held = int(atoms.cells.weight[loose].sum())
    for size in PART_SIZES[int(np.searchsorted(_LOOSE_FOR_SIZE, held)) :]:
        model = Model(task, atoms, (loose, np.zeros_like(loose) if alone is None else alone), size, beyond=beyond)
        if model.complete:
            return model.solve()
        if not loose.any():
            break
    return None


def _break_fewest(task: Task, atoms: Atoms, loose: NDArray[np.bool_], found: Whole | None) -> Whole | None:
    """Return the division found, or another that breaks fewer units; None when there is neither.

    That no division breaks fewer is proved where a bound says so. The units that the bound breaks, and those beside
    them, are cut into parts first; where that leads to no division, those near atoms that cannot be covered.
    """
    if found is not None and not _broken(task, atoms, found.label):
        return found
    fewest = _fewest(task, atoms, loose)
    hinted = np.isin(atoms.unit, fewest.units)
    for near in (hinted | _beside(atoms, hinted), hinted):
        if near.any() and (found is None or _broken(task, atoms, found.label) > fewest.at_least):
            tried = _attempt(task, atoms, loose | near)
            ways = [way for way in (found, tried) if way is not None]
            found = min(ways, key=lambda way: _broken(task, atoms, way.label), default=None)
    found = found or _break_near(task, atoms, loose)
    if found is None:
        return None
    return replace(found, proved=found.proved and _broken(task, atoms, found.label) <= fewest.at_least)


def _break_near(task: Task, atoms: Atoms, loose: NDArray[np.bool_]) -> Whole | None:
    """Return a division with units near those that cannot be covered in parts, as few rounds away as will do."""
    near = _uncovered(task, atoms, loose)
    if near is None:
        return None
    for _ in range(_NEAR):
        near = near | _beside(atoms, near)
        found = _attempt(task, atoms, loose | near)
        if found is not None:
            return found
    return None


def _fewest(task: Task, atoms: Atoms, loose: NDArray[np.bool_]) -> Fewest:
    """Return how many of the units that could be whole every division breaks at least."""
    low, high, _ = task.limits
    members, offsets, is_all = connected_unions(atoms.net, atoms.cells.weight, (low, high), sets_for(task))
    if not is_all:
        return NONE_BROKEN
    return fewest_broken(atoms, (members, offsets), loose | np.isin(atoms.unit, _in_parts(task, atoms)), (low, high))


def _in_parts(task: Task, atoms: Atoms) -> NDArray[np.int64]:
    """Return the units that are in several grids whatever is done: over the maximum, or with other regions too."""
    return np.union1d(atoms.unit[atoms.cells.weight > task.limits[1]], task.elsewhere)


def _uncovered(task: Task, atoms: Atoms, loose: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Return the atoms that a division which leaves the fewest households without a grid leaves out."""
    model = Model(task, atoms, (loose, np.zeros_like(loose)), PART_SIZES[-1], beyond=False)
    if not model.complete:
        return None
    left_out = np.zeros(len(atoms), dtype=bool)
    left_out[np.unique(model.first_atom[model.uncovered()])] = True
    return left_out


def _beside(atoms: Atoms, which: NDArray[np.bool_]) -> NDArray[np.bool_]:
    one = np.repeat(np.arange(len(atoms)), np.diff(atoms.net.start))
    beside = np.zeros(len(atoms), dtype=bool)
    beside[atoms.net.neighbour[which[one] & atoms.net.is_way]] = True
    return beside


def _broken(task: Task, atoms: Atoms, label: NDArray[np.int64]) -> int:
    """Return how many units are in several grids that need not be."""
    pairs = np.unique(np.stack([task.unit, label], axis=1)[task.unit >= 0], axis=0)
    unit, grids = np.unique(pairs[:, 0], return_counts=True)
    return int((~np.isin(unit[grids > 1], _in_parts(task, atoms))).sum())


def _free(task: Task, atoms: Atoms, loose: NDArray[np.bool_]) -> Whole:
    """Return a free division of atoms and the single cells of loose ones; of all cells if that misses the limits."""
    node = np.where(loose[atoms.of_cell], len(atoms) + np.arange(len(atoms.of_cell)), atoms.of_cell)
    small, of_cell = contract(task.graph, node, task.unit)
    label, beyond = split(small, task.limits, task.wishes, task.effort, task.seed)
    label = label[of_cell]
    if beyond:
        other, other_beyond = task.split(np.arange(len(task.unit)))
        if other_beyond < beyond:
            label = other
    return Whole(label, proved=False)
