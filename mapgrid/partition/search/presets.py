"""Presets (what a good division is) and efforts (how long one is looked for)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from mapgrid.errors import LimitsError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a good division is. All is weighed against one mean way per grid, so that it means the same at every size.

    Attributes
    ----------
    compact
        What one unit of a grid's Polsby–Popper is worth.
    even
        What one unit of the squared coefficient of variation of workload is worth, per grid.
    slack
        How much longer than the shortest known the way may be for the sake of the outline, as a share.
    prices
        What divisions are looked for with in place of `compact`, where trying is cheap; the best plan within the slack
        is taken. Where it is not, the one in the middle; `compact` where there is none.
    farthest_m
        Longest way from a household to its centre that is wished for, metres.
    """

    compact: float
    even: float
    slack: float = 0.0
    prices: tuple[float, ...] = ()
    farthest_m: float = float("inf")

    def tried(self, *, is_cheap: bool) -> tuple[float, ...]:
        """Return the prices of the outline to look for divisions with, the lowest first."""
        prices = self.prices or (self.compact,)
        return prices if is_cheap else (prices[len(prices) // 2],)


PRESETS: Mapping[str, Wishes] = MappingProxyType(
    {
        "balanced": Wishes(compact=0.45, even=0.02, slack=0.02, prices=(0.02, 0.2, 0.45, 0.9, 1.5)),
        "shortest": Wishes(compact=0.0, even=0.0, prices=(0.0, 0.02, 0.1)),
        "compact": Wishes(compact=1.2, even=0.02, slack=0.06, prices=(0.02, 0.6, 1.2, 2.4)),
        "workload": Wishes(compact=0.35, even=8.0),
    }
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried; counted in moves, never in seconds, so that the answer does not depend on the machine.

    Attributes
    ----------
    cells
        Cells that are started from, over all starts: a village of fewer cells has more starts.
    most_starts
        Starts at most.
    epochs
        Temperatures of the annealing from the best starts; a third of them from every start, two thirds in renewals.
    renewals
        How often the surroundings of each grid are divided anew.
    """

    cells: int
    most_starts: int
    epochs: int
    renewals: int

    def starts(self, cells: int) -> int:
        """Return how many starts a region of so many cells has."""
        return max(1, min(self.most_starts, self.cells // cells))

    def finals(self, starts: int) -> int:
        """Return how many of the best starts are annealed at length."""
        return max(1, starts // 4)

    def cooling(self, cells: int) -> int:
        """Return how many temperatures there are from the best starts; more where there are starts but no prices."""
        return self.epochs * 5 // 3 if self.is_small(cells) and not self.is_cheap(cells) else self.epochs

    def is_small(self, cells: int) -> bool:
        """Return whether a region is so small that exchanges of cells can be looked for."""
        return cells <= self.cells

    def is_cheap(self, cells: int) -> bool:
        """Return whether a region is so small that several prices of the outline can be tried."""
        return cells <= self.cells // 6


EFFORTS: Mapping[str, Effort] = MappingProxyType(
    {
        "quick": Effort(cells=3_000, most_starts=4, epochs=24, renewals=1),
        "standard": Effort(cells=6_000, most_starts=24, epochs=36, renewals=2),
        "thorough": Effort(cells=240_000, most_starts=96, epochs=200, renewals=20),
    }
)


def choose_effort(name: str) -> Effort:
    """Return the effort of that name, or raise `LimitsError` naming the ones there are."""
    if name not in EFFORTS:
        msg = f"--effort: expected one of {', '.join(EFFORTS)}, found {name!r}"
        raise LimitsError(msg)
    return EFFORTS[name]


def choose_wishes(name: str) -> Wishes:
    """Return the preset of that name, or raise `LimitsError` naming the ones there are."""
    if name not in PRESETS:
        msg = f"--preset: expected one of {', '.join(PRESETS)}, found {name!r}"
        raise LimitsError(msg)
    return PRESETS[name]
