"""Fewest units that any division can break, as a bound: a relaxation whose answer no division is below.

A broken unit gives any of its households to any grid beside it. So a division is, at the least: some unions of whole
atoms within the limits, and atoms left to grids that hold a part of a broken unit. Such a grid reaches from that part
over whole atoms only as far as its households allow, which is the reach of the unit. Hence every atom is either in one
of the unions, or within reach of a unit that is broken; a unit of several atoms has them all in one union, or all left
out, or is broken; and what is left out fits some number of grids. The fewest broken units of which that is true are
found by HiGHS (Huangfu, Hall 2018); its bound is the proof.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import block_array, coo_array, csc_array, csr_array, eye_array, vstack
from scipy.sparse.csgraph import dijkstra

from mapgrid.partition.whole_units.exact import new_solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.whole_units.atoms import Atoms

_MOST_ATOMS = 1_500
_MOST_NODES = 2_000
_NEARLY = 1e-4


@dataclass(frozen=True, slots=True)
class Fewest:
    """A bound on broken units.

    Attributes
    ----------
    at_least
        No division breaks fewer, of those that it costs to break.
    units
        The units that the relaxation breaks, ascending; where a division breaks no others, it breaks the fewest.
    """

    at_least: int
    units: NDArray[np.int64]


NONE_BROKEN = Fewest(0, np.empty(0, dtype=np.int64))


def fewest_broken(
    atoms: Atoms,
    unions: tuple[NDArray[np.int64], NDArray[np.int64]],
    is_free: NDArray[np.bool_],
    limits: tuple[int, int],
) -> Fewest:
    """Return how many units at least every division within limits breaks.

    Parameters
    ----------
    atoms
        Of a region.
    unions
        Atoms of every connected union within the limits, and offsets.
    is_free
        (a,) atoms that may be divided at no cost.
    limits
        Least and most households of a grid.
    """
    units = np.unique(atoms.unit[~is_free])
    if not len(units) or len(atoms) > _MOST_ATOMS:
        return NONE_BROKEN
    reach = _reach(atoms, limits[1] - 1)
    within = np.stack([reach[atoms.unit == unit].any(axis=0) for unit in units])
    beside_free = np.asarray(reach[is_free].any(axis=0))
    rows, low, high = _rows(atoms, unions, (within, beside_free), limits)
    rows, low, high = _with_parted(atoms, unions, units, (rows, low, high))
    made, count = len(unions[1]) - 1, len(atoms)
    cost = np.concatenate([np.zeros(made + count), np.ones(len(units)), [0.0]])
    upper = np.concatenate([np.ones(made + count + len(units)), [np.inf]])
    is_whole = np.concatenate([np.ones(made, dtype=bool), np.zeros(count, dtype=bool), np.ones(len(units) + 1, bool)])
    solver = _solved(rows, (low, high), cost, upper, is_whole)
    if solver is None:
        return NONE_BROKEN
    bound = max(0, math.ceil(solver.getInfo().mip_dual_bound - _NEARLY))
    taken = np.asarray(solver.getSolution().col_value)[made + count : -1]
    return Fewest(bound, units[taken > 0.5] if len(taken) else units[:0])


def _reach(atoms: Atoms, most: int) -> NDArray[np.bool_]:
    """Return whether there is a way from each atom to each other with at most so many households after the first."""
    net, count = atoms.net, len(atoms)
    one = np.repeat(np.arange(count), np.diff(net.start))[net.is_way]
    other = net.neighbour[net.is_way]
    graph = csr_array((atoms.cells.weight[other].astype(np.float64), (one, other)), shape=(count, count))
    reached: NDArray[np.bool_] = np.isfinite(dijkstra(graph, limit=float(most)))
    return reached


def _rows(
    atoms: Atoms,
    unions: tuple[NDArray[np.int64], NDArray[np.int64]],
    reach: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    limits: tuple[int, int],
) -> tuple[csc_array, NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows of the model and their limits.

    Columns are unions, atoms left out, units broken (`reach` has the atoms within reach of each, and of what is free),
    and the number of grids made of what is left out.
    """
    members, offsets = unions
    count, made = len(atoms), len(offsets) - 1
    within, is_beside_free = reach
    column = np.repeat(np.arange(made), np.diff(offsets))
    cover = coo_array((np.ones(len(members)), (members, column)), shape=(count, made))
    each = eye_array(count)
    load = coo_array(atoms.cells.weight[None].astype(np.float64))
    grids = [coo_array(np.array([[-float(limit)]])) for limit in limits]
    rows = block_array(
        [
            [cover, each, None, None],
            [None, each, coo_array(-within.T.astype(np.float64)), None],
            [None, load, None, grids[0]],
            [None, load, None, grids[1]],
        ],
        format="csc",
    )
    endless = np.full(count, -np.inf)
    low = np.concatenate([np.ones(count), endless, [0.0, -np.inf]])
    high = np.concatenate([np.ones(count), is_beside_free.astype(np.float64), [np.inf, 0.0]])
    return csc_array(rows), low, high


def _with_parted(
    atoms: Atoms,
    unions: tuple[NDArray[np.int64], NDArray[np.int64]],
    units: NDArray[np.int64],
    model: tuple[csc_array, NDArray[np.float64], NDArray[np.float64]],
) -> tuple[csc_array, NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows of the model with one more for each atom of a unit of several: left out, or whole, or broken."""
    rows, low, high = model
    members, offsets = unions
    made, count = len(offsets) - 1, len(atoms)
    parts = np.bincount(atoms.unit[atoms.unit >= 0], minlength=int(units.max()) + 1)
    several = np.flatnonzero(np.isin(atoms.unit, units[parts[units] > 1]))
    if not len(several):
        return model
    column, unit = np.repeat(np.arange(made), np.diff(offsets)), atoms.unit[members]
    key, held = np.unique(unit[unit >= 0] * made + column[unit >= 0], return_counts=True)
    key = key[held == parts[key // made]]
    ones, each = np.ones(len(several)), np.arange(len(several))
    of_unit = coo_array((ones, (each, atoms.unit[several])), shape=(len(several), len(parts)))
    broken = made + count + np.searchsorted(units, atoms.unit[several])
    shape = (len(several), rows.shape[1])
    more = of_unit @ coo_array((np.ones(len(key)), (key // made, key % made)), shape=(len(parts), shape[1]))
    more += coo_array((np.tile(ones, 2), (np.tile(each, 2), np.concatenate([made + several, broken]))), shape=shape)
    return csc_array(vstack([rows, more])), np.concatenate([low, ones]), np.concatenate([high, np.inf * ones])


def _solved(
    rows: csc_array,
    limits: tuple[NDArray[np.float64], NDArray[np.float64]],
    cost: NDArray[np.float64],
    upper: NDArray[np.float64],
    is_whole: NDArray[np.bool_],
) -> Any:  # noqa: ANN401  highspy.Highs
    """Return the solver with an answer, or None when it has none."""
    # The solver and its memory are for those who divide by units.
    import highspy  # noqa: PLC0415

    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = rows.shape
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, np.zeros(len(cost)), upper
    model.row_lower_, model.row_upper_ = limits
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = rows.indptr.astype(np.int32)
    model.a_matrix_.index_ = rows.indices.astype(np.int32)
    model.a_matrix_.value_ = rows.data
    kinds = highspy.HighsVarType
    model.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in is_whole.tolist()]
    solver = new_solver(highspy, {"presolve": "choose", "mip_max_nodes": _MOST_NODES})
    solver.passModel(model)
    solver.run()
    return solver if solver.getSolution().value_valid else None
