"""States of a plan and kinds of grid."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from mapgrid.errors import PlanStateError

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


def check_next(state: PlanState, wanted: PlanState) -> None:
    """Raise `PlanStateError` unless a plan in this state may come into the wanted one."""
    if wanted not in NEXT[state]:
        follows = " or ".join(sorted(NEXT[state])) or "nothing"
        msg = f"expected a state that may follow {state} ({follows}), found {wanted}; the plan stays as it is"
        raise PlanStateError(msg)


def check_draft(state: PlanState) -> None:
    """Raise `PlanStateError` unless a plan in this state may be edited and deleted."""
    if state is not PlanState.DRAFT:
        hint = "send it back to draft first" if PlanState.DRAFT in NEXT[state] else "make a draft of it and change that"
        msg = f"expected a plan in state {PlanState.DRAFT}, found one in state {state}; {hint}"
        raise PlanStateError(msg)


class GridKind(StrEnum):
    """What a grid is for."""

    COMPREHENSIVE = "comprehensive"
    DEDICATED = "dedicated"
    MICRO = "micro"
