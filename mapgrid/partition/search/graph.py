"""The cells of one region as arrays for the kernels: neighbours in compressed rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from mapgrid.partition.cells.land import Touch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land


@dataclass(frozen=True, slots=True)
class Graph:
    """Cells and their neighbours; neighbours of cell i are `neighbour[start[i]:start[i + 1]]`.

    Attributes
    ----------
    cells
        (n,) the cells of the land, ascending.
    xy, weight, area_m2, outline_m
        Of each cell.
    start, neighbour, border_m, touch
        Neighbours (as positions in `cells`), shared border, and `Touch` of each.
    border_price
        What a metre of each shared border counts for, like `border_m`: 1 where None; less along preferred lines.
    work, stretch
        Workload of each cell (its weight where None); what a metre of its way counts for (1 where None).
    """

    cells: NDArray[np.int64]
    xy: NDArray[np.float64]
    weight: NDArray[np.int64]
    area_m2: NDArray[np.float64]
    outline_m: NDArray[np.float64]
    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    border_m: NDArray[np.float64]
    touch: NDArray[np.int64]
    border_price: NDArray[np.float64] | None = None
    work: NDArray[np.float64] | None = None
    stretch: NDArray[np.float64] | None = None

    def components(self, label: NDArray[np.int64], ways: tuple[Touch, ...]) -> NDArray[np.int64]:
        """Return for each cell the number of its connected piece among cells of one label, over these ways only."""
        is_way = np.zeros(len(Touch), dtype=bool)
        is_way[list(ways)] = True
        labels = np.ascontiguousarray(label, dtype=np.int64)  # a kernel is compiled for each kind of numbers
        pieces: NDArray[np.int64] = _pieces(self.start, self.neighbour, is_way[self.touch], labels)
        return pieces

    def part(self, keep: NDArray[np.int64]) -> Graph:
        """Return the graph of some of the cells, given by position, ascending."""
        position = np.full(len(self.cells), -1, dtype=np.int64)
        position[keep] = np.arange(len(keep))
        one = np.repeat(np.arange(len(self.cells)), np.diff(self.start))
        inside = (position[one] >= 0) & (position[self.neighbour] >= 0)
        start = np.zeros(len(keep) + 1, dtype=np.int64)
        np.cumsum(np.bincount(position[one[inside]], minlength=len(keep)), out=start[1:])
        return Graph(
            self.cells[keep],
            self.xy[keep],
            self.weight[keep],
            self.area_m2[keep],
            self.outline_m[keep],
            start,
            position[self.neighbour[inside]],
            self.border_m[inside],
            self.touch[inside],
            None if self.border_price is None else self.border_price[inside],
            None if self.work is None else self.work[keep],
            None if self.stretch is None else self.stretch[keep],
        )


def build_graph(
    land: Land, xy: NDArray[np.float64], weight: NDArray[np.int64], links: NDArray[np.int64] | None = None
) -> Graph:
    """Return the graph of all cells of a land, with `links` (pairs of cells of two parts of the village) added."""
    links = np.empty((0, 2), dtype=np.int64) if links is None else links
    pairs = np.concatenate([land.pairs, links])
    border = np.concatenate([land.border_m, np.zeros(len(links))])
    touch = np.concatenate([land.touch, np.full(len(links), Touch.LINK, dtype=np.int64)])
    one = np.concatenate([pairs[:, 0], pairs[:, 1]])
    other = np.concatenate([pairs[:, 1], pairs[:, 0]])
    order = np.lexsort((other, one))
    count = len(weight)
    start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(one, minlength=count), out=start[1:])
    return Graph(
        np.arange(count),
        xy,
        weight,
        land.area_m2,
        land.outline_m,
        start,
        other[order],
        np.tile(border, 2)[order],
        np.tile(touch, 2)[order],
    )


@njit(cache=True)
def _pieces(
    start: NDArray[np.int64], neighbour: NDArray[np.int64], is_way: NDArray[np.bool_], label: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the connected piece of each cell; pieces are numbered by their lowest cell."""
    piece = np.full(len(label), -1, dtype=np.int64)
    stack = np.empty(len(label), dtype=np.int64)
    found = 0
    for first in range(len(label)):
        if piece[first] >= 0:
            continue
        piece[first] = found
        stack[0] = first
        waiting = 1
        while waiting > 0:
            waiting -= 1
            one = stack[waiting]
            for e in range(start[one], start[one + 1]):
                other = neighbour[e]
                if is_way[e] and piece[other] < 0 and label[other] == label[one]:
                    piece[other] = found
                    stack[waiting] = other
                    waiting += 1
        found += 1
    return piece
