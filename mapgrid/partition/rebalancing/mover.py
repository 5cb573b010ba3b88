"""Labels of a former plan brought within the limits again with the fewest households moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.cells.land import WAYS, Touch
from mapgrid.partition.reasons import counts_that_fit
from mapgrid.partition.rebalancing.flow import fewest_crossings, shift
from mapgrid.partition.search.presets import EFFORTS, choose_wishes
from mapgrid.partition.search.solve import split
from mapgrid.partition.search.tables import tables_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mapgrid.partition.search.arrays import Net
    from mapgrid.partition.search.graph import Graph
    from mapgrid.village import Limits

_ROUNDS = 12
_OPEN = (Touch.OPEN, Touch.LINK)
_WALLED = (Touch.OPENING, Touch.WALL)


@dataclass(frozen=True, slots=True)
class Ground:
    """What moving begins from.

    Attributes
    ----------
    graph
        All cells.
    home
        (n,) the former grid of each cell.
    is_old
        (n,) whether a household of the former plan lives there; only those count as moved.
    is_frozen
        (n,) cells that stay in their grid.
    region
        (n,) cells that may be in one grid.
    limits
        Least and most households of a grid.
    old
        (n,) households of the former plan in each cell; those of the whole cell where None.
    """

    graph: Graph
    home: NDArray[np.int64]
    is_old: NDArray[np.bool_]
    is_frozen: NDArray[np.bool_]
    region: NDArray[np.int64]
    limits: Limits
    old: NDArray[np.int64] | None = None

    def moved(self, label: NDArray[np.int64]) -> int:
        """Return how many households of the former plan are in another grid."""
        old = self.graph.weight if self.old is None else self.old
        return int(old[self.is_old & (label != self.home)].sum())

    def load(self, label: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the households of each label."""
        return np.bincount(label, weights=self.graph.weight).astype(np.int64)

    def beyond(self, label: NDArray[np.int64]) -> int:
        """Return how many households miss the limits, in grids that may change."""
        load = self.load(label)
        missed = np.maximum(0, self.limits.min - load) + np.maximum(0, load - self.limits.max)
        return int(missed[np.unique(label[~self.is_frozen])].sum())

    def walled(self, label: NDArray[np.int64]) -> int:
        """Return how many neighbours in one grid have a barrier between them."""
        one = np.repeat(np.arange(len(label)), np.diff(self.graph.start))
        inside = np.isin(self.graph.touch, _WALLED) & (label[one] == label[self.graph.neighbour])
        return int(inside.sum()) // 2


def variants(
    ground: Ground, label: NDArray[np.int64], place: Callable[[Ground, NDArray[np.int64]], NDArray[np.int64]]
) -> list[NDArray[np.int64]]:
    """Return labels within the limits as far as they can be, one for each number of grids that is worth a thought.

    Parameters
    ----------
    label
        Former grids, each in one piece; new labels follow the former ones.
    place
        Brings labels within the limits: `settle`.
    """
    first = _with_possible_counts(ground, label)
    starts = [first]
    load = ground.load(first)
    free = np.unique(first[~ground.is_frozen])
    over = free[load[free] > ground.limits.max]
    if len(over):
        largest = int(over[load[over].argmax()])
        if load[largest] >= 2 * ground.limits.min and _may_have(ground, first, largest, 1):
            starts.append(_split(ground, first, largest))
    under = free[(load[free] < ground.limits.min) & (load[free] > 0)]
    if len(under):
        smallest = int(under[load[under].argmin()])
        if _may_have(ground, first, smallest, -1):
            starts.append(_dissolved(ground, first, smallest))
    return [place(ground, start) for start in starts]


def settle(ground: Ground, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the labels after as many rounds of flow and shifting as brought them nearer to the limits."""
    net, cells = tables_of(ground.graph)
    best, label = label, label.copy()
    best_beyond = ground.beyond(label)
    for _ in range(_ROUNDS):
        if best_beyond == 0:
            break
        arcs, flow = _flows(ground, label)
        for number in np.lexsort((arcs[:, 1], arcs[:, 0], -flow)):
            if flow[number] > 0:
                _shift(ground, (net, cells), label, (int(arcs[number, 0]), int(arcs[number, 1])), int(flow[number]))
        beyond = ground.beyond(label)
        if beyond >= best_beyond:
            break
        best, best_beyond = label.copy(), beyond
    return best


def _shift(
    ground: Ground,
    tables: tuple[Net, NDArray[np.float64]],
    label: NDArray[np.int64],
    arc: tuple[int, int],
    amount: int,
) -> None:
    price = (ground.is_old & (ground.home == arc[0])).astype(float) - (ground.is_old & (ground.home == arc[1]))
    spare = int(ground.graph.weight.max()) - 1
    shift(*tables, price, label, ground.is_frozen, arc, (amount, amount + spare))


def _flows(ground: Ground, label: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the arcs between grids that may change, and how many households are to cross each."""
    graph = ground.graph
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    open_way = np.isin(graph.touch, _OPEN) & (ground.region[one] == ground.region[graph.neighbour])
    open_way &= ~ground.is_frozen[one] & ~ground.is_frozen[graph.neighbour]
    ends = np.stack([label[one], label[graph.neighbour]], axis=1)[open_way]
    arcs = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0)
    load = ground.load(label)
    low = np.where(load > 0, ground.limits.min, 0)
    high = np.full(len(load), ground.limits.max)
    frozen = np.setdiff1d(np.arange(len(load)), label[~ground.is_frozen])
    low[frozen] = high[frozen] = load[frozen]
    moment = np.stack([np.bincount(label, weights=graph.weight * axis) for axis in graph.xy.T], axis=1)
    centre = moment / np.maximum(load, 1)[:, None]
    apart = np.hypot(*(centre[arcs[:, 0]] - centre[arcs[:, 1]]).T) if len(arcs) else np.zeros(0)
    price = 1.0 + 1e-3 * np.round(apart / max(1.0, float(apart.max(initial=0.0))), 6)
    return arcs, fewest_crossings(load, low, high, arcs, price)


