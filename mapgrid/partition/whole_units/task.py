"""What is asked when a region is divided by units, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.search.ways import join_to_roads, split_along
from mapgrid.partition.whole_units.columns import Figures, measure_unions
from mapgrid.partition.whole_units.road_columns import RoadTable, measure_by_road, road_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.search.graph import Graph
    from mapgrid.partition.search.presets import Effort, Wishes
    from mapgrid.partition.whole_units.atoms import Atoms


@dataclass(frozen=True, slots=True)
class Task:
    """One region to divide.

    Attributes
    ----------
    graph
        Its cells; connected.
    unit
        (n,) the unit of each cell, -1 for none.
    elsewhere
        Units that also have households in other regions, and so are in several grids anyway.
    limits
        Least, most, wished-for households of a grid.
    wishes, effort, seed
        As the free division takes them.
    roads, table
        Lines along which ways are measured, and the same joined to the cells; None for straight ways.
    """

    graph: Graph
    unit: NDArray[np.int64]
    elsewhere: NDArray[np.int64]
    limits: tuple[int, int, int]
    wishes: Wishes
    effort: Effort
    seed: int
    roads: NDArray[np.object_] | None = None
    table: RoadTable | None = None

    def split(self, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
        """Return a free division of some cells, and the households beyond the limits."""
        return split_along(self.graph.part(cells), self.roads, self.limits, (self.wishes, self.effort, self.seed))

    def measure(
        self,
        atoms: Atoms,
        unions: tuple[NDArray[np.int64], NDArray[np.int64]],
        cells: NDArray[np.int64] | None = None,
    ) -> Figures:
        """Return the figures of unions (atoms, offsets); `cells` are those that the atoms are of, None for all."""
        farthest_m = self.wishes.farthest_m
        figures = measure_unions(*unions, atoms.net, atoms.cells, farthest_m)
        if self.table is None:
            return figures
        held = atoms.cells if cells is None else atoms.cells._replace(point=cells[atoms.cells.point])
        way, far = measure_by_road(unions, figures.load, held, self.table, farthest_m)
        return figures._replace(way=way, far=far)


@dataclass(frozen=True, slots=True)
class Whole:
    """A division by units.

    Attributes
    ----------
    label
        (n,) grid 0… of each cell.
    proved
        Whether no division breaks fewer units, nor, of those into the same atoms and parts, costs less.
    """

    label: NDArray[np.int64]
    proved: bool


def task_of(
    graph: Graph,
    cells: NDArray[np.int64],
    unit: NDArray[np.int64],
    limits: tuple[int, int, int],
    how: tuple[Wishes, Effort, int],
    roads: NDArray[np.object_] | None = None,
) -> Task:
    """Return the task of dividing some cells of a village, given the unit of every cell of the village."""
    outside = np.ones(len(unit), dtype=bool)
    outside[cells] = False
    part = graph.part(cells)
    table = None if roads is None else road_table(join_to_roads(roads, part.xy))
    return Task(part, unit[cells], np.unique(unit[outside]), limits, *how, roads, table)
