"""Divide a village given in files on the borders of a former plan, or around locked grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from geodata.files.plan_file import PlanFrames, read_plan
from geodata.files.spec import shown_name, split_spec
from mapgrid.errors import Fault, InputRefusedError, LimitsError
from mapgrid.partition.points import SAME_POINT_M

if TYPE_CHECKING:
    import geopandas as gpd

    from mapgrid.partition import Plan
    from web.actions.divide_files import Wanted
    from web.actions.division_inputs import Inputs, Sources

KEEP = ("least-moves",)


@dataclass(frozen=True, slots=True)
class Kept:
    """A former plan and locked grids, where they were asked for, in the metric CRS of the village."""

    base: PlanFrames | None
    locked: PlanFrames | None

    def pairs(self) -> tuple[tuple[gpd.GeoSeries, gpd.GeoSeries], ...]:
        """Return the polygons as given and in metres, the locked ones first."""
        return tuple((plan.given, plan.grids.geometry) for plan in (self.locked, self.base) if plan is not None)


def check_keep(asked: dict[str, str | None]) -> None:
    """Raise `LimitsError` unless `--keep` names a way there is, and what is asked can be had beside a plan to keep."""
    base, keep = asked["base"], asked["keep"]
    for option in ("roads", "max_way"):
        if asked[option] is not None and (base is not None or asked["locked"] is not None):
            msg = f"--{option.replace('_', '-')}: expected without --base and --locked, found with one of them"
            raise LimitsError(msg)
    if keep is not None and keep not in KEEP:
        msg = f"--keep: expected {', '.join(KEEP)}, found {keep!r}"
        raise LimitsError(msg)
    if keep is not None and base is None:
        msg = "--keep: expected --base PLAN.gpkg beside it, found none"
        raise LimitsError(msg)


def read_kept(inputs: Inputs, sources: Sources) -> Kept | None:
    """Return the plans that are to be kept, or None when there are none.

    Raises
    ------
    InputRefusedError
        If a file is no plan, or one of another village.
    """
    if sources.base is None and sources.locked is None:
        return None
    base, locked = (
        None if file is None else _read_plan_of(inputs, file, option)
        for file, option in ((sources.base, "--base"), (sources.locked, "--locked"))
    )
    return Kept(base, locked)


def _read_plan_of(inputs: Inputs, file: str, option: str) -> PlanFrames:
    """Return a plan that has at least one household, by its point, in common with the given ones."""
    plan = read_plan(file, inputs.village.crs)
    former = plan.households.geometry.to_numpy()
    today = shapely.STRtree(inputs.households.geometry.to_numpy())
    if not today.query(former, "dwithin", distance=SAME_POINT_M).size:
        found = f"none of its {len(former)} households among those given"
        hint = "give the plan that was made of this village's households"
        expected = f"a plan of this village ({option})"
        raise InputRefusedError([Fault(expected, found, file=shown_name(split_spec(file)[0]), hint=hint)])
    return plan


def divide_kept(inputs: Inputs, wanted: Wanted, kept: Kept) -> tuple[Plan, ...]:
    """Return the plans that keep a former plan, the most cautious first, or the one around locked grids."""
    # They bring the solver with them, which nobody should wait for who keeps nothing.
    from mapgrid.partition.rebalancing.carry import with_locked  # noqa: PLC0415
    from mapgrid.partition.rebalancing.rebalance import divide_around, rebalance, warm  # noqa: PLC0415

    how: dict[str, Any] = {"limits": wanted.limits, "preset": wanted.preset, "seed": wanted.seed}
    how |= inputs.layers
    frames = (inputs.village, inputs.households)
    if kept.base is None:
        assert kept.locked is not None  # noqa: S101  one of the two was asked for
        return (divide_around(kept.locked, *frames, effort=wanted.effort, **how),)
    warm()
    if kept.locked is None:
        return rebalance(kept.base, *frames, **how)
    names = frozenset(kept.locked.grids["grid"])
    base = with_locked(kept.base, kept.locked)
    return rebalance(base, *frames, locked=names, **how)


def about_kept(plans: tuple[Plan, ...]) -> dict[str, Any]:
    """Return what a report says of what was kept: the moves, locked grids, and the other plans there would be."""
    first = plans[0]
    about: dict[str, Any] = {"locked": sorted(first.locked)}
    if first.moves is not None:
        about["moves"] = first.moves.as_record()
        about["alternatives"] = [_figures(plan) for plan in plans]
    return about


def _figures(plan: Plan) -> dict[str, int | float | None]:
    card = plan.scorecard
    figures = ("moved_households", "distance_m", "workload_cv", "cv", "grids")
    return {name: value for name, value in card.as_record().items() if name in figures}
