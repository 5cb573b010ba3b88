"""A former plan as it is, on the households of today: every household stays, new ones join the grid they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapgrid.partition.plan import Moves, Plan
from mapgrid.partition.rebalancing.given import Given, Wish
from mapgrid.partition.rebalancing.site import plan_of, survey
from mapgrid.village import Limits

if TYPE_CHECKING:
    from collections.abc import Collection

    from geopandas import GeoDataFrame

    from mapgrid.partition.rebalancing.carry import Base


def carry_over(  # noqa: PLR0913  as `divide`
    base: Base,
    village: GeoDataFrame,
    households: GeoDataFrame,
    *,
    barriers: GeoDataFrame | None = None,
    units: GeoDataFrame | None = None,
    prefer: GeoDataFrame | None = None,
    limits: Limits = Limits(),  # noqa: B008  frozen
    locked: Collection[str] = (),
    preset: str = "balanced",
    seed: int = 0,
) -> Plan:
    """Return a former plan for today's households, with nobody moved; grids may be outside the limits.

    Parameters
    ----------
    base
        The former plan: a `Plan`, or frames; the CRS of `village`.
    village, households, barriers, units, prefer
        As for `divide`. A household is known by its point (to the millimetre); a new one joins the grid whose land it
        stands in.
    limits
        What the plan is measured by from now on.
    locked
        Names of locked grids; those that are no more are passed over.
    preset, seed
        As for `divide`; kept with the plan.

    Raises
    ------
    NotMetricError
        If a frame is not in metres, or the CRS differ.
    InputRefusedError
        If the boundary or a household is unfit; with every fault.
    """
    given = Given(village, households, barriers, units, prefer)
    names = frozenset(base.grids["grid"])
    site = survey(base, given, Wish(limits, preset, seed, "standard"), names.intersection(locked))
    new = int(site.points.weight[~site.carried.is_old].sum())
    return plan_of(site, site.carried.label, Moves(0, 0, new, site.carried.gone))
