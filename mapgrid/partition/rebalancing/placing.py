"""Whole units over neighbouring grids: the fewest households moved, exactly.

Each lump stays or goes to a grid beside its own. Limits and the fewest moved are a mixed-integer model that HiGHS
solves. That grids hang together is asked for only where an answer breaks it, piece by piece; then it is solved again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from mapgrid.partition.cells.land import WAYS, Touch
from mapgrid.partition.rebalancing.mover import Ground, in_one_piece

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OPEN = (Touch.OPEN, Touch.LINK)
_WALLED = (Touch.OPENING, Touch.WALL)
_ROUNDS = 16
_NODES = 300
"""Of the search tree, so that the answer does not depend on how fast the machine is."""

_UNMET = 1_000.0
"""Price of a household beyond the limits, in households moved."""

_WAY = 0.01
"""Price of the longest way to a new grid, in households moved: it only decides between equals."""

Row = list[tuple[int, float]]


def place_whole(ground: Ground, label: NDArray[np.int64], unit: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels of lumps within the limits as far as they can be, with the fewest households moved.

    Parameters
    ----------
    ground
        Of lumps.
    label
        Grids, each in one piece.
    unit
        Of each lump, -1 for none; lumps of one unit in one grid go together.
    """
    if ground.beyond(label) == 0:
        return label
    model = _model(ground, label)
    rows = [*_beside(ground, label, model), *_not_across(ground, label, model)]
    same = _together(label, unit, model)
    best = label
    for _ in range(_ROUNDS):
        found = _solved(ground, label, model, rows, same)
        if found is None:
            break
        best, apart = found, _pieces_apart(ground, found, model)
        if not apart:
            return found
        if ground.beyond(found) > 0:
            break  # more that is asked for brings it no nearer to the limits
        rows += apart
    mended = in_one_piece(ground, best)
    return mended if ground.beyond(mended) < ground.beyond(label) else label


@dataclass(frozen=True, slots=True)
class _Model:
    """Columns: a lump and a grid it may be in; `at` finds them, `price` is what each costs, `grids` may change."""

    lump: NDArray[np.int64]
    grid: NDArray[np.int64]
    price: NDArray[np.float64]
    grids: NDArray[np.int64]
    at: dict[tuple[int, int], int]


def _model(ground: Ground, label: NDArray[np.int64]) -> _Model:
    graph = ground.graph
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    open_way = np.isin(graph.touch, _OPEN) & (ground.region[one] == ground.region[graph.neighbour])
    open_way &= ~ground.is_frozen[one] & ~ground.is_frozen[graph.neighbour]
    arcs = np.unique(np.stack([label[one], label[graph.neighbour]], axis=1)[open_way], axis=0)
    load = ground.load(label)
    beyond = (load < ground.limits.min) | (load > ground.limits.max)
    # Regions are divided apart: where one is within the limits, all of it stays.
    free = np.flatnonzero(~ground.is_frozen & np.isin(ground.region, ground.region[beyond[label] & ~ground.is_frozen]))
    pairs = [(lump, int(label[lump])) for lump in free.tolist()]
    pairs += [(lump, to) for lump in free.tolist() for to in arcs[arcs[:, 0] == label[lump], 1] if to != label[lump]]
    lump, grid = np.array(sorted({(one, int(to)) for one, to in pairs})).T
    moment = np.stack([np.bincount(label, weights=graph.weight * axis) for axis in graph.xy.T], axis=1)
    centre = moment / np.maximum(1, load)[:, None]
    away = np.hypot(*(graph.xy[lump] - centre[grid]).T)
    old = graph.weight if ground.old is None else ground.old
    price = old[lump] * (grid != ground.home[lump]).astype(float)
    price += _WAY * np.round(away / max(1.0, float(away.max())), 6) * (grid != label[lump])
    at = {pair: number for number, pair in enumerate(zip(lump.tolist(), grid.tolist(), strict=True))}
    return _Model(lump, grid, price, np.unique(label[free]), at)


def _beside(ground: Ground, label: NDArray[np.int64], model: _Model) -> list[Row]:
    """Return for each lump that goes to a grid: a neighbour of it is there too."""
    graph, rows = ground.graph, []
    for (lump, grid), column in model.at.items():
        if grid != label[lump]:
            beside = range(graph.start[lump], graph.start[lump + 1])
            near = [int(graph.neighbour[e]) for e in beside if graph.touch[e] in _OPEN]
            rows.append([(column, -1.0), *((model.at[one, grid], 1.0) for one in near if (one, grid) in model.at)])
    return rows


