"""Atoms: what a division into whole units moves as one. A unit is one atom, or one for each of its connected parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.cells.land import WAYS, Touch
from mapgrid.partition.search.graph import Graph
from mapgrid.partition.whole_units.columns import AtomCells, AtomNet

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Atoms:
    """The atoms of one region, in the order of their first cells.

    Attributes
    ----------
    of_cell
        (n,) the atom of each cell of the region's graph.
    unit
        (a,) the unit of each atom, -1 where the households are in none.
    net, cells
        How atoms touch, and what they hold, as the kernels take it.
    work
        (a,) workload of each atom.
    """

    of_cell: NDArray[np.int64]
    unit: NDArray[np.int64]
    net: AtomNet
    cells: AtomCells
    work: NDArray[np.float64]

    def __len__(self) -> int:
        """Return how many atoms there are."""
        return len(self.unit)


def build_atoms(graph: Graph, of_cell: NDArray[np.int64], unit_of_cell: NDArray[np.int64]) -> Atoms:
    """Return the atoms of a region.

    Parameters
    ----------
    graph
        The region.
    of_cell
        (n,) any numbers that tell atoms apart; an atom has one unit.
    unit_of_cell
        (n,) the unit of each cell, -1 for none.
    """
    first, number = np.unique(of_cell, return_index=True, return_inverse=True)[1:]
    rank = np.empty(len(first), dtype=np.int64)
    order = np.argsort(first, kind="stable")
    rank[order] = np.arange(len(first))
    atom = rank[number]
    work = np.bincount(atom, weights=graph.weight if graph.work is None else graph.work, minlength=len(first))
    return Atoms(atom, unit_of_cell[first[order]], *_bundles(graph, atom, len(first)), work.astype(np.float64))


def _bundles(graph: Graph, atom: NDArray[np.int64], count: int) -> tuple[AtomNet, AtomCells]:
    one = np.repeat(np.arange(len(atom)), np.diff(graph.start))
    a, b = atom[one], atom[graph.neighbour]
    is_walled = np.isin(graph.touch, (Touch.WALL, Touch.OPENING))
    inner = a == b
    border_m = graph.border_m if graph.border_price is None else graph.border_m * graph.border_price
    outline = np.bincount(atom, weights=graph.outline_m, minlength=count)
    outline -= np.bincount(a, weights=graph.border_m - border_m, minlength=count)
    outline -= np.bincount(a[inner], weights=border_m[inner], minlength=count)
    walled_inside = np.bincount(a[inner & is_walled], minlength=count) // 2
    key, at = np.unique(a[~inner] * count + b[~inner], return_inverse=True)
    start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(key // count, minlength=count), out=start[1:])
    net = AtomNet(
        start,
        key % count,
        np.bincount(at, weights=border_m[~inner], minlength=len(key)).astype(np.float64),
        np.bincount(at, weights=np.isin(graph.touch[~inner], WAYS), minlength=len(key)) > 0,
        np.bincount(at, weights=is_walled[~inner], minlength=len(key)).astype(np.int64),
    )
    order = np.argsort(atom, kind="stable")
    cell_start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(atom, minlength=count), out=cell_start[1:])
    cells = AtomCells(
        np.bincount(atom, weights=graph.weight, minlength=count).astype(np.int64),
        np.bincount(atom, weights=graph.area_m2, minlength=count).astype(np.float64),
        outline.astype(np.float64),
        walled_inside,
        cell_start,
        np.ascontiguousarray(graph.xy[order]),
        graph.weight[order],
        order.astype(np.int64),
    )
    return net, cells


def contract(graph: Graph, of_cell: NDArray[np.int64], unit: NDArray[np.int64]) -> tuple[Graph, NDArray[np.int64]]:
    """Return a graph whose cells are atoms, each at the mean of its households, and the atom of each cell."""
    atoms = build_atoms(replace(graph, border_price=None), of_cell, unit)
    count, at = len(atoms), atoms.of_cell
    load = np.bincount(at, weights=graph.weight, minlength=count)
    xy = np.stack([np.bincount(at, weights=graph.weight * axis, minlength=count) / load for axis in graph.xy.T], axis=1)
    one = np.repeat(np.arange(len(at)), np.diff(graph.start))
    a, b = at[one], at[graph.neighbour]
    key, place = np.unique(a[a != b] * count + b[a != b], return_inverse=True)
    touch = np.full(len(key), Touch.APART, dtype=np.int64)
    np.minimum.at(touch, place, graph.touch[a != b])
    cells, net = atoms.cells, atoms.net
    price = graph.border_price
    if price is not None:
        metres = np.maximum(graph.border_m[a != b], 1e-9)
        price = np.bincount(place, weights=metres * price[a != b]) / np.bincount(place, weights=metres)
    arrays = (cells.weight, cells.land, cells.outline, net.start, net.neighbour, net.border, touch)
    return Graph(np.arange(count), xy, *arrays, border_price=price, work=atoms.work), at
