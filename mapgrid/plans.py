"""States of a plan and kinds of grid."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class PlanState(StrEnum):
    """Where a plan stands between drawing and history."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


NEXT: Mapping[PlanState, frozenset[PlanState]] = MappingProxyType(
    {
        PlanState.DRAFT: frozenset({PlanState.IN_REVIEW}),
        PlanState.IN_REVIEW: frozenset({PlanState.DRAFT, PlanState.PUBLISHED}),
        PlanState.PUBLISHED: frozenset({PlanState.SUPERSEDED}),
        PlanState.SUPERSEDED: frozenset(),
    }
)
"""What may follow what."""


class GridKind(StrEnum):
    """What a grid is for."""

    COMPREHENSIVE = "comprehensive"
    DEDICATED = "dedicated"
    MICRO = "micro"