def _not_across(ground: Ground, label: NDArray[np.int64], model: _Model) -> list[Row]:
    """Return for each two neighbours with a barrier between, not in one grid yet: they do not come into one.

    As `_asked` reads rows, column -1 is a constant.
    """
    graph, rows = ground.graph, []
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    walled = np.isin(graph.touch, _WALLED) & (label[one] != label[graph.neighbour]) & (one < graph.neighbour)
    for first, second in zip(one[walled].tolist(), graph.neighbour[walled].tolist(), strict=True):
        shared = [grid for grid in model.grids.tolist() if (first, grid) in model.at and (second, grid) in model.at]
        rows += [[(model.at[first, grid], -1.0), (model.at[second, grid], -1.0), (-1, 1.0)] for grid in shared]
    return rows


def _together(label: NDArray[np.int64], unit: NDArray[np.int64], model: _Model) -> list[Row]:
    """Return for each two lumps of one unit in one grid: they are in the same grid."""
    rows: list[Row] = []
    first: dict[tuple[int, int], int] = {}
    for lump in np.unique(model.lump[unit[model.lump] >= 0]).tolist():
        mate = first.setdefault((int(unit[lump]), int(label[lump])), lump)
        if mate != lump:
            grids = [grid for grid in model.grids.tolist() if (lump, grid) in model.at and (mate, grid) in model.at]
            rows += [[(model.at[lump, grid], 1.0), (model.at[mate, grid], -1.0)] for grid in grids]
    return rows


def _pieces_apart(ground: Ground, label: NDArray[np.int64], model: _Model) -> list[Row]:
    """Return for each piece of a grid but its heaviest: one of it leaves, or a neighbour joins."""
    graph, rows = ground.graph, []
    piece = graph.components(label, WAYS)
    weight = np.bincount(piece, weights=graph.weight)
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    for grid in model.grids.tolist():
        pieces = np.unique(piece[label == grid])
        for loose in pieces[np.argsort(-weight[pieces], kind="stable")][1:]:
            mine = piece == loose
            if not all((lump, grid) in model.at for lump in np.flatnonzero(mine).tolist()):
                continue  # a frozen lump, or one that was apart before
            around = np.unique(graph.neighbour[mine[one] & ~mine[graph.neighbour] & np.isin(graph.touch, WAYS)])
            leaves: Row = [(model.at[lump, grid], -1.0) for lump in np.flatnonzero(mine).tolist()]
            joins: Row = [(model.at[lump, grid], 1.0) for lump in around.tolist() if (lump, grid) in model.at]
            rows.append([*leaves, *joins, (-1, float(mine.sum()) - 1.0)])
    return rows


def _solved(
    ground: Ground, label: NDArray[np.int64], model: _Model, rows: list[Row], same: list[Row]
) -> NDArray[np.int64] | None:
    """Return the labels of the cheapest answer; each of `rows` is at least 0, each of `same` is 0."""
    columns, grids = len(model.lump), len(model.grids)
    size = columns + 2 * grids
    lump_row = np.unique(model.lump, return_inverse=True)[1].reshape(-1)
    each = coo_array((np.ones(columns), (lump_row, np.arange(columns))), shape=(int(lump_row.max()) + 1, size))
    number, place = np.arange(grids), np.searchsorted(model.grids, model.grid)
    # Of each grid: its households, less those beyond the most, plus those missing to the least.
    values = np.concatenate([ground.graph.weight[model.lump], -np.ones(grids), np.ones(grids)])
    at = (np.concatenate([place, number, number]), np.arange(size))
    load = coo_array((values, at), shape=(grids, size))
    limits = [
        LinearConstraint(each.tocsr(), 1, 1),
        LinearConstraint(load.tocsr(), ground.limits.min, ground.limits.max),
        *_asked(rows, size, np.inf),
        *_asked(same, size, 0.0),
    ]
    answer = milp(
        np.concatenate([model.price, np.full(2 * grids, _UNMET)]),
        constraints=limits,
        bounds=Bounds(0, np.concatenate([np.ones(columns), np.full(2 * grids, np.inf)])),
        integrality=np.concatenate([np.ones(columns), np.zeros(2 * grids)]),
        options={"mip_rel_gap": 0.0, "node_limit": _NODES},
    )
    if answer.x is None:
        return None
    chosen = np.round(np.asarray(answer.x)[:columns]) == 1
    found = label.copy()
    found[model.lump[chosen]] = model.grid[chosen]
    return found


def _asked(rows: list[Row], size: int, most: float) -> list[LinearConstraint]:
    """Return rows as a constraint from 0 to `most`; their entries of column -1 are constants."""
    if not rows:
        return []
    entries = [(row, column, value) for row, one in enumerate(rows) for column, value in one if column >= 0]
    row, column, value = (np.array(some) for some in zip(*entries, strict=True))
    least = np.array([-sum(value for column, value in one if column < 0) for one in rows])
    return [LinearConstraint(coo_array((value, (row, column)), shape=(len(rows), size)).tocsr(), least, most)]
