"""Cases: classes, levels, states, what may follow what, and how a case stands on the map."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class CaseClass(StrEnum):
    """What a case is about."""

    DISPUTE = "dispute"
    HAZARD = "hazard"
    LIVELIHOOD = "livelihood"
    SANITATION = "sanitation"
    INFRASTRUCTURE = "infrastructure"
    POLICY_ADVICE = "policy_advice"
    SPECIAL_CARE = "special_care"
    EMERGENCY = "emergency"
    OTHER = "other"


class CaseLevel(StrEnum):
    """Who can solve a case."""

    VILLAGE = "village"
    TOWN = "town"
    DISTRICT = "district"


class CaseState(StrEnum):
    """Where a case stands between report and close-out."""

    REPORTED = "reported"
    ACCEPTED = "accepted"
    ASSIGNED = "assigned"
    PROCESSING = "processing"
    RESOLVED = "resolved"
    RATED = "rated"
    CLOSED = "closed"
    RETURNED = "returned"
    WHISTLED_TOWN = "whistled_town"
    WHISTLED_DEPARTMENT = "whistled_department"
    EXTENDED = "extended"
    REOPENED = "reopened"
    REJECTED = "rejected"


WHISTLED = frozenset({CaseState.WHISTLED_TOWN, CaseState.WHISTLED_DEPARTMENT})
ENDED = frozenset({CaseState.CLOSED, CaseState.REJECTED})


class MapState(StrEnum):
    """How a case is drawn, most urgent first."""

    OVERDUE = "overdue"
    NEAR_DUE = "near_due"
    WHISTLED = "whistled"
    OPEN = "open"
    CLOSED_RECENTLY = "closed_recently"


OPEN_ON_MAP = frozenset(MapState) - {MapState.CLOSED_RECENTLY}
NEAR_DUE_WITHIN = timedelta(days=2)
CLOSED_SHOWN_FOR = timedelta(days=30)

CLASS_LEVEL: Mapping[CaseClass, CaseLevel] = MappingProxyType(
    {
        CaseClass.DISPUTE: CaseLevel.VILLAGE,
        CaseClass.POLICY_ADVICE: CaseLevel.VILLAGE,
        CaseClass.SANITATION: CaseLevel.TOWN,
        CaseClass.INFRASTRUCTURE: CaseLevel.TOWN,
        CaseClass.HAZARD: CaseLevel.TOWN,
        CaseClass.SPECIAL_CARE: CaseLevel.VILLAGE,
        CaseClass.EMERGENCY: CaseLevel.TOWN,
        CaseClass.LIVELIHOOD: CaseLevel.DISTRICT,
        CaseClass.OTHER: CaseLevel.VILLAGE,
    }
)
"""The level a case of each class starts at."""


def map_state(state: CaseState, *, due_at: datetime, closed_at: datetime | None, now: datetime) -> MapState | None:
    """Return how the case is drawn at `now`, or None when it is not drawn any more.

    Overdue outranks a whistle: whoever holds the case, the deadline has passed. All times carry a time zone.
    """
    if state in ENDED:
        recent = state is CaseState.CLOSED and closed_at is not None and now - closed_at <= CLOSED_SHOWN_FOR
        return MapState.CLOSED_RECENTLY if recent else None
    if now > due_at:
        return MapState.OVERDUE
    if state in WHISTLED:
        return MapState.WHISTLED
    if due_at - now <= NEAR_DUE_WITHIN:
        return MapState.NEAR_DUE
    return MapState.OPEN
