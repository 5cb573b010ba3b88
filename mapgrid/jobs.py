"""Jobs: work that takes longer than a page may, its states and what may follow what."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class JobKind(StrEnum):
    """What a job does."""

    DIVIDE = "divide"
    """Divide a village into grids and publish the plan."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


NEXT: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED, JobState.CANCELLED}),
        # Running again: what ran it was killed, and another takes it.
        JobState.RUNNING: frozenset({JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}),
        JobState.SUCCEEDED: frozenset(),
        JobState.FAILED: frozenset(),
        JobState.CANCELLED: frozenset(),
    }
)
ENDED = frozenset(state for state, following in NEXT.items() if not following)

MOST_ATTEMPTS = 3
"""How often a job may be begun: one that kills whoever runs it must not do so for ever."""
