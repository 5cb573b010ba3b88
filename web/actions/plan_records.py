"""Plans, and what was done with them, as plain values for the wire."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pyproj import Transformer

from mapgrid.adjusting.edits import KIND
from mapgrid.adjusting.log import REDO, STEPS, UNDO
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import EditRefusedError, Refusal
from mapgrid.times import LOCAL_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geodata.plan_edits import LogEntry
    from geodata.plans import PlanRecord
    from mapgrid.adjusting.log import InForce
    from mapgrid.partition.plan import Plan

_DIGITS = 7
_MOST_CORNERS = 500
_LIMITS = ("min", "max", "target", "group_size", "group_min", "group_max")


def plan_record(plan: PlanRecord) -> dict[str, Any]:
    """Return what the store knows of a plan."""
    return {
        "id": plan.id,
        "village": plan.village_code,
        "name": plan.name,
        "state": plan.state,
        "version": plan.version,
        "base_plan": plan.base_plan_id,
        "starts_on": plan.starts_on.isoformat() if plan.starts_on else None,
        "ends_on": plan.ends_on.isoformat() if plan.ends_on else None,
        "made_at": plan.made_at.astimezone(LOCAL_TIME).isoformat(timespec="seconds"),
        "limits": {name: plan.parameters[name] for name in _LIMITS if name in plan.parameters},
        "scorecard": plan.scorecard,
    }


def log_record(entry: LogEntry, in_force: InForce, village_code: str, plan: Plan | None) -> dict[str, Any]:
    """Return one thing done with a plan; `undone` is true of an edit that is not in force, None of what is no edit."""
    is_edit = entry.version in in_force.done
    was_edit = is_edit or _is_edit(entry.record)
    return {
        "version_before": max(entry.version - 1, 0),
        "version": entry.version,
        "made_at": entry.made_at.astimezone(LOCAL_TIME).isoformat(timespec="milliseconds"),
        "made_by": entry.author.name,
        "undone": (not is_edit) if was_edit else None,
        "edit": as_told(entry.record, village_code, plan),
    }


def _is_edit(record: Mapping[str, Any]) -> bool:
    return record[KIND] not in {UNDO, REDO, *STEPS}


def as_told(record: Mapping[str, Any], village_code: str, plan: Plan | None) -> dict[str, Any]:
    """Return a record of the log as the API says it: grids by their code, corners in degrees."""
    told: dict[str, Any] = dict(record)
    if told.get("grid") is not None:
        told["grid"] = village_code + told["grid"]
    if "grids" in told:
        told["grids"] = [village_code + grid for grid in told["grids"]]
    if "line" in told and plan is not None:
        told["line"] = _in_degrees(told["line"], plan)
    return told


def as_meant(record: Mapping[str, Any], village_code: str, plan: Plan) -> dict[str, Any]:
    """Return an edit of the API as the domain means it: grids by serial, corners in the plan's metres.

    What else is not as it should be is left as it is, for the domain to refuse.

    Raises
    ------
    EditRefusedError
        `EDIT_UNREADABLE` when the line is none in degrees, or too long.
    """
    meant: dict[str, Any] = dict(record)
    if "grid" in meant:
        meant["grid"] = _serial(meant["grid"], village_code)
    if isinstance(meant.get("grids"), list):
        meant["grids"] = [_serial(grid, village_code) for grid in meant["grids"]]
    if "line" in meant:
        meant["line"] = _in_metres(meant["line"], plan)
    return meant


def _serial(grid: Any, village_code: str) -> Any:  # noqa: ANN401  JSON
    return grid.removeprefix(village_code) if isinstance(grid, str) and len(grid) > 3 else grid


def _in_metres(line: Any, plan: Plan) -> list[list[float]]:  # noqa: ANN401  JSON
    if not isinstance(line, list) or len(line) > _MOST_CORNERS or not all(map(_is_corner, line)):
        wanted = f"'line' to be a list of at most {_MOST_CORNERS} pairs of longitude and latitude"
        hint = "send the line in degrees, longitude first"
        raise EditRefusedError(Refusal.EDIT_UNREADABLE, wanted, repr(line)[:80], hint)
    to_metres = _transformer(plan.cells.crs.srs)
    return [list(to_metres.transform(*corner)) for corner in line]


def _in_degrees(line: Sequence[Sequence[float]], plan: Plan) -> list[list[float]]:
    back = _transformer(plan.cells.crs.srs)
    return [[round(one, _DIGITS) for one in back.transform(*corner, direction="INVERSE")] for corner in line]


@lru_cache(maxsize=64)
def _transformer(crs: str) -> Transformer:
    return Transformer.from_crs(STORAGE_SRID, crs, always_xy=True)


def _is_corner(corner: Any) -> bool:  # noqa: ANN401  JSON
    return (
        isinstance(corner, list)
        and len(corner) == 2
        and all(isinstance(one, int | float) and not isinstance(one, bool) for one in corner)
        and abs(corner[0]) <= 180
        and abs(corner[1]) <= 90
    )
