"""The exact model: cover every atom once by columns, at the least cost, proved.

Set partitioning, solved by HiGHS (Huangfu, Hall 2018) to gap zero. For many columns the linear relaxation comes first;
columns with small reduced cost give a first answer, and every column whose reduced cost exceeds the gap between the two
is in no better answer (reduced-cost fixing), so that proving with the rest proves it for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

OFF_COUNT = 3.0
"""Price of each grid more or less than wished for; about the way of three grids."""

TIE = 1e-6
"""Costs differ by up to this much from what they are, so that of equal answers always the same one is chosen."""

_FEW = 1000  # columns that need no linear relaxation first
_FIRST_COLUMNS_PER_ATOM = 4
_MANY = 20_000  # columns that the relaxation takes at once
_LEFT_OUT = 1e5  # least price of an atom without a grid, above the worth of all units that could stay whole for it
_MOST_AT_ONCE = 15_000  # columns that the model takes at once; beyond it there may be an answer without a proof
_MOST_NODES = 20_000


@dataclass(frozen=True, slots=True)
class Columns:
    """Sets of atoms to choose from.

    Attributes
    ----------
    members, offsets
        Atoms of column c: `members[offsets[c]:offsets[c + 1]]`.
    cost
        (c,) of each.
    grids
        (c,) how many grids each one stands for.
    """

    members: NDArray[np.int64]
    offsets: NDArray[np.int64]
    cost: NDArray[np.float64]
    grids: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many columns there are."""
        return len(self.cost)

    def some(self, which: NDArray[np.int64]) -> Columns:
        """Return some of the columns."""
        size = np.diff(self.offsets)[which]
        offsets = np.zeros(len(which) + 1, dtype=np.int64)
        np.cumsum(size, out=offsets[1:])
        at = np.repeat(self.offsets[which] - offsets[:-1], size) + np.arange(offsets[-1])
        return Columns(self.members[at], offsets, self.cost[which], self.grids[which])


@dataclass(frozen=True, slots=True)
class Choice:
    """Columns that cover every atom once.

    Attributes
    ----------
    columns
        Ascending.
    cost
        Of them together, with the price of grids more or less than wished for.
    proved
        Whether no other choice costs less.
    """

    columns: NDArray[np.int64]
    cost: float
    proved: bool


def choose(columns: Columns, atoms: int, wished: int) -> Choice | None:
    """Return the cheapest columns that cover every atom once, or None when none do (which is then proved).

    Parameters
    ----------
    atoms
        How many atoms there are.
    wished
        How many grids there should be.

    Raises
    ------
    StoppedError
        When the budget ends before there is an answer or the proof that there is none.
    """
    spread = (np.arange(len(columns)) * 0.6180339887498949) % 1.0
    columns = Columns(columns.members, columns.offsets, columns.cost + TIE * spread, columns.grids)
    if len(columns) <= _FEW:
        return _chosen(np.arange(len(columns)), _solve(columns, atoms, wished, whole=True))
    relaxed = relax(columns, atoms, wished)
    if relaxed is None:
        return None
    least, reduced = relaxed
    order = np.argsort(reduced, kind="stable")
    most = _FIRST_COLUMNS_PER_ATOM * atoms
    while most < min(_MOST_AT_ONCE, len(columns)):
        first = np.sort(order[:most])
        found = _solve(columns.some(first), atoms, wished, whole=True)
        if found is not None:
            hopeful = order[: np.searchsorted(reduced[order], found.getObjectiveValue() - least + TIE, "right")]
            left = np.sort(hopeful[:_MOST_AT_ONCE])
            known = np.zeros(len(columns) + 2)
            known[np.append(first, [-2, -1])] = found.getSolution().col_value
            known = known[np.append(left, [-2, -1])]
            best = _chosen(left, _solve(columns.some(left), atoms, wished, whole=True, known=known))
            return best if best is None or len(left) == len(hopeful) else replace(best, proved=False)
        most *= 3
    if len(columns) > _MOST_AT_ONCE:
        msg = f"no answer among the {_MOST_AT_ONCE} most hopeful of {len(columns)} columns"
        raise StoppedError(msg)
    return _chosen(np.arange(len(columns)), _solve(columns, atoms, wished, whole=True))


