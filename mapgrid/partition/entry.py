"""The one way in: households and a village's land in, a plan out."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from mapgrid.crs import check_metric
from mapgrid.partition.cells.land import cut_land
from mapgrid.partition.cells.outlines import cell_polygons, merge
from mapgrid.partition.cells.unit_land import unit_land
from mapgrid.partition.collector import without_collector
from mapgrid.partition.compiler import release_compiler
from mapgrid.partition.explain import explain_pieces, reasons_of_grids
from mapgrid.partition.frames import cells_frame, grids_frame, households_frame
from mapgrid.partition.numbering import reading_order
from mapgrid.partition.plan import Division, Plan
from mapgrid.partition.points import Points, distinct_points
from mapgrid.partition.reasons import Reason, ReasonCode
from mapgrid.partition.rebalancing.naming import next_names
from mapgrid.partition.regions import Search, divide_regions
from mapgrid.partition.search.graph import build_graph
from mapgrid.partition.search.groups import divide_grids
from mapgrid.partition.search.presets import choose_effort, choose_wishes
from mapgrid.partition.search.sides import find_regions
from mapgrid.partition.search.ways import join_to_roads, road_lines, ways_by_road
from mapgrid.partition.straight.borders import straighten
from mapgrid.partition.straight.prefer import border_prices, preferred_lines
from mapgrid.partition.whole_units.explain_units import explain_units
from mapgrid.partition.whole_units.units import read_units
from mapgrid.village import Limits, check_boundary, check_households, check_units

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray


@without_collector
def divide(  # noqa: PLR0913  every one of them is a wish of its own
    village: GeoDataFrame,
    households: GeoDataFrame,
    *,
    barriers: GeoDataFrame | None = None,
    units: GeoDataFrame | None = None,
    prefer: GeoDataFrame | None = None,
    limits: Limits = Limits(),  # noqa: B008  frozen
    preset: str = "balanced",
    seed: int = 0,
    effort: str = "standard",
    max_way_m: float | None = None,
    roads: GeoDataFrame | None = None,
    ended: Collection[str] = (),
    progress: Callable[[float, str], None] | None = None,
) -> Plan:
    """Return a plan of a village: connected grids within the limits, and ten-household groups inside them.

    Parameters
    ----------
    village
        One row, valid Polygon or MultiPolygon, in a CRS in metres.
    households
        Points in the same CRS with `weight` (int ≥ 1), inside the village or on its outline. Rows without geometry
        are kept, in no grid. A column `unit` names the villager group or building of each, where there is one.
        With a column `workload` (float > 0) it is workload that the grids share evenly.
    barriers
        Lines or polygons in the same CRS that no grid reaches across; a gap of a line up to 50 m is a bridge.
    units
        Polygons with `unit` (text, each name once) in the same CRS: the land of villager groups or buildings, which
        grids hold whole. With them the column `unit` of households is not used.
    prefer
        Lines (roads, paths, water), or polygons for their rings, in the same CRS: borders follow them where that costs
        little.
    limits
        Households of a grid and of a group.
    preset
        What is weighed: `balanced`, `shortest`, `compact` or `workload`.
    seed, effort
        The same input, seed and effort (`quick`, `standard`, `thorough`) give the same plan, whatever the row order.
    max_way_m
        Longest way from a household to the centre of its grid that is wished for, straight or along `roads`; what is
        farther is avoided where the limits allow.
    roads
        Lines in the same CRS. With them ways are measured along roads, also when grids are searched.
    ended
        Names of grids (three digits) that the village ever had: the new ones have the serials after them.
    progress
        Called with the share done, 0 to 1, and what is being done.

    Raises
    ------
    NotMetricError
        If a frame is not in metres, or the CRS differ.
    InputRefusedError
        If the boundary, a household or a unit is unfit; with every fault.
    LimitsError
        If there is no such preset or effort.
    EditRefusedError
        `NO_NUMBER_LEFT` when a grid would need a serial over 999.
    """
    began = time.perf_counter()
    tell = progress or _silent
    wishes, work = choose_wishes(preset), choose_effort(effort)
    if max_way_m is not None:
        wishes = replace(wishes, farthest_m=max_way_m)
    check_metric(village, households, *[frame for frame in (barriers, units, prefer, roads) if frame is not None])
    check_boundary(village)
    check_households(households, village)
    if units is not None:
        check_units(units, village)
    tell(0.05, "cutting the land")
    points = distinct_points(households)
    shape = village.geometry.iloc[0]
    lines = np.empty(0, dtype=object) if barriers is None else barriers.geometry.to_numpy()
    held = read_units(units, households, points, shape)
    owned = None if held is None else unit_land(held)
    land, walls = cut_land(shape, points.xy, lines, owned)
    regions, graph, links = find_regions(land, walls, points.xy, points.weight, limits)
    liked = None if prefer is None else preferred_lines(prefer.geometry.to_numpy())
    graph = replace(graph, work=points.work, border_price=None if liked is None else border_prices(graph, liked))
    along = None if roads is None else road_lines(roads.geometry.to_numpy())
    grid, count, proved = divide_regions(
        regions,
        graph,
        held,
        limits,
        Search(wishes, work, seed, along),
        lambda share: tell(0.2 + 0.5 * share, "dividing into grids"),
    )
    grid = _numbered(points, grid, count)
    tell(0.7, "straightening the borders")
    land = straighten(land, points.xy, grid, None if owned is None else owned.segments(shape), liked)
    graph = replace(build_graph(land, points.xy, points.weight, links), work=points.work)
    tell(0.75, "forming ten-household groups")
    group = divide_grids(graph, grid, limits, seed)
    tell(0.9, "drawing the grids")
    shapes = cell_polygons(land.faces, land.cell_of_face, len(points))
    outlines = merge(shapes, grid, count)
    names = next_names(ended, count)
    broken, odd = ([], []) if held is None else explain_units(held, points, graph, grid, names, limits, proved=proved)
    reasons = (*reasons_of_grids(regions, points.weight, grid, limits, names), *_without_geometry(points), *broken)
    cells = cells_frame(shapes, grid, group, names, village.crs)
    ways = None if along is None else ways_by_road(join_to_roads(along, points.xy), points.xy, points.weight, grid)
    return Plan(
        grids=grids_frame(outlines, points, grid, reasons, names, village.crs),
        households=households_frame(households, points, cells),
        cells=cells,
        reasons=reasons,
        pieces=tuple(explain_pieces(graph, points, grid, outlines, limits, names)),
        limits=limits,
        preset=preset,
        seed=seed,
        effort=effort,
        seconds=time.perf_counter() - began,
        division=Division(village, land, points, grid, group, names, links, held, preferred=liked, way_m=ways),
        ended=frozenset(ended),
        units=tuple(odd),
        units_proved=None if held is None else proved,
        max_way_m=max_way_m,
    )


def warm(*, units: bool = False, bound: bool = False) -> None:
    """Compile the kernels, or load them where they were compiled before, so that no later caller waits for that.

    With `units` also those of dividing by units, and the solver; with `bound` those of the bound.
    """
    release_compiler()  # of what it needed to start
    village, households = sample_village()
    divide(village, households, effort="quick")
    if units:
        divide(village, households.assign(unit=(households.geometry.x > 120).astype(int)), effort="quick")
    if bound:
        divide(village, households, effort="thorough")
    release_compiler()


def sample_village(weight: int = 2) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Return a square village of 64 points, and these: enough to compile everything by."""
    side = np.arange(8) * 40.0
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    crs = "EPSG:32648"
    village = gpd.GeoDataFrame(geometry=[shapely.box(-20, -20, 300, 300)], crs=crs)
    return village, gpd.GeoDataFrame({"weight": weight}, index=range(64), geometry=gpd.points_from_xy(x, y), crs=crs)


def _silent(share: float, text: str) -> None:
    """Tell nobody."""


def _numbered(points: Points, grid: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    load = np.bincount(grid, weights=points.weight, minlength=count)
    centre = [np.bincount(grid, weights=points.weight * axis, minlength=count) / load for axis in points.xy.T]
    return reading_order(np.stack(centre, axis=1))[grid]


def _without_geometry(points: Points) -> list[Reason]:
    return [
        Reason(None, ReasonCode.NO_GEOMETRY, f"household in row {row + 1} has no usable point; it is in no grid")
        for row in np.flatnonzero(points.of_row < 0)
    ]
