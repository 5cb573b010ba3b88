"""The scorecard of a plan: one definition of each figure, for the page, the command line, tests and benches."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mapgrid.coverage import measure
from mapgrid.partition.cells.land import Land, Touch
from mapgrid.partition.search.bound import bound_distance
from mapgrid.partition.search.chance import new_state
from mapgrid.partition.search.means import free_means

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from mapgrid.partition.points import Points
    from mapgrid.village import Limits


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Figures of a plan. Lengths in metres, areas in square metres, households counted by weight.

    Attributes
    ----------
    grids, households
        Number of grids; households in them.
    in_range_pct, min, max, cv
        Share of grids within the limits; least and most households of a grid; their coefficient of variation.
    multipart
        Grids of more than one piece.
    gap_m2, overlap_m2, outside_m2
        Against the village.
    polsby_popper, polsby_popper_min
        4πA/P² of the grid polygons: mean and least.
    distance_m, farthest_m
        From a household to the centre of its grid's households: mean and most.
    distance_ratio
        `distance_m` over the same for k-means without limits and with as many clusters: k-means++ and Lloyd, best of
        10, as scikit-learn does it; its import alone would take longer and more memory than the division. None where it
        was not compared: while a plan is edited.
    barrier_pairs
        Neighbouring cells of one grid with a barrier between them.
    groups, groups_in_range_pct, groups_multipart
        Ten-household groups, the share of them within the limits, those of more than one piece.
    workload_cv
        Coefficient of variation of the workload of grids; None where households have none.
    units_split, preferred_border_pct, moved_households, way_by_road_m
        Not measured (None) in a plan made without units, preferred lines, a base plan or roads. The last is the mean
        way along roads to the household nearest to the centre.
    bound_gap_pct
        By how much the mean way is above a bound that no division into as many grids within the limits can be below;
        None except at effort `thorough`, and where a grid is outside the limits.
    seconds
        How long the division took.
    """

    grids: int
    households: int
    in_range_pct: float
    min: int
    max: int
    cv: float
    multipart: int
    gap_m2: float
    overlap_m2: float
    outside_m2: float
    polsby_popper: float
    polsby_popper_min: float
    distance_m: float
    distance_ratio: float | None
    farthest_m: float
    barrier_pairs: int
    units_split: int | None
    groups: int
    groups_in_range_pct: float
    groups_multipart: int
    workload_cv: float | None
    preferred_border_pct: float | None
    moved_households: int | None
    way_by_road_m: float | None
    bound_gap_pct: float | None
    seconds: float

    def as_record(self) -> dict[str, int | float | None]:
        """Return the scorecard as a plain record for a report."""
        return asdict(self)


def measure_plan(
    village: BaseGeometry,
    land: Land,
    points: Points,
    labels: tuple[NDArray[np.int64], NDArray[np.int64]],
    polygons: NDArray[np.object_],
    limits: Limits,
    seconds: float,
    split: int | None = None,
) -> Scorecard:
    """Return the scorecard of a plan, but for what it is compared with; see `compared`.

    Parameters
    ----------
    points
        Of the cells.
    labels
        Grid 0… and group 0… (unique over all grids) of each cell.
    polygons
        Of the grids, in the order of their labels.
    split
        How many units have households in more than one grid; None without units.
    """
    xy, weight = points.xy, points.weight
    grid, group = labels
    load = np.bincount(grid, weights=weight, minlength=len(polygons)).astype(np.int64)
    group_load = np.bincount(group, weights=weight).astype(np.int64)
    away = distance_to_centre(xy, weight, grid)
    distance = float(np.average(away, weights=weight))
    tiling = measure(polygons, village)
    compact = 4 * np.pi * shapely.area(polygons) / shapely.length(polygons) ** 2
    one, other = land.pairs.T
    walled = np.isin(land.touch, (Touch.WALL, Touch.OPENING))
    return Scorecard(
        grids=len(polygons),
        households=int(weight.sum()),
        in_range_pct=_share((load >= limits.min) & (load <= limits.max)),
        min=int(load.min()),
        max=int(load.max()),
        cv=round(float(load.std() / load.mean()), 4),
        multipart=int((shapely.get_num_geometries(polygons) > 1).sum()),
        gap_m2=tiling.gap_m2,
        overlap_m2=tiling.overlap_m2,
        outside_m2=tiling.outside_m2,
        polsby_popper=round(float(compact.mean()), 4),
        polsby_popper_min=round(float(compact.min()), 4),
        distance_m=round(distance, 3),
        distance_ratio=None,
        farthest_m=round(float(away.max()), 3),
        barrier_pairs=int((walled & (grid[one] == grid[other])).sum()),
        units_split=split,
        groups=len(group_load),
        groups_in_range_pct=_share((group_load >= limits.group_min) & (group_load <= limits.group_max)),
        groups_multipart=_groups_in_pieces(land, group),
        workload_cv=_workload_cv(points.work, grid, len(polygons)),
        preferred_border_pct=None,
        moved_households=None,
        way_by_road_m=None,
        bound_gap_pct=None,
        seconds=round(seconds, 4),
    )


