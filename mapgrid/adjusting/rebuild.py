"""From changed labels to a plan: only what was touched is computed again, every other row stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from mapgrid.adjusting.sound import check_connected, check_unlocked
from mapgrid.adjusting.tight import land_pulled_tight
from mapgrid.errors import EditRefusedError, Refusal
from mapgrid.partition.cells.land import Touch
from mapgrid.partition.cells.outlines import cell_polygons
from mapgrid.partition.explain import explain_pieces
from mapgrid.partition.frames import grids_frame, texts
from mapgrid.partition.reasons import Reason, ReasonCode
from mapgrid.partition.rebalancing.keeping import kept_as_they_were, outlines_of, unseen_nodes
from mapgrid.partition.rebalancing.regroup import keep_groups, number_groups
from mapgrid.partition.search.graph import build_graph
from mapgrid.partition.whole_units.unit_splits import tell_splits

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land
    from mapgrid.partition.plan import Division, Plan
    from mapgrid.partition.reasons import Piece
    from mapgrid.partition.search.graph import Graph


@dataclass(frozen=True, slots=True)
class Draft:
    """Labels after an edit.

    Attributes
    ----------
    grid
        Label of each cell, in `names`.
    names
        The grids of the plan in their order, and new ones after them. One that no cell has any more is ended.
    land
        The land, cut anew where the edit drew a border; None where it is as it was.
    recut
        Labels whose land was cut anew.
    """

    grid: NDArray[np.int64]
    names: tuple[str, ...]
    land: Land | None = None
    recut: tuple[int, ...] = ()


def rebuild(plan: Plan, draft: Draft) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan that a draft makes, and the names of the grids that changed, ended ones among them.

    Raises
    ------
    EditRefusedError
        If nothing changes, a locked grid changes, or a grid would no longer be one piece on one side of a barrier.
    """
    made = plan.division
    changed = draft.grid != made.grid
    touched = np.unique(np.concatenate([made.grid[changed], draft.grid[changed], draft.recut]).astype(np.int64))
    if not len(touched):
        hint = "choose households of another grid, or draw the line between households"
        raise EditRefusedError(Refusal.NOTHING_CHANGES, "an edit that changes a grid", "none changed", hint)
    check_unlocked(plan, [draft.names[label] for label in touched])
    kept, grid = np.unique(draft.grid, return_inverse=True)
    alive = touched[np.isin(touched, kept)]
    land, graph = _checked(made, draft, touched, alive)
    names = tuple(draft.names[label] for label in kept)
    new = replace(made, land=land, grid=grid.reshape(-1).astype(np.int64), names=names)
    ended = frozenset(draft.names) - frozenset(names)
    labels = np.searchsorted(kept, alive)
    new_plan = _framed(plan, replace(plan, division=new, ended=plan.ended | ended), graph, labels)
    touched_names = {draft.names[label] for label in touched}
    return new_plan, tuple(sorted(touched_names | _with_new_nodes(plan, new_plan)))


def _checked(made: Division, draft: Draft, touched: NDArray[np.int64], alive: NDArray[np.int64]) -> tuple[Land, Graph]:
    """Return the land after an edit, with new borders straight, and its graph; raise where a grid would fall apart."""
    was = _graph(made, made.land)
    near = np.flatnonzero(np.isin(made.grid, touched) | np.isin(draft.grid, touched))
    before = was.part(near), made.grid[near]
    land = draft.land or made.land
    graph = was if draft.land is None else _graph(made, land)
    check_connected(before, (graph.part(near), draft.grid[near]), draft.names, alive)
    tight = land_pulled_tight(made, draft.grid, alive) if draft.land is None else None
    if tight is not None:
        try:
            drawn = _graph(made, tight)
            check_connected(before, (drawn.part(near), draft.grid[near]), draft.names, alive)
        except EditRefusedError:
            return land, graph  # straight, two households of a grid would not be beside each other any more
        return tight, drawn
    return land, graph


def _graph(made: Division, land: Land) -> Graph:
    return build_graph(land, made.points.xy, made.points.weight, made.links)


def _framed(was: Plan, plan: Plan, graph: Graph, labels: NDArray[np.int64]) -> Plan:
    """Return the plan with groups, frames, reasons and pieces brought up to its division for the grids of `labels`."""
    made = plan.division
    cells = _regrouped(was, plan, graph, labels)
    outlines = _outlines(was, plan, labels, cells.geometry.to_numpy())
    touched = frozenset(made.names[label] for label in labels)
    reasons = _reasons(was, plan, touched)
    found = []
    if _has_pieces(graph, made.grid, labels) or (shapely.get_num_geometries(outlines[labels]) > 1).any():
        found = explain_pieces(graph, made.points, made.grid, outlines, plan.limits, made.names)
    pieces = (*_untouched(was, plan, touched), *(piece for piece in found if piece.grid in touched))
    division = replace(made, group=_group_labels(cells))
    odd = was.units
    if made.units is not None:
        by_hand = (ReasonCode.BY_HAND, "divided by hand")
        splits, odd_units = tell_splits(
            made.units, made.points, (made.grid, made.names), by_hand, (was.reasons, was.units)
        )
        reasons, odd = (*reasons, *splits), tuple(odd_units)
    return replace(
        plan,
        units=odd,
        units_proved=None if made.units is None else False,
        grids=_grids(was, plan, outlines, reasons),
        households=_households(was, cells),
        cells=cells,
        reasons=reasons,
        pieces=tuple(sorted(pieces, key=lambda piece: (piece.grid, piece.part))),
        division=division,
    )


