"""From an edit to a draft: which cell goes to which grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.adjusting.lines import check_clear, line_of, piece_of_points, pieces_along, sides_of
from mapgrid.adjusting.rebuild import Draft
from mapgrid.adjusting.redraw import land_along
from mapgrid.adjusting.sound import check_known
from mapgrid.errors import EditRefusedError, Refusal
from mapgrid.partition.rebalancing.naming import next_names
from mapgrid.partition.search.graph import build_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from mapgrid.adjusting.edits import Assign, Cut, Merge, Reshape
    from mapgrid.partition.plan import Plan


def assign(plan: Plan, edit: Assign) -> Draft:
    """Return the draft with the households' cells in the grid."""
    made = plan.division
    cells = _cells_of(plan, edit.households)
    names = made.names
    if edit.grid is None:
        names = (*names, *_new_names(plan, 1))
        label = len(names) - 1
    else:
        check_known(plan, [edit.grid])
        label = names.index(edit.grid)
    grid = made.grid.copy()
    grid[cells] = label
    for number in np.setdiff1d(made.grid[cells], grid):
        hint = f"merge grid {names[number]} with its neighbour instead"
        raise EditRefusedError(Refusal.GRID_EMPTY, "households left in every grid", f"none in {names[number]}", hint)
    return Draft(grid, names)


def merge(plan: Plan, edit: Merge) -> Draft:
    """Return the draft with several grids as one."""
    made = plan.division
    check_known(plan, edit.grids)
    labels = sorted({made.names.index(grid) for grid in edit.grids})
    if len(labels) < 2:
        raise EditRefusedError(Refusal.NOTHING_CHANGES, "two grids or more to merge", "one", "name its neighbour too")
    load = np.bincount(made.grid, weights=made.points.weight)[labels]
    stays = labels[int(load.argmax())]
    return Draft(np.where(np.isin(made.grid, labels), stays, made.grid), made.names)


def cut(plan: Plan, edit: Cut) -> Draft:
    """Return the draft with every crossed grid parted along the line."""
    made = plan.division
    line = line_of(plan, edit.line)
    check_known(plan, edit.grids)
    outlines = plan.grids.geometry.to_numpy()
    labels = [made.names.index(grid) for grid in edit.grids] or np.flatnonzero(shapely.crosses(line, outlines)).tolist()
    grid, count, parted = made.grid.copy(), len(made.names), []
    for label in sorted(set(labels)):
        cells = np.flatnonzero(made.grid == label)
        rank = _ranks(plan, cells, outlines[label], line)
        if rank.max() > 0:
            check_clear(plan, cells, line)
            grid[cells] = np.where(rank == 0, label, count + rank - 1)
            count += int(rank.max())
            parted.append(label)
        elif edit.grids:
            raise _parts_nothing(made.names[label])
    if not parted:
        raise _parts_nothing(None)
    names = (*made.names, *_new_names(plan, count - len(made.names)))
    return Draft(grid, names, land_along(plan, grid, parted, line), tuple(parted))


def reshape(plan: Plan, edit: Reshape) -> Draft:
    """Return the draft with the households of two grids on either side of the line."""
    made = plan.division
    check_known(plan, edit.grids)
    labels = sorted({made.names.index(grid) for grid in edit.grids})
    if len(labels) != 2:
        found = f"{len(labels)}"
        raise EditRefusedError(Refusal.NOTHING_CHANGES, "two grids with a common border", found, "name both")
    line = line_of(plan, edit.line)
    cells = np.flatnonzero(np.isin(made.grid, labels))
    both = shapely.union_all(plan.grids.geometry.to_numpy()[labels])
    pieces = pieces_along(both, line)
    side = sides_of(pieces) if len(pieces) else None
    if side is None:
        raise _parts_nothing(" and ".join(made.names[label] for label in labels))
    check_clear(plan, cells, line)
    piece = piece_of_points(pieces, made.points.xy[cells], both)
    now = made.grid[cells]
    drawn = [np.where(piece >= 0, np.take(labels, turn ^ side[piece]), now) for turn in (0, 1)]
    moved = [int(made.points.weight[cells][choice != now].sum()) for choice in drawn]
    grid = made.grid.copy()
    grid[cells] = drawn[int(np.argmin(moved))]
    if len(np.unique(grid[cells])) < 2:
        raise _parts_nothing(" and ".join(made.names[label] for label in labels))
    return Draft(grid, made.names, land_along(plan, grid, labels, line), tuple(labels))


def _parts_nothing(grid: str | None) -> EditRefusedError:
    which = "the grids it crosses" if grid is None else f"grid {grid}"
    found = "none on one side of it"
    hint = "draw it from border to border, between households"
    return EditRefusedError(
        Refusal.LINE_CROSSES_NOTHING, f"a line with households of {which} on either side", found, hint
    )


def _ranks(plan: Plan, cells: NDArray[np.int64], outline: BaseGeometry, line: shapely.LineString) -> NDArray:
    """Return for each cell of a grid the rank of its piece: 0 for the heaviest, the others by their first cell."""
    made = plan.division
    pieces = pieces_along(outline, line)
    if not len(pieces):
        return np.zeros(len(cells), dtype=np.int64)
    piece = piece_of_points(pieces, made.points.xy[cells], outline)
    if (piece < 0).any():
        piece = _with_uncut(plan, cells, piece)
    found, first, at = np.unique(piece, return_index=True, return_inverse=True)
    at = at.reshape(-1)
    load = np.bincount(at, weights=made.points.weight[cells])
    order = np.argsort(first, kind="stable")
    heaviest = order[load[order].argmax()]
    rank = np.empty(len(found), dtype=np.int64)
    rank[[heaviest, *order[order != heaviest]]] = np.arange(len(found))
    return rank[at]


def _with_uncut(plan: Plan, cells: NDArray[np.int64], piece: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pieces with cells in uncut parts of the grid in the piece that they are linked with."""
    made = plan.division
    graph = build_graph(made.land, made.points.xy, made.points.weight, made.links).part(cells)
    piece = piece.copy()
    one = np.repeat(np.arange(len(cells)), np.diff(graph.start))
    while True:
        usable = np.flatnonzero((piece[one] < 0) & (piece[graph.neighbour] >= 0))
        if not len(usable):
            break
        piece[one[usable]] = piece[graph.neighbour[usable]]
    piece[piece < 0] = np.bincount(piece[piece >= 0]).argmax()
    return piece


def _cells_of(plan: Plan, households: tuple[int | str, ...]) -> NDArray[np.int64]:
    index = plan.households.index
    rows = index.get_indexer(list(households))
    cells = plan.division.points.of_row[rows]
    if not len(rows):
        raise EditRefusedError(Refusal.NOTHING_CHANGES, "at least one household", "none", "choose households")
    for row in np.flatnonzero((rows < 0) | (cells < 0))[:1]:
        found = f"{households[row]!r}" + ("" if rows[row] < 0 else ", which has no point")
        hint = "load the plan again: somebody may have changed it"
        raise EditRefusedError(Refusal.HOUSEHOLD_UNKNOWN, "a household of the plan", found, hint)
    return np.unique(cells)


def _new_names(plan: Plan, count: int) -> tuple[str, ...]:
    return next_names(plan.ended.union(plan.division.names), count)
