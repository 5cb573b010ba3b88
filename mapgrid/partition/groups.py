"""Ten-household groups: the division of a grid, with the limits of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.land import WAYS, Touch
from mapgrid.partition.presets import Effort, Wishes
from mapgrid.partition.solve import split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.graph import Graph
    from mapgrid.village import Limits

_WISHES = Wishes(compact=0.1, even=0.3)
_EFFORT = Effort(cells=75, most_starts=1, epochs=12, renewals=0)


def divide_grid(graph: Graph, limits: Limits, seed: int) -> NDArray[np.int64]:
    """Return the group 0… of each cell of one grid, numbered in walking order.

    A point heavier than a group may be is a group of its own; neighbours that it cuts off and that are too few for a
    group join it.
    """
    heavy = graph.weight > limits.group_max
    apart = np.where(heavy, np.arange(len(heavy)) + 1, 0)
    piece = graph.components(apart, WAYS)
    label = np.full(len(heavy), -1, dtype=np.int64)
    count = 0
    for number in np.unique(piece):
        cells = np.flatnonzero(piece == number)
        if heavy[cells[0]] or graph.weight[cells].sum() >= limits.group_min:
            bounds = (limits.group_min, limits.group_max, limits.group_size)
            inner = np.zeros(1, dtype=np.int64)
            if not heavy[cells[0]]:
                inner, _ = split(graph.part(cells), bounds, _WISHES, _EFFORT, seed)
            label[cells] = inner + count
            count += int(inner.max()) + 1
    _join_leftovers(graph, label, count)
    return _walking_order(graph, label)


def _join_leftovers(graph: Graph, label: NDArray[np.int64], count: int) -> None:
    """Give each cell without a group the heaviest group next to it; without any, they are one group."""
    load = np.bincount(label[label >= 0], weights=graph.weight[label >= 0], minlength=count)
    while (label < 0).any():
        left = np.flatnonzero(label < 0)
        moved = False
        for i in left:
            around = slice(graph.start[i], graph.start[i + 1])
            beside = label[graph.neighbour[around]][graph.touch[around] < Touch.WALL]
            beside = beside[beside >= 0]
            if len(beside):
                label[i] = beside[load[beside].argmax()]
                moved = True
        if not moved:
            label[left] = count
            return


def _walking_order(graph: Graph, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels renumbered along a walk from the north-western group, always to the nearest one not yet visited."""
    count = int(label.max()) + 1
    load = np.bincount(label, weights=graph.weight, minlength=count)
    centre = np.stack(
        [np.bincount(label, weights=graph.weight * graph.xy[:, axis], minlength=count) / load for axis in (0, 1)],
        axis=1,
    )
    here = int(np.lexsort((np.arange(count), np.round(centre[:, 0] - centre[:, 1], 3)))[0])
    order = [here]
    left = set(range(count)) - {here}
    while left:
        here = min(left, key=lambda g: (round(float(np.hypot(*(centre[g] - centre[here]))), 3), g))
        left.remove(here)
        order.append(here)
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    return rank[label]