def compared(
    card: Scorecard, points: Points, grid: NDArray[np.int64], limits: Limits, *, bounded: bool = False
) -> Scorecard:
    """Return a scorecard with the ways of its plan beside the shortest there could be, which takes its time.

    Parameters
    ----------
    card
        As `measure_plan` returns it.
    points, grid, limits
        What it was measured with.
    bounded
        Whether to compute the bound on the way, which takes seconds to minutes.
    """
    distance = float(np.average(distance_to_centre(points.xy, points.weight, grid), weights=points.weight))
    return replace(
        card,
        distance_ratio=_against_k_means(points.xy, points.weight, card.grids, distance),
        bound_gap_pct=_bound_gap(points, grid, distance, limits) if bounded else None,
    )


def distance_to_centre(
    xy: NDArray[np.float64], weight: NDArray[np.int64], label: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the distance from each point to the weighted centre of its class, metres."""
    load = np.bincount(label, weights=weight)
    centre = np.stack([np.bincount(label, weights=weight * xy[:, axis]) / load for axis in (0, 1)], axis=1)
    away: NDArray[np.float64] = np.hypot(*(xy - centre[label]).T)
    return away


def _bound_gap(points: Points, grid: NDArray[np.int64], distance_m: float, limits: Limits) -> float | None:
    """Return by how many per cent the mean way is above its bound; None where the bound does not hold."""
    load = np.bincount(grid, weights=points.weight)
    if load.min() < limits.min or load.max() > limits.max:
        return None
    bound = bound_distance(points.xy, points.weight, grid, (limits.min, limits.max))
    mean_m = bound / float(points.weight.sum())
    return round(100 * (distance_m / mean_m - 1), 2) if mean_m > 0 else None


def _workload_cv(work: NDArray[np.float64] | None, grid: NDArray[np.int64], count: int) -> float | None:
    if work is None:
        return None
    of_grid = np.bincount(grid, weights=work, minlength=count)
    return round(float(of_grid.std() / of_grid.mean()), 4)


def _share(is_met: NDArray[np.bool_]) -> float:
    return round(100.0 * float(is_met.mean()), 2)


def _against_k_means(xy: NDArray[np.float64], weight: NDArray[np.int64], count: int, distance_m: float) -> float | None:
    """Return the distance as a multiple of what k-means without limits reaches; None where that is zero."""
    if count >= len(xy):
        return None
    label = free_means(xy, weight, count, 10, new_state(0))
    free_m = float(np.average(distance_to_centre(xy, weight, label), weights=weight))
    return round(distance_m / free_m, 4) if free_m > 0 else None


def _groups_in_pieces(land: Land, group: NDArray[np.int64]) -> int:
    """Return how many groups consist of cells that do not all hang together by borders."""
    one, other = land.pairs[group[land.pairs[:, 0]] == group[land.pairs[:, 1]]].T
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(len(group), len(group)))
    piece = connected_components(graph, directed=False)[1]
    return int((np.bincount(np.unique(np.stack([group, piece]), axis=1)[0]) > 1).sum())