def _with_possible_counts(ground: Ground, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels with grids split or dissolved until each region has a number of grids that can hold it."""
    for number in np.unique(ground.region[~ground.is_frozen]):
        mine = (ground.region == number) & ~ground.is_frozen
        fits = counts_that_fit(int(ground.graph.weight[mine].sum()), ground.limits.min, ground.limits.max)
        while len(fits) and len(np.unique(label[mine])) not in fits:
            load = np.where(np.isin(np.arange(label.max() + 1), label[mine]), ground.load(label), 0)
            count = len(np.unique(label[mine]))
            if count < fits[0]:
                label = _split(ground, label, int(load.argmax()))
            else:
                label = _dissolved(ground, label, int(np.where(load > 0, load, load.max() + 1).argmin()))
            if len(np.unique(label[mine])) == count:
                break  # a unit in one piece, or a grid with nobody beside
    return label


def _may_have(ground: Ground, label: NDArray[np.int64], grid: int, more: int) -> bool:
    """Return whether the region of a grid can hold its households in so many grids more."""
    mine = (ground.region == ground.region[np.flatnonzero(label == grid)[0]]) & ~ground.is_frozen
    total = int(ground.graph.weight[mine].sum())
    return len(np.unique(label[mine])) + more in counts_that_fit(total, ground.limits.min, ground.limits.max)


def _split(ground: Ground, label: NDArray[np.int64], grid: int) -> NDArray[np.int64]:
    """Return labels with a grid in two; the piece with most households that were there before keeps the label."""
    cells = np.flatnonzero(label == grid)
    part = ground.graph.part(cells)
    total = int(part.weight.sum())
    low = min(ground.limits.min, total // 2)
    high = max(ground.limits.max, -(-total // 2))
    high = min(high, total - low)
    half = min(max(total // 2, low), high)
    piece, _ = split(part, (low, high, half), choose_wishes("balanced"), EFFORTS["quick"], 0)
    stayed = np.bincount(piece, weights=part.weight * (ground.is_old[cells] & (ground.home[cells] == grid)))
    label = label.copy()
    label[cells[piece != int(stayed.argmax())]] = label.max() + 1
    return label


def _dissolved(ground: Ground, label: NDArray[np.int64], grid: int) -> NDArray[np.int64]:
    """Return labels with a grid given whole to the neighbour that has fewest households."""
    graph = ground.graph
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    leaves = (label[one] == grid) & (label[graph.neighbour] != grid) & np.isin(graph.touch, _OPEN)
    leaves &= ~ground.is_frozen[graph.neighbour] & (ground.region[one] == ground.region[graph.neighbour])
    beside = np.unique(label[graph.neighbour[leaves]])
    if not len(beside):
        return label
    to = beside[ground.load(label)[beside].argmin()]
    return np.where(label == grid, to, label)


def in_one_piece(ground: Ground, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels of which each is one piece in one region: the heaviest stays, others join the longest border.

    A piece that can stand alone, or has no neighbour in its region, becomes a grid of its own.
    """
    graph, label = ground.graph, label.copy()
    key = label * (int(ground.region.max()) + 1) + ground.region
    piece = graph.components(np.where(ground.is_frozen, -1 - label, key), WAYS)
    weight = np.bincount(piece, weights=graph.weight)
    owner = label[np.unique(piece, return_index=True)[1]]
    is_frozen = np.bincount(piece, weights=ground.is_frozen) > 0
    order = np.lexsort((np.arange(len(weight)), -weight, ~is_frozen, owner))
    is_first = np.append(True, owner[order][1:] != owner[order][:-1])
    loose = [number for number, first in zip(order, is_first, strict=True) if not first and not is_frozen[number]]
    label[np.isin(piece, loose)] = -1
    for number in loose:
        mine = piece == number
        stands = ground.limits.min <= weight[number] <= ground.limits.max
        label[mine] = label.max() + 1 if stands else _longest_beside(ground, label, mine)
    return label


def _longest_beside(ground: Ground, label: NDArray[np.int64], mine: NDArray[np.bool_]) -> int:
    graph = ground.graph
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    out = mine[one] & ~mine[graph.neighbour] & (label[graph.neighbour] >= 0) & np.isin(graph.touch, _OPEN)
    out &= ~ground.is_frozen[graph.neighbour] & (ground.region[one] == ground.region[graph.neighbour])
    if not out.any():
        return int(label.max()) + 1
    border = np.bincount(label[graph.neighbour[out]], weights=graph.border_m[out])
    return int(np.round(border, 6).argmax())