def _has_pieces(graph: Graph, grid: NDArray[np.int64], labels: NDArray[np.int64]) -> bool:
    """Return whether a grid of `labels` hangs together only through an opening."""
    near = np.flatnonzero(np.isin(grid, labels))
    pieces = graph.part(near).components(grid[near], (Touch.OPEN, Touch.LINK))
    return len(np.unique(pieces)) > len(labels)


def _with_new_nodes(was: Plan, plan: Plan) -> set[str]:
    """Return the grids of both plans whose polygon is another object: merged anew."""
    former = dict(zip(was.division.names, was.grids.geometry.to_numpy(), strict=True))
    now = zip(plan.division.names, plan.grids.geometry.to_numpy(), strict=True)
    return {name for name, shape in now if former.get(name, shape) is not shape}


def _untouched(was: Plan, plan: Plan, touched: frozenset[str]) -> list[Piece]:
    left = frozenset(plan.division.names) - touched
    return [piece for piece in was.pieces if piece.grid in left]


def _regrouped(was: Plan, plan: Plan, graph: Graph, labels: NDArray[np.int64]) -> GeoDataFrame:
    """Return the cells with the grid and group of each; groups of the grids of `labels` are kept where they can be."""
    made = plan.division
    cells = was.cells.copy()
    if made.land is not was.division.land:
        shapes = was.cells.geometry.to_numpy().copy()
        redrawn = np.flatnonzero(np.isin(made.grid, labels))
        shapes[redrawn] = cell_polygons(made.land.faces, made.land.cell_of_face, len(made.grid), redrawn)
        cells = cells.set_geometry(shapes, crs=was.cells.crs)
    grids, groups = cells["grid"].to_numpy(dtype=object).copy(), cells["group"].to_numpy(dtype=object).copy()
    near = np.flatnonzero(np.isin(made.grid, labels))
    around = graph.part(near)
    for label in labels:
        mine, name = np.flatnonzero(made.grid == label), made.names[label]
        part = around.part(np.searchsorted(near, mine))
        own = keep_groups(part, was.division.group[mine], plan.limits, plan.seed)
        serial = np.array([int(group[-2:]) for group in groups[mine]], dtype=np.int64)
        serial[grids[mine] != name] = 0
        serial = number_groups(own, part.weight, serial)
        grids[mine] = name
        groups[mine] = [f"{name}{number:02d}" for number in serial]
    cells["grid"], cells["group"] = texts(grids, cells.index), texts(groups, cells.index)
    return cells


def _group_labels(cells: GeoDataFrame) -> NDArray[np.int64]:
    group: NDArray[np.int64] = pd.factorize(cells["group"].to_numpy(dtype=object), sort=True)[0].astype(np.int64)
    return group


def _outlines(was: Plan, plan: Plan, labels: NDArray[np.int64], shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the polygons of all grids: those of `labels` merged anew, the others as they were.

    Where a border of `labels` now ends on a border of another grid in a node that was left out there, the other grid
    gets that node, or neighbours would no longer match.
    """
    made = plan.division
    former = dict(zip(was.division.names, was.grids.geometry.to_numpy(), strict=True))
    outlines = np.empty(len(made.names), dtype=object)
    outlines[:] = [former.get(name) for name in made.names]
    beside = _beside(made, labels) if len(made.soft) else labels[:0]
    drawn = np.union1d(labels, beside)
    mine = np.flatnonzero(np.isin(made.grid, drawn))
    unseen = unseen_nodes(made.land, made.grid, made.soft)
    merged = outlines_of(shapes[mine], np.searchsorted(drawn, made.grid[mine]), len(drawn), unseen)
    as_before = np.zeros(len(drawn), dtype=bool)
    at = np.searchsorted(drawn, beside)
    as_before[at] = kept_as_they_were(merged[at], outlines[beside], made.village.geometry.iloc[0])
    outlines[drawn[~as_before]] = merged[~as_before]
    return outlines


def _beside(made: Division, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the other labels that share a border with some labels."""
    sides = made.grid[made.land.pairs]
    return np.setdiff1d(sides[np.isin(sides, labels).any(axis=1)], labels)


def _reasons(was: Plan, plan: Plan, touched: frozenset[str]) -> tuple[Reason, ...]:
    made, limits = plan.division, plan.limits
    load = np.bincount(made.grid, weights=made.points.weight).astype(int)
    kept = [reason for reason in was.reasons if reason.grid is not None and reason.grid in made.names]
    reasons = [reason for reason in kept if reason.grid not in touched]
    for name in sorted(touched):
        households = load[made.names.index(name)]
        if not limits.min <= households <= limits.max:
            detail = f"{households} households, made so by hand; the limits are {limits.min}–{limits.max}"
            reasons.append(Reason(name, ReasonCode.BY_HAND, detail))
    reasons.sort(key=lambda reason: reason.grid or "")
    return (*reasons, *(reason for reason in was.reasons if reason.code is ReasonCode.NO_GEOMETRY))


def _grids(was: Plan, plan: Plan, outlines: NDArray[np.object_], reasons: tuple[Reason, ...]) -> GeoDataFrame:
    made = plan.division
    return grids_frame(outlines, made.points, made.grid, reasons, made.names, was.grids.crs)


def _households(was: Plan, cells: GeoDataFrame) -> GeoDataFrame:
    at = was.division.points.of_row
    placed = at >= 0
    households = was.households.copy()
    for column in ("grid", "group"):
        values = np.full(len(at), None, dtype=object)
        values[placed] = cells[column].to_numpy()[at[placed]]
        households[column] = texts(values, households.index)
    return households
