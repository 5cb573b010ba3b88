"""Household tiers: red, yellow, green, and why."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Tier(StrEnum):
    """Risk-and-care level of a household, most urgent first."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    UNKNOWN = "unknown"


class TierReason(StrEnum):
    """Why a household stands in its tier."""

    SERIOUS_DISPUTE = "serious_dispute"
    ACUTE_HARDSHIP = "acute_hardship"
    ILL_ALONE_80 = "ill_alone_80"
    SUBSISTENCE = "subsistence"
    DISABILITY = "disability"
    EMPTY_NEST = "empty_nest"
    LEFT_BEHIND = "left_behind"
    CHRONIC_ILLNESS = "chronic_illness"
    UNSAFE_HOUSE = "unsafe_house"
    ORDINARY_DISPUTE = "ordinary_dispute"


TIER_OF_REASON: Mapping[TierReason, Tier] = MappingProxyType(
    {
        TierReason.SERIOUS_DISPUTE: Tier.RED,
        TierReason.ACUTE_HARDSHIP: Tier.RED,
        TierReason.ILL_ALONE_80: Tier.RED,
        TierReason.SUBSISTENCE: Tier.YELLOW,
        TierReason.DISABILITY: Tier.YELLOW,
        TierReason.EMPTY_NEST: Tier.YELLOW,
        TierReason.LEFT_BEHIND: Tier.YELLOW,
        TierReason.CHRONIC_ILLNESS: Tier.YELLOW,
        TierReason.UNSAFE_HOUSE: Tier.YELLOW,
        TierReason.ORDINARY_DISPUTE: Tier.YELLOW,
    }
)
"""The tier each reason suggests. A suggestion only: a person decides, nothing tiers a household by itself."""

_URGENCY = (Tier.RED, Tier.YELLOW, Tier.GREEN)


def suggest_tier(reasons: Iterable[TierReason]) -> Tier:
    """Return the most urgent tier the reasons suggest, green without any."""
    suggested = {TIER_OF_REASON[reason] for reason in reasons}
    return next((tier for tier in _URGENCY if tier in suggested), Tier.GREEN)
