"""A plan out of grids that somebody drew: they stay as they are, cells and ten-household groups are made in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd

from mapgrid.partition.frames import texts
from mapgrid.partition.reasons import Reason, ReasonCode
from mapgrid.partition.rebalancing.given import Given, Wish
from mapgrid.partition.rebalancing.site import plan_of, survey
from mapgrid.village import Limits

if TYPE_CHECKING:
    from collections.abc import Collection

    from geopandas import GeoDataFrame

    from mapgrid.partition.plan import Plan


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Grids without a household that is known to be in one; see `carry.Base`."""

    grids: GeoDataFrame
    households: GeoDataFrame
    ended: frozenset[str]


def plan_of_drawn(
    grids: GeoDataFrame,
    village: GeoDataFrame,
    households: GeoDataFrame,
    *,
    barriers: GeoDataFrame | None = None,
    prefer: GeoDataFrame | None = None,
    limits: Limits = Limits(),  # noqa: B008  frozen
    used: Collection[str] = (),
    seed: int = 0,
) -> Plan:
    """Return the plan whose grids are these; grids outside the limits are reasons, nothing is moved.

    Parameters
    ----------
    grids
        A coverage of the village in its metric CRS, node by node: `grid` (three digits, each once) and polygons, in
        each of which a household stands.
    village, households, barriers, prefer, limits
        As for `divide`. A household on the border of two grids is in the one of lower name.
    used
        Names that other plans of the village have, which no later grid of this one may get.
    seed
        As for `divide`; of the ten-household groups.
    """
    nobody = gpd.GeoDataFrame({"grid": [], "group": []}, geometry=[], crs=village.crs)
    drawn = _Drawn(grids, nobody, frozenset(used))
    wish = Wish(limits, "balanced", seed, "standard")
    site = survey(drawn, Given(village, households, barriers, None, prefer), wish, frozenset(grids["grid"]))
    plan = plan_of(site, site.carried.label, None)
    reasons = tuple(_by_hand(reason) for reason in plan.reasons)
    code = {reason.grid: reason.code.value for reason in reasons}
    named = plan.grids.assign(reason=texts([code.get(name) for name in plan.grids["grid"]], plan.grids.index))
    return replace(plan, grids=named, reasons=reasons, locked=frozenset())


def _by_hand(reason: Reason) -> Reason:
    if reason.code is not ReasonCode.LOCKED:
        return reason
    return Reason(reason.grid, ReasonCode.BY_HAND, reason.detail.replace("in a locked grid", "in the grid as drawn"))
