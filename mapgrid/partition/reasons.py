"""Why a grid or a household is not as the limits ask, and why a grid has more than one piece."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """What made the limits unreachable."""

    UNIT_OVER_MAX = "UNIT_OVER_MAX"
    """One point alone, or one unit, weighs more than the maximum."""
    VILLAGE_UNDER_MIN = "VILLAGE_UNDER_MIN"
    """The village has too few households for the number of grids that it would take."""
    ISOLATED_UNIT = "ISOLATED_UNIT"
    """Cut off by a barrier or by distance, and outside the limits alone; or a unit of parts that are cut off so."""
    UNITS_DO_NOT_FIT = "UNITS_DO_NOT_FIT"
    """The unit is broken because whole units make no grids within the limits."""
    NO_GEOMETRY = "NO_GEOMETRY"
    """A household without a usable point: it is in no grid."""
    LOCKED = "LOCKED"
    """The grid was locked by the planner."""
    BY_HAND = "BY_HAND"
    """The planner made the grid so."""
    NO_DIVISION_FOUND = "NO_DIVISION_FOUND"
    """The households would fit, but no connected division was found: heavy points or narrow land stand in the way."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one grid is outside the limits (`grid` set), a household in no grid or a unit in several (`grid` None)."""

    grid: str | None
    code: ReasonCode
    detail: str

    def as_record(self) -> dict[str, str | None]:
        """Return the reason as a plain record for a report."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Piece:
    """Why a grid consists of more than one piece, or reaches through an opening in a barrier.

    Attributes
    ----------
    grid
        The grid.
    part
        Number of the piece, the one with most households being 1.
    why
        What was joined, and what for.
    """

    grid: str
    part: int
    why: str

    def as_record(self) -> dict[str, str | int]:
        """Return the piece as a plain record for a report."""
        return asdict(self)


def counts_that_fit(weight: int, low: int, high: int) -> range:
    """Return the numbers of grids for which `weight` households can lie within the limits; empty when there is none."""
    return range(-(-weight // high), weight // low + 1)


def count_near_target(weight: int, low: int, high: int, target: int) -> list[int]:
    """Return the numbers of grids that fit, the one nearest to the target first."""
    return sorted(counts_that_fit(weight, low, high), key=lambda count: (abs(weight / count - target), count))
