"""Divide a village given in files: divide, write, report; no database."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from geodata.files.plan_file import in_degrees, named_like_input, whole_files, write_plan
from mapgrid.partition import divide

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

    from mapgrid.partition import Plan
    from mapgrid.village import Limits
    from web.actions.division_inputs import Inputs, Sources


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a division."""

    limits: Limits
    preset: str
    seed: int
    effort: str
    max_way_m: float | None = None


def divide_inputs(inputs: Inputs, wanted: Wanted, progress: Callable[[float, str], None] | None = None) -> Plan:
    """Return the plan of sound inputs."""
    return divide(
        inputs.village,
        inputs.households,
        limits=wanted.limits,
        preset=wanted.preset,
        seed=wanted.seed,
        effort=wanted.effort,
        max_way_m=wanted.max_way_m,
        progress=progress,
        **inputs.layers,
    )


def save_division(
    plan: Plan,
    inputs: Inputs,
    out: Path,
    others: dict[Path, str],
    kept: tuple[tuple[gpd.GeoSeries, gpd.GeoSeries], ...] = (),
) -> None:
    """Write the plan, and other files about it with their text: all or none.

    `kept` are polygons that were kept, as given and in metres: their nodes are written as they were.
    """
    grids = plan.grids.set_geometry(
        in_degrees(
            plan.grids.geometry,
            (inputs.features.geometry, inputs.households.geometry),
            (inputs.boundary.geometry, inputs.village.geometry),
            *kept,
        )
    )
    rows = named_like_input(inputs.features, plan.households["grid"].to_numpy(), plan.households["group"].to_numpy())
    with whole_files(out, *others) as written:
        write_plan(written[0], grids, rows, plan.ended)
        for target, text in zip(written[1:], others.values(), strict=True):
            target.write_text(text, encoding="utf-8")


def report_of(plan: Plan, sources: Sources, more: dict[str, Any] | None = None) -> str:
    """Return the scorecard with reasons, pieces, what else there is to say, and parameters as JSON."""
    record: dict[str, Any] = {
        **plan.scorecard.as_record(),
        "reasons": [reason.as_record() for reason in plan.reasons],
        "pieces": [piece.as_record() for piece in plan.pieces],
        "groups_outside": plan.groups_outside(),
        "too_far": plan.too_far(),
        "units": [unit.as_record() for unit in plan.units],
        "units_proved": plan.units_proved,
        **(more or {}),
        "parameters": {
            **asdict(plan.limits),
            "preset": plan.preset,
            "seed": plan.seed,
            "effort": plan.effort,
            "max_way_m": plan.max_way_m,
            **asdict(sources),
        },
    }
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"
