"""Say of each unit that could not stay whole why, and of each odd one what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.cells.land import Touch
from mapgrid.partition.explain import households_text
from mapgrid.partition.reasons import Reason, ReasonCode
from mapgrid.partition.whole_units.units import OddUnit, units_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.points import Points
    from mapgrid.partition.search.graph import Graph
    from mapgrid.partition.whole_units.units import Units
    from mapgrid.village import Limits


def explain_units(
    units: Units,
    points: Points,
    graph: Graph,
    grid: NDArray[np.int64],
    names: tuple[str, ...],
    limits: Limits,
    *,
    proved: bool,
) -> tuple[list[Reason], list[OddUnit]]:
    """Return a reason for each unit in more than one grid, and a record for each broken, scattered or odd unit."""
    weight = np.bincount(
        units.of_point[units.of_point >= 0],
        weights=points.weight[units.of_point >= 0],
        minlength=len(units.names),
    ).astype(np.int64)
    parts = _parts(units, graph)
    split = units_split(units, points.of_row, grid)
    reasons, odd = [], []
    for unit in range(len(units.names)):
        loads = parts.get(unit, [])
        if unit in split:
            code, why = _why_broken(int(weight[unit]), loads, limits, proved=proved)
            cells = np.unique(grid[points.of_row[(units.of_row == unit) & (points.of_row >= 0)]])
            where = f"in grids {', '.join(names[label] for label in cells)}: {why}"
            reasons.append(Reason(None, code, f"unit {units.names[unit]} is {where}"))
            odd.append(OddUnit(units.names[unit], int(weight[unit]), where, is_split=True))
        elif len(loads) > 1:
            odd.append(OddUnit(units.names[unit], int(weight[unit]), f"{_in_parts(loads)}; all in one grid"))
    return reasons, [*units.odd, *odd]


def _parts(units: Units, graph: Graph) -> dict[int, list[int]]:
    """Return the households of each connected part of each unit, the largest first."""
    piece = graph.components(units.of_point, (Touch.OPEN,))
    load = np.bincount(piece, weights=graph.weight).astype(np.int64)
    first = np.unique(piece, return_index=True)[1]
    parts: dict[int, list[int]] = {}
    for unit, households in sorted(zip(units.of_point[first].tolist(), (-load).tolist(), strict=True)):
        parts.setdefault(unit, []).append(-households)
    return parts


def _in_parts(loads: list[int]) -> str:
    shown = ", ".join(str(load) for load in loads[:5]) + (" …" if len(loads) > 5 else "")
    return f"its households stand in {len(loads)} parts that do not touch ({shown})"


def _why_broken(weight: int, loads: list[int], limits: Limits, *, proved: bool) -> tuple[ReasonCode, str]:
    if weight > limits.max:
        return ReasonCode.UNIT_OVER_MAX, f"its {households_text(weight)} are over the maximum of {limits.max}"
    if len(loads) > 1:
        return ReasonCode.ISOLATED_UNIT, f"{_in_parts(loads)}, cut off from each other by a barrier or by other units"
    if proved:
        detail = f"no division of whole units into grids of {limits.min}–{limits.max} exists, and none breaks fewer"
        return ReasonCode.UNITS_DO_NOT_FIT, detail
    detail = f"no division of whole units into grids of {limits.min}–{limits.max} was found, nor one that breaks fewer"
    return ReasonCode.UNITS_DO_NOT_FIT, detail
