"""Divide one region: several capacitated starts, each repaired and annealed; the best renewed and annealed again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.cells.land import Touch
from mapgrid.partition.reasons import count_near_target
from mapgrid.partition.search import refine, seeds
from mapgrid.partition.search.arrays import TOUCH, WORK, Model, Prices
from mapgrid.partition.search.chance import new_state
from mapgrid.partition.search.pieces import adopt, join_pieces
from mapgrid.partition.search.renew import renew
from mapgrid.partition.search.swaps import swap
from mapgrid.partition.search.tables import cooling, tables_of
from mapgrid.partition.search.tally import weigh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.search.graph import Graph
    from mapgrid.partition.search.presets import Effort, Wishes

_BARRIER_PAIR = 2.0
_HOUSEHOLD_BEYOND = 4.0
_HOUSEHOLD_TOO_FAR = 0.5
_RESCUE_BEYOND = 1000.0  # when nothing else brought all grids into the limits, no way is too far
_COLD = 0.0005
_TRIAL_HEAT, _FINAL_HEAT, _RENEWAL_HEAT, _LAST_HEAT, _RESCUE_HEAT = 0.004, 0.012, 0.009, 0.006, 0.3
_WARMER_ABOVE = 0.45  # heats rise with the price of the outline above this one
_SWEEPS = 2
_SOFTNESS = 0.0001
_SWAP_ROUNDS = 3
_MEANS, _MEANS_IN_RENEWAL, _TOGETHER = 8, 3, 6
_OVER_SLACK = 50.0
_HOUSEHOLD_MOVED = 0.1
_REPAIR_HEAT, _REPAIR_EPOCHS, _REPAIRS = 0.03, 40, 4


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
    least, most = _counts_of_points(graph.weight, low, high)
    counts = [count for count in counts if least <= count <= most] or counts
    best: tuple[int, NDArray[np.int64]] | None = None
    for count in counts[:5]:
        label, beyond = _split_into(min(count, len(graph.cells)), graph, (low, high), wishes, effort, seed)
        if best is None or beyond < best[0]:
            best = (beyond, label)
        if beyond == 0:
            break
    assert best is not None  # noqa: S101
    return best[1], best[0]


def _counts_of_points(weight: NDArray[np.int64], low: int, high: int) -> tuple[int, int]:
    """Return the fewest and most grids that points of these weights can fill, whatever stands beside what.

    Points over half the maximum share no grid. No grid holds more points than the lightest that fit into the maximum,
    nor fewer than the heaviest that reach the minimum.
    """
    light = np.cumsum(np.sort(weight))
    heavy = np.cumsum(np.sort(weight)[::-1])
    most_points = max(1, int(np.searchsorted(light, high, side="right")))
    fewest_points = int(np.searchsorted(heavy, low, side="left")) + 1
    alone = int((2 * weight > high).sum())
    return max(alone, -(-len(weight) // most_points)), len(weight) // fewest_points


def _split_into(
    count: int, graph: Graph, limits: tuple[int, int], wishes: Wishes, effort: Effort, seed: int
) -> tuple[NDArray[np.int64], int]:
    if count == 1:
        total = int(graph.weight.sum())
        return np.zeros(len(graph.cells), dtype=np.int64), max(0, total - limits[1]) + max(0, limits[0] - total)
    run = Run(graph, count, limits, wishes, seed)
    starts = [run.start(number) for number in range(effort.starts(len(graph.cells)))]
    run.scale_m = min(run.weigh(label).distance for label in starts) or 1.0
    trials = [
        run.anneal(label, _TRIAL_HEAT, effort.epochs // 3, at, softness=_SOFTNESS) for at, label in enumerate(starts)
    ]
    tried: list[Trial] = []
    for step, price in enumerate(wishes.tried(is_cheap=effort.is_cheap(len(graph.cells)))):
        found = _try_price(run, trials, replace(wishes, compact=price), effort, step)
        tried += found
        if step and run.is_too_long(found, tried):
            break
        trials = [*trials, *found[-2:]]
    best = run.choose(tried)
    for number in range(3):
        if best.beyond == 0:
            break
        again = run.anneal(best.label, _RESCUE_HEAT, 120, 2000 + number, per_beyond=_RESCUE_BEYOND)
        best = run.choose([best, again])
    if effort.is_small(len(graph.cells)):
        best = run.choose([best, run.swap(best.label)])
    return best.label, best.beyond


def _try_price(run: Run, trials: list[Trial], wishes: Wishes, effort: Effort, step: int) -> list[Trial]:
    """Return what annealing and renewing the most promising trials led to under these wishes."""
    asked, run.wishes, epochs = run.wishes, wishes, effort.cooling(len(run.cells))
    number, warmer = 10_000 * (step + 1), max(1.0, wishes.compact / _WARMER_ABOVE)
    ranked = sorted([run.weigh(trial.label) for trial in trials], key=run.rank)
    finals = [
        run.anneal(trial.label, warmer * _FINAL_HEAT, epochs, number + at, softness=_SOFTNESS)
        for at, trial in enumerate(ranked[: effort.finals(len(trials))])
    ]
    best = min([*finals, ranked[0]], key=run.rank)
    renewed = run.renew(best.label, effort, number + 1000, warmer * _RENEWAL_HEAT)
    last = run.anneal(renewed.label, warmer * _LAST_HEAT, epochs, number + 2000, softness=_SOFTNESS)
    run.wishes = asked
    return [run.weigh(trial.label) for trial in (best, renewed, last)]


def repair(
    graph: Graph,
    base: NDArray[np.int64],
    limits: tuple[int, int],
    wishes: Wishes,
    *,
    frozen: NDArray[np.bool_] | None = None,
    per_move: float = _HOUSEHOLD_MOVED,
    seed: int = 0,
) -> tuple[NDArray[np.int64], int]:
    """Return labels near the given ones with every grid within the limits, and the households still beyond them.

    Parameters
    ----------
    base
        Grid 0… of each cell in the plan to keep; -1 for a cell that is new, which needs a way to a grid. Each grid
        needs a cell; what no longer hangs together with most of it joins a neighbour.
    limits
        Least and most households of a grid.
    frozen
        Cells that keep their grid; their grids give no cell and take none.
    per_move
        What a household that leaves its grid costs, as one mean way costs 1 / households of a grid.
    seed
        Of the random numbers.

    Notes
    -----
    Annealing from the given labels at a temperature at which only what must move moves. Where every grid is within the
    limits, only new cells are given a grid.
    """
    count = int(base.max()) + 1
    run = Run(graph, count, limits, wishes, seed, base=base, frozen=frozen)
    run.per_move = per_move
    first = adopt(run.net, run.cells, base, count, True)  # noqa: FBT003  kernels take no keywords
    first = join_pieces(run.net, run.cells, first, count)
    run.scale_m = run.weigh(first).distance or 1.0
    best = run.weigh(first)
    if frozen is not None:
        tail = np.repeat(np.arange(len(base)), np.diff(graph.start))
        run.net.links[frozen[tail] != frozen[graph.neighbour], TOUCH] = Touch.APART  # nobody joins them either
    for number in range(_REPAIRS):
        if best.beyond == 0:
            break
        heat = _REPAIR_HEAT * (number + 1)
        best = min(best, run.anneal(first, heat, _REPAIR_EPOCHS, number), key=run.rank)
    return best.label, best.beyond


@dataclass(frozen=True, slots=True)
class Trial:
    """One division of a region.

    Attributes
    ----------
    beyond
        Households beyond the limits.
    energy
        Weighed faults without those.
    distance, shape
        Summed distance (m) and Polsby–Popper.
    """

    label: NDArray[np.int64]
    beyond: int
    energy: float
    distance: float
    shape: float


class Run:
    """One region divided into a fixed number of grids."""

    def __init__(
        self,
        graph: Graph,
        count: int,
        limits: tuple[int, int],
        wishes: Wishes,
        seed: int,
        *,
        base: NDArray[np.int64] | None = None,
        frozen: NDArray[np.bool_] | None = None,
    ) -> None:
        self.graph, self.count, self.wishes, self.seed = graph, count, wishes, seed
        self.limits = (float(limits[0]), float(limits[1]))
        self.scale_m = 1.0
        self.per_move = 0.0
        self.net, self.cells = tables_of(graph, base, frozen)

    def start(self, number: int) -> NDArray[np.int64]:
        """Return a connected start; the first one is cut without chance."""
        state = new_state(self.seed, number, self.count)
        label = np.zeros(len(self.cells), dtype=np.int64)
        tilt = 1.0 if number else 0.0
        seeds.bisect(self.cells, np.arange(len(label)), self.count, self.limits, (tilt, 0.2, state), label, 0)
        seeds.settle(self.cells, label, self.count, self.limits, _MEANS)
        return join_pieces(self.net, self.cells, label, self.count)

    def model(self, per_beyond: float = _HOUSEHOLD_BEYOND) -> Model:
        """Return what the kernels take."""
        wishes = self.wishes
        mean = float(np.cumsum(self.cells[:, WORK])[-1]) / self.count
        far = _HOUSEHOLD_TOO_FAR if wishes.farthest_m < np.inf else 0.0
        prices = Prices(
            metre=self.count / self.scale_m,
            compact=wishes.compact,
            pair=_BARRIER_PAIR,
            beyond=per_beyond,
            even=wishes.even / mean**2,
            far=far,
            farthest_m=wishes.farthest_m,
            moved=self.per_move,
        )
        return Model(self.net, self.cells, self.limits, prices)

    def weigh(self, label: NDArray[np.int64]) -> Trial:
        """Return what a division amounts to."""
        return Trial(label, *weigh(self.model(), label, self.count))

    def rank(self, trial: Trial) -> tuple[int, float]:
        """Return what to sort trials by, the best first; rounded, so that ties are ties on every machine."""
        return trial.beyond, round(trial.energy, 9)

    def choose(self, trials: list[Trial]) -> Trial:
        """Return the trial with the best outline among those whose way is within the slack of the shortest."""
        wishes = self.wishes
        shortest = min(trial.distance for trial in trials if trial.beyond == min(t.beyond for t in trials)) or 1.0

        def score(trial: Trial) -> tuple[int, float]:
            over = max(0.0, trial.distance / shortest - 1 - wishes.slack) if wishes.slack else 0.0
            outline = 3 * wishes.compact * trial.shape if wishes.slack else 0.0
            return trial.beyond, round(trial.energy + _OVER_SLACK * self.count * over - outline, 9)

        return min(trials, key=score)

    def is_too_long(self, found: list[Trial], tried: list[Trial]) -> bool:
        """Return whether the ways of all that was found last are beyond the slack."""
        if not self.wishes.slack:
            return False
        shortest = min(trial.distance for trial in tried)
        return all(trial.distance > shortest * (1 + self.wishes.slack) for trial in found)

    def anneal(
        self,
        label: NDArray[np.int64],
        heat: float,
        epochs: int,
        number: int,
        *,
        per_beyond: float = _HOUSEHOLD_BEYOND,
        softness: float = 0.0,
    ) -> Trial:
        """Return the division reached from one start."""
        state = new_state(self.seed, number, self.count)
        heats = cooling(heat, _COLD, epochs)
        return self.weigh(refine.anneal(self.model(per_beyond), label, self.count, heats, (_SWEEPS, softness), state))

    def swap(self, label: NDArray[np.int64]) -> Trial:
        """Return the division after neighbouring grids exchanged cells where that is better."""
        return self.weigh(swap(self.model(), label, self.count, _SWAP_ROUNDS))

    def renew(self, label: NDArray[np.int64], effort: Effort, number: int, heat: float) -> Trial:
        """Return the division after some neighbouring grids at a time were divided anew."""
        state = new_state(self.seed, number, self.count)
        heats = cooling(heat, _COLD, effort.cooling(len(label)) * 2 // 3)
        turns = (effort.renewals, min(_TOGETHER, self.count), _MEANS_IN_RENEWAL, (_SWEEPS, _SOFTNESS))
        return self.weigh(renew(self.model(), label, self.count, turns, heats, state))