def relax(columns: Columns, atoms: int, wished: int) -> tuple[float, NDArray[np.float64]] | None:
    """Return the least cost when columns may be taken in part, and the reduced cost of each; None when none do.

    Of very many columns few matter: the relaxation is solved over some, all others are priced with its answer, and
    those that would lower the cost are added, until none does (column generation over columns that are at hand).
    """
    if len(columns) <= _MANY:
        solved = _solve(columns, atoms, wished, whole=False)
        if solved is None:
            return None
        return float(solved.getObjectiveValue()), np.asarray(solved.getSolution().col_dual)[: len(columns)]
    some = np.sort(np.argsort(columns.cost / np.diff(columns.offsets), kind="stable")[: 10 * atoms])
    while True:
        solved = _solve(_with_left_out(columns.some(some), atoms), atoms, wished, whole=False)
        answer = solved.getSolution()
        price = np.asarray(answer.row_dual)
        reduced = columns.cost - columns.grids * price[atoms]
        reduced -= np.add.reduceat(price[columns.members], columns.offsets[:-1])
        worth = np.flatnonzero(reduced < -TIE / 10)
        if not len(worth):
            break
        some = np.union1d(some, worth[np.argsort(reduced[worth], kind="stable")[: 5 * atoms]])
    left_out = np.asarray(answer.col_value)[len(some) : len(some) + atoms]
    return None if left_out.max() > TIE else (float(solved.getObjectiveValue()), reduced)


def _with_left_out(columns: Columns, atoms: int) -> Columns:
    """Return the columns and, at a price, one for leaving out each atom."""
    price = max(_LEFT_OUT, 10 * float(np.abs(columns.cost).max()))
    return Columns(
        np.concatenate([columns.members, np.arange(atoms)]),
        np.concatenate([columns.offsets, columns.offsets[-1] + np.arange(1, atoms + 1)]),
        np.concatenate([columns.cost, np.full(atoms, price)]),
        np.concatenate([columns.grids, np.zeros(atoms, dtype=np.int64)]),
    )


class StoppedError(Exception):
    """The solver came to the end of its budget without an answer."""


def _chosen(which: NDArray[np.int64], solved: Any) -> Choice | None:  # noqa: ANN401  highspy.Highs
    if solved is None:
        return None
    taken = np.asarray(solved.getSolution().col_value)[: len(which)] > 0.5
    proved = solved.modelStatusToString(solved.getModelStatus()) == "Optimal"
    return Choice(which[taken], float(solved.getObjectiveValue()), proved)


def _solve(columns: Columns, atoms: int, wished: int, *, whole: bool, known: NDArray[np.float64] | None = None) -> Any:  # noqa: ANN401  highspy.Highs
    """Return the solver with its answer, or None when there is none; `known` is an answer to start from."""
    # The solver and its memory are for those who divide by units.
    import highspy  # noqa: PLC0415

    # Dependent rows and dominated columns are few here, and a jump lands nowhere: both take longer than solving.
    solver = new_solver(highspy, {"presolve": "off", "mip_heuristic_run_feasibility_jump": False})
    solver.passModel(_model(highspy, columns, atoms, wished, whole=whole))
    if known is not None:
        start = highspy.HighsSolution()
        start.col_value = known.tolist()
        solver.setSolution(start)
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if not solver.getSolution().value_valid:
        msg = f"the solver ended without an answer: {solver.modelStatusToString(status)}"
        raise StoppedError(msg)
    return solver


def new_solver(highspy: Any, options: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return a solver that says nothing, always goes the same way and ends with a proof, or with its budget."""

    class Quiet(highspy.Highs):
        def __init__(self) -> None:  # that of `Highs` prints who it is
            super(highspy.Highs, self).__init__()

    solver = Quiet()
    same = {"output_flag": False, "threads": 1, "random_seed": 0, "mip_rel_gap": 0.0, "mip_abs_gap": TIE / 10}
    for name, value in {**same, "mip_max_nodes": _MOST_NODES, **options}.items():
        solver.setOptionValue(name, value)
    return solver


def _model(highspy: Any, columns: Columns, atoms: int, wished: int, *, whole: bool) -> Any:  # noqa: ANN401
    """Return the model: a row for each atom, one for the number of grids, and two columns for grids too few or many."""
    count = len(columns)
    size = np.diff(columns.offsets)
    start = columns.offsets + np.arange(count + 1)
    rows = np.full(int(start[-1]), atoms, dtype=np.int32)
    values = np.ones(int(start[-1]))
    rows[np.arange(len(columns.members)) + np.repeat(np.arange(count), size)] = columns.members
    values[start[1:] - 1] = columns.grids
    end = int(start[-1])
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = count + 2, atoms + 1
    model.col_cost_ = np.append(columns.cost, [OFF_COUNT, OFF_COUNT])
    model.col_lower_ = np.zeros(count + 2)
    upper = 1.0 if whole else highspy.kHighsInf
    model.col_upper_ = np.append(np.full(count, upper), [highspy.kHighsInf, highspy.kHighsInf])
    model.row_lower_ = model.row_upper_ = np.append(np.ones(atoms), wished)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.append(start, [end + 1, end + 2]).astype(np.int32)
    model.a_matrix_.index_ = np.append(rows, [atoms, atoms]).astype(np.int32)
    model.a_matrix_.value_ = np.append(values, [1.0, -1.0])
    if whole:
        kinds = highspy.HighsVarType
        model.integrality_ = [kinds.kInteger] * count + [kinds.kContinuous] * 2
    return model
