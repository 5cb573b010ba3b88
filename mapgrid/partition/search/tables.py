"""What the kernels are handed: a graph as tables, and temperatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.search.arrays import FROZEN, Net

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.search.graph import Graph


def cooling(first: float, last: float, epochs: int) -> NDArray[np.float64]:
    """Return temperatures that fall by the same factor each; rounded, so that every machine has the same."""
    return np.array([round(first * (last / first) ** (step / (epochs - 1)), 9) for step in range(epochs)])


def tables_of(
    graph: Graph, base: NDArray[np.int64] | None = None, frozen: NDArray[np.bool_] | None = None
) -> tuple[Net, NDArray[np.float64]]:
    """Return a graph as the kernels take it; borders along preferred lines count by their price."""
    count = len(graph.cells)
    price = np.ones(len(graph.neighbour)) if graph.border_price is None else graph.border_price
    border = graph.border_m * price
    tail = np.repeat(np.arange(count), np.diff(graph.start))
    saved = np.bincount(tail, weights=graph.border_m - border, minlength=count)
    before = np.full(count, -1.0) if base is None else base.astype(np.float64)
    if frozen is not None:
        before[frozen] = FROZEN
    cells = np.stack(
        [
            graph.xy[:, 0] - graph.xy[0, 0],
            graph.xy[:, 1] - graph.xy[0, 1],
            graph.weight,
            graph.weight if graph.work is None else graph.work,
            np.ones(count) if graph.stretch is None else graph.stretch,
            graph.area_m2,
            graph.outline_m - saved,
            before,
        ],
        axis=1,
    )
    links = np.stack([graph.neighbour, graph.touch], axis=1).astype(np.int32)
    return Net(graph.start, links, border), np.ascontiguousarray(cells, dtype=np.float64)
