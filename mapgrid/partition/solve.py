"""Divide one region: several capacitated starts, each repaired and annealed, the best one kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.errors import LimitsError
from mapgrid.partition import refine, seeds
from mapgrid.partition.arrays import Cells, Net, Prices
from mapgrid.partition.chance import new_state
from mapgrid.partition.pieces import join_pieces
from mapgrid.partition.reasons import count_near_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mapgrid.partition.graph import Graph


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried; counted in moves, never in seconds, so that the answer does not depend on the machine.

    Attributes
    ----------
    starts
        Capacitated k-means runs.
    trial_flips, final_flips
        Flips per cell tried from each start, and again from each of the best.
    finals
        How many of the best starts are annealed at length.
    trial_heat, final_heat
        First temperature of both, in energy.
    """

    starts: int
    trial_flips: int
    finals: int
    final_flips: int
    trial_heat: float = 0.02
    final_heat: float = 0.05

    def for_size(self, cells: int) -> Effort:
        """Return the effort for a region: a small one costs little, so more is tried there, and hotter."""
        if cells >= _SMALL:
            return self
        return replace(self, starts=3 * self.starts, finals=2 * self.finals, trial_heat=_HOT, final_heat=_HOT)


EFFORTS: Mapping[str, Effort] = MappingProxyType(
    {
        "quick": Effort(starts=4, trial_flips=60, finals=1, final_flips=250),
        "standard": Effort(starts=6, trial_flips=100, finals=2, final_flips=700),
        "thorough": Effort(starts=24, trial_flips=300, finals=8, final_flips=4000),
    }
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a good division is, as prices against one mean distance per grid.

    Attributes
    ----------
    distance, compact, even
        Of the way to the grid centre, of Polsby–Popper, of the variance of households per grid.
    """

    distance: float
    compact: float
    even: float


PRESETS: Mapping[str, Wishes] = MappingProxyType(
    {
        "balanced": Wishes(distance=1.0, compact=0.25, even=0.02),
        "shortest": Wishes(distance=1.0, compact=0.05, even=0.0),
        "compact": Wishes(distance=1.0, compact=0.8, even=0.02),
        "workload": Wishes(distance=1.0, compact=0.25, even=2.0),
    }
)

_BARRIER_PAIR = 2.0
_HOUSEHOLD_BEYOND = 4.0
_RESCUE_BEYOND = 1000.0  # when nothing else brought all grids into the limits, no way is too far
_COLD = 0.0005
_RESCUE_HEAT = (0.3, 0.001)
_SMALL = 600  # cells
_HOT = 0.2
_LARGE = 1_000_000  # points × grids above which fewer, shorter starts are made


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


def split(
    graph: Graph, limits: tuple[int, int, int], wishes: Wishes, effort: Effort, seed: int
) -> tuple[NDArray[np.int64], int]:
    """Return a label 0… for each cell of a connected graph, and the households beyond the limits (0 when all fit).

    Parameters
    ----------
    limits
        Least, most, wished-for households of a grid.
    seed
        Of the random numbers; the same input and seed give the same labels.
    """
    low, high, target = limits
    total = int(graph.weight.sum())
    counts = count_near_target(total, low, high, target) or [max(1, -(-total // high))]
    best: tuple[int, NDArray[np.int64]] | None = None
    for count in counts[:5]:
        label, beyond = _split_into(min(count, len(graph.cells)), graph, (low, high), wishes, effort, seed)
        if best is None or beyond < best[0]:
            best = (beyond, label)
        if beyond == 0:
            break
    assert best is not None  # noqa: S101
    return best[1], best[0]


def _split_into(
    count: int, graph: Graph, limits: tuple[int, int], wishes: Wishes, effort: Effort, seed: int
) -> tuple[NDArray[np.int64], int]:
    if count == 1:
        total = int(graph.weight.sum())
        return np.zeros(len(graph.cells), dtype=np.int64), max(0, total - limits[1]) + max(0, limits[0] - total)
    run = _Run(graph, count, limits, wishes, seed)
    starts = run.starts(effort)
    run.scale_m = min(run.distance(label) for label in starts) or 1.0
    trials = [
        run.anneal(label, (effort.trial_heat, _COLD), effort.trial_flips, number) for number, label in enumerate(starts)
    ]
    trials.sort(key=lambda trial: (trial.beyond, trial.energy))
    finals = [
        run.anneal(trial.label, (effort.final_heat, _COLD), effort.final_flips, 1000 + number)
        for number, trial in enumerate(trials[: effort.finals])
    ]
    best = min([*finals, trials[0]], key=lambda trial: (trial.beyond, trial.energy))
    for number in range(3):
        if best.beyond == 0:
            break
        flips = max(effort.final_flips, 2000)
        again = run.anneal(best.label, _RESCUE_HEAT, flips, 2000 + number, per_beyond=_RESCUE_BEYOND)
        best = min(best, again, key=lambda trial: (trial.beyond, trial.energy))
    return best.label, best.beyond


@dataclass(frozen=True, slots=True)
class _Trial:
    label: NDArray[np.int64]
    beyond: int
    energy: float


class _Run:
    """One region divided into a fixed number of grids."""

    def __init__(self, graph: Graph, count: int, limits: tuple[int, int], wishes: Wishes, seed: int) -> None:
        self.graph, self.count, self.limits, self.wishes, self.seed = graph, count, limits, wishes, seed
        self.scale_m = 1.0
        self._net = Net(graph.start, graph.neighbour, graph.border_m, graph.touch)
        self._cells = Cells(graph.xy, graph.weight, graph.area_m2, graph.outline_m)

    def starts(self, effort: Effort) -> list[NDArray[np.int64]]:
        """Return connected starts."""
        graph = self.graph
        large = len(graph.cells) * self.count > _LARGE
        made = []
        for number in range(min(effort.starts, 2) if large else effort.starts):
            state = new_state(self.seed, number, self.count)
            rounds = 8 if large else 15
            label = seeds.settle(graph.xy, graph.weight, self.count, self.limits, rounds, state)
            made.append(join_pieces(self._net, graph.weight, label, self.count))
        return made

    def distance(self, label: NDArray[np.int64]) -> float:
        """Return the summed distance from household to grid centre, metres."""
        tally = refine.count_up(self._net, self._cells, label, self.count)
        return float(refine.total_distance(self._cells, tally, label))

    def anneal(
        self,
        label: NDArray[np.int64],
        heat: tuple[float, float],
        flips_per_cell: int,
        number: int,
        *,
        per_beyond: float = _HOUSEHOLD_BEYOND,
    ) -> _Trial:
        """Return the best division met from one start."""
        wishes = self.wishes
        per_metre = wishes.distance * self.count / self.scale_m
        mean = int(self.graph.weight.sum()) / self.count
        prices = Prices(per_metre, wishes.compact, _BARRIER_PAIR, per_beyond, wishes.even / mean**2)
        model = (self._net, self._cells, self.limits, prices)
        state = new_state(self.seed, number, self.count)
        found = refine.anneal(model, label, self.count, heat, flips_per_cell * len(self.graph.cells), state)
        return _Trial(found[0], int(found[1]), float(found[2]))
