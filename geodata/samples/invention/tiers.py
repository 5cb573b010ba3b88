"""Tiers and reasons, in hot spots as they are in life."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from mapgrid.tiers import TIER_OF_REASON, Tier, TierReason, suggest_tier

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from numpy.random import Generator
    from numpy.typing import NDArray

RED_SHARE, YELLOW_SHARE = 0.04, 0.16
_HOUSEHOLDS_PER_HOT_SPOT = 160
_HOT_SPOT_RADIUS_M = 110.0
_RED_VALID_DAYS = 80  # a red tier expires after 90 days unless renewed; none of these should look forgotten

_RED_REASONS = tuple(reason for reason, tier in TIER_OF_REASON.items() if tier is Tier.RED)
_YELLOW_REASONS = tuple(reason for reason, tier in TIER_OF_REASON.items() if tier is Tier.YELLOW)
_YELLOW_WEIGHTS = (0.18, 0.14, 0.24, 0.12, 0.18, 0.06, 0.08)
_GO_WITH_ANYTHING = (TierReason.SUBSISTENCE, TierReason.CHRONIC_ILLNESS, TierReason.UNSAFE_HOUSE)
_SECOND_REASON_CHANCE = 0.3


def heat_of(places: GeoSeries, rng: Generator) -> NDArray:
    """Return how near each place is to one of a few chosen hot spots: about 1 in one, 0 far away.

    `places` are points in a metric CRS; the hot spots are some of them.
    """
    xy = shapely.get_coordinates(places.to_numpy())
    count = max(2, round(len(xy) / _HOUSEHOLDS_PER_HOT_SPOT))
    spots = xy[rng.choice(len(xy), size=min(count, len(xy)), replace=False)]
    squared_m2 = ((xy[:, None, :] - spots[None, :, :]) ** 2).sum(axis=2)
    heat: NDArray = np.exp(-squared_m2 / (2.0 * _HOT_SPOT_RADIUS_M**2)).sum(axis=1)
    return heat


def invent_tiers(places: GeoSeries, rng: Generator, *, today: date) -> pd.DataFrame:
    """Return `tier`, `reasons` (list of text) and `tier_since` (date) for households standing at points in metres.

    4 % red and 16 % yellow, rounded, gathered in and around hot spots; the tier is what the reasons suggest. Indexed
    like `places`.
    """
    heat = heat_of(places, rng)
    n = len(places)
    by_need = np.argsort(-(3.0 * heat + rng.gumbel(size=n)), kind="stable")
    red, yellow = round(RED_SHARE * n), round(YELLOW_SHARE * n)
    reasons: list[list[TierReason]] = [[] for _ in range(n)]
    for row in by_need[:red]:
        reasons[row] = _red_reasons(rng)
    for row in by_need[red : red + yellow]:
        reasons[row] = _yellow_reasons(rng)
    tiers = [suggest_tier(of_household) for of_household in reasons]
    return pd.DataFrame(
        {
            "tier": [tier.value for tier in tiers],
            "reasons": [[reason.value for reason in of_household] for of_household in reasons],
            "tier_since": [_since(tier, rng, today) for tier in tiers],
        },
        index=places.index,
    )


def _red_reasons(rng: Generator) -> list[TierReason]:
    first = _RED_REASONS[rng.integers(len(_RED_REASONS))]
    return [first, *_perhaps_another(first, rng)]


def _yellow_reasons(rng: Generator) -> list[TierReason]:
    first = _YELLOW_REASONS[rng.choice(len(_YELLOW_REASONS), p=_YELLOW_WEIGHTS)]
    return [first, *_perhaps_another(first, rng)]


def _perhaps_another(first: TierReason, rng: Generator) -> list[TierReason]:
    other = _GO_WITH_ANYTHING[rng.integers(len(_GO_WITH_ANYTHING))]
    return [other] if rng.random() < _SECOND_REASON_CHANCE and other is not first else []


def _since(tier: Tier, rng: Generator, today: date) -> date:
    return today - timedelta(days=int(rng.integers(3, _RED_VALID_DAYS if tier is Tier.RED else 500)))
