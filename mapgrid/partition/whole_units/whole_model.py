"""The exact model of one region: atoms, their connected unions within limits, what each costs, the best choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.reasons import count_near_target, counts_that_fit
from mapgrid.partition.search.presets import choose_effort
from mapgrid.partition.search.solve import split
from mapgrid.partition.whole_units.atoms import Atoms, build_atoms
from mapgrid.partition.whole_units.columns import Figures, connected_unions
from mapgrid.partition.whole_units.exact import Choice, Columns, StoppedError, choose
from mapgrid.partition.whole_units.task import Task, Whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

SETS_PER_CELL, MOST_SETS = 60, 2_000_000
"""Sets of atoms looked at, for each cell that an effort starts from, and at most; smaller units than this allows are
left to the free division."""

PART_SIZES = (10, 15, 20, 30)
"""Households of the parts that broken units and land in no unit are cut into; the first that `MOST_SETS` allows."""

_SCALE = 1.2  # the way of a good division, as a multiple of the least way that each atom can have on its own
_WALLED_PAIR = 2.0
_BEYOND = 4.0
_TOO_FAR = 10.0  # a household farther than wished for, against one mean way per grid: hardly any way makes up for it


def sets_for(task: Task) -> int:
    """Return how many sets of atoms are looked at."""
    return min(MOST_SETS, SETS_PER_CELL * task.effort.cells)


class Model:
    """The exact model of a region with some atoms in parts.

    Attributes
    ----------
    complete
        Whether all sets of atoms were looked at.
    """

    def __init__(
        self, task: Task, atoms: Atoms, which: tuple[NDArray[np.bool_], NDArray[np.bool_]], size: int, *, beyond: bool
    ) -> None:
        self._task, self._whole = task, atoms
        self._loose, self._alone = which
        low, high, target = task.limits
        self._wished = (count_near_target(int(task.graph.weight.sum()), low, high, target) or [0])[0]
        self._wished = self._wished or max(1, -(-int(task.graph.weight.sum()) // high))
        self._beyond = beyond
        part = self._parts(size)
        self.atoms = build_atoms(task.graph, part, task.unit)
        first = np.unique(self.atoms.of_cell, return_index=True)[1]
        self.first_atom = atoms.of_cell[first]
        reach = (1, 2 * high) if beyond else (low, high)
        self._unions = connected_unions(self.atoms.net, self.atoms.cells.weight, reach, sets_for(task))
        self.complete = bool(self._unions[2])

    def _parts(self, size: int) -> NDArray[np.int64]:
        """Return numbers that tell parts of loose atoms, and all other atoms, apart."""
        part = self._whole.of_cell.copy()
        made = len(self._whole)
        for atom in np.flatnonzero(self._loose & ~self._alone & (self._whole.cells.weight > size)):
            cells = np.flatnonzero(self._whole.of_cell == atom)
            limits = (max(1, size // 2), size + size // 2, size)
            quick = choose_effort("quick")
            label, _ = split(self._task.graph.part(cells), limits, self._task.wishes, quick, self._task.seed)
            part[cells] = made + label
            made += int(label.max()) + 1
        return part

    def solve(self) -> Whole | None:
        """Return the best division, or None when there is none."""
        members, offsets, _ = self._unions
        if not len(offsets) - 1:
            return None
        figures = self._task.measure(self.atoms, (members, offsets))
        self._set_scale(members, offsets, figures)
        work = np.add.reduceat(self.atoms.work[members], offsets[:-1])
        cost = self._costs(figures, work) - self._worth(members, offsets)
        columns = Columns(members, offsets, cost, np.ones(len(cost), dtype=np.int64))
        columns, alone = self._with_alone(columns)
        try:
            choice = choose(columns, len(self.atoms), self._wished)
        except StoppedError:
            return None
        return None if choice is None else Whole(self._labels(columns, choice, alone), choice.proved)

    def uncovered(self) -> NDArray[np.int64]:
        """Return the atoms that are left out when the fewest households are."""
        members, offsets, _ = self._unions
        count = len(self.atoms)
        made = len(offsets) - 1
        columns = Columns(
            np.concatenate([members, np.arange(count)]),
            np.concatenate([offsets, offsets[-1] + np.arange(1, count + 1)]),
            np.concatenate([np.zeros(made), self.atoms.cells.weight.astype(float)]),
            np.zeros(made + count, dtype=np.int64),
        )
        choice = choose(columns, count, 0)
        assert choice is not None  # noqa: S101  every atom may be left out
        return choice.columns[choice.columns >= made] - made

    def _set_scale(self, members: NDArray[np.int64], offsets: NDArray[np.int64], figures: Figures) -> None:
        """Note the way of one household in a good division, from the best that each atom can have."""
        load, way = figures.load, figures.way
        least = np.full(len(self.atoms), np.inf)
        np.minimum.at(least, members, np.repeat(way / load, np.diff(offsets)))
        weight = self.atoms.cells.weight
        found = np.isfinite(least)
        self._scale_m = _SCALE * float((least[found] * weight[found]).sum()) or 1.0

    def _costs(self, figures: Figures, work: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each union costs as a grid: prices as in the free division, against one mean way per grid."""
        load, way, compact, walled, far = figures
        wishes, (low, high, _) = self._task.wishes, self._task.limits
        mean = float(self.atoms.work.sum()) / self._wished
        cost = np.asarray(way * self._wished / self._scale_m, dtype=np.float64)
        cost += wishes.compact * (1 - compact) + wishes.even * (work / mean - 1) ** 2 + _WALLED_PAIR * walled
        cost += _TOO_FAR * far
        if self._beyond:
            cost += _BEYOND * (np.maximum(0, low - load) + np.maximum(0, load - high))
        return cost

    def _worth(self, members: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each union is worth for holding all atoms of a unit of several: more than any way."""
        unit = self.atoms.unit
        over = np.union1d(self._whole.unit[self._whole.cells.weight > self._task.limits[1]], self._task.elsewhere)
        atoms_of = np.bincount(unit[unit >= 0], minlength=int(unit.max()) + 1)
        column = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        several = (unit[members] >= 0) & (atoms_of[unit[members]] > 1) & ~np.isin(unit[members], over)
        key, held = np.unique(column[several] * len(atoms_of) + unit[members][several], return_counts=True)
        is_whole = held == atoms_of[key % len(atoms_of)]
        wholes = np.bincount(key[is_whole] // len(atoms_of), minlength=len(offsets) - 1)
        most = 10.0 * self._wished
        if self._task.wishes.farthest_m < np.inf:
            most += 2 * _TOO_FAR * float(self.atoms.cells.weight.sum())
        return np.asarray(wholes * most, dtype=np.float64)

    def _with_alone(self, columns: Columns) -> tuple[Columns, list[tuple[NDArray[np.int64], NDArray[np.int64]]]]:
        """Return the columns and one more for each loose atom that fits whole grids by itself, with their cells."""
        low, high, _ = self._task.limits
        alone, members, costs, grids = [], [columns.members], [columns.cost], [columns.grids]
        for atom in np.flatnonzero(self._loose & (self._whole.cells.weight > high)):
            if not counts_that_fit(int(self._whole.cells.weight[atom]), low, high):
                continue
            cells = np.flatnonzero(self._whole.of_cell == atom)
            label, beyond = self._task.split(cells)
            if beyond:
                continue
            made = build_atoms(self._task.graph.part(cells), label, np.zeros(len(cells), dtype=np.int64))
            each = np.arange(len(made) + 1)
            figures = self._task.measure(made, (each[:-1], each), cells)
            members.append(np.unique(self.atoms.of_cell[cells]))
            costs.append(np.array([self._costs(figures, made.work).sum()]))
            grids.append(np.array([len(made)]))
            alone.append((cells, label))
        sizes = [np.diff(columns.offsets), np.array([len(one) for one in members[1:]], dtype=np.int64)]
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64)
        return Columns(np.concatenate(members), offsets, np.concatenate(costs), np.concatenate(grids)), alone

    def _labels(
        self, columns: Columns, choice: Choice, alone: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    ) -> NDArray[np.int64]:
        """Return the grid of each cell."""
        plain = len(columns) - len(alone)
        unions, others = choice.columns[choice.columns < plain], choice.columns[choice.columns >= plain]
        chosen = columns.some(unions)
        grid = np.zeros(len(self.atoms), dtype=np.int64)
        grid[chosen.members] = np.repeat(np.arange(len(chosen)), np.diff(chosen.offsets))
        label, made = grid[self.atoms.of_cell], len(chosen)
        for column in others:
            cells, inner = alone[column - plain]
            label[cells] = made + inner
            made += int(inner.max()) + 1
        return label
