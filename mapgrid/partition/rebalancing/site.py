"""A village with what a former plan, or locked grids alone, leave to be decided."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from mapgrid.partition.cells.land import Land, cut_land
from mapgrid.partition.cells.outlines import cell_polygons
from mapgrid.partition.cells.unit_land import unit_land
from mapgrid.partition.explain import explain_pieces, reasons_of_grids
from mapgrid.partition.frames import grids_frame, households_frame, texts
from mapgrid.partition.plan import Division, Moves, Plan
from mapgrid.partition.points import Points, distinct_points
from mapgrid.partition.reasons import Reason, ReasonCode
from mapgrid.partition.rebalancing.carry import Base, Carried, carry
from mapgrid.partition.rebalancing.keeping import (
    border_segments,
    cut_along_borders,
    kept_as_they_were,
    outlines_of,
    soft_nodes,
    unseen_nodes,
    with_exact_nodes,
)
from mapgrid.partition.rebalancing.meeting import end_in_corners
from mapgrid.partition.rebalancing.naming import next_names
from mapgrid.partition.rebalancing.regroup import keep_groups, number_groups
from mapgrid.partition.rebalancing.untouched import leave_untouched
from mapgrid.partition.search.graph import Graph, build_graph
from mapgrid.partition.search.sides import Region, find_regions
from mapgrid.partition.straight.borders import straighten
from mapgrid.partition.straight.prefer import Preferred, border_prices
from mapgrid.partition.whole_units.unit_splits import tell_splits
from mapgrid.partition.whole_units.units import Units, read_units

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from mapgrid.partition.rebalancing.given import Given, Wish


_KEPT = (ReasonCode.UNITS_DO_NOT_FIT, "so in the former plan, or for the limits, or around locked grids")


@dataclass(frozen=True)
class Site:
    """A village of today on the land of a former plan.

    Attributes
    ----------
    carried
        What each point has from the former plan.
    locked
        Labels of former grids that stay as they are.
    land, graph, links, regions
        The cells, cut along the former borders; who is beside whom; what may be divided together.
    used
        Names that no new grid may have.
    """

    given: Given
    points: Points
    wish: Wish
    units: Units | None
    liked: Preferred | None
    carried: Carried
    locked: NDArray[np.int64]
    land: Land
    graph: Graph
    links: NDArray[np.int64]
    regions: list[Region]
    used: frozenset[str]
    began: float

    @property
    def is_locked(self) -> NDArray[np.bool_]:
        """Which cells are in a locked grid."""
        return np.isin(self.carried.label, self.locked)


def survey(
    base: Base,
    given: Given,
    wish: Wish,
    locked: frozenset[str] | None,
) -> Site:
    """Return the site of a former plan; `locked` None: the base is nothing but locked grids, the rest is free."""
    began = time.perf_counter()
    given.check(base)
    points = distinct_points(given.households)
    carried = carry(base, points, is_whole=locked is not None)
    shape = given.village.geometry.iloc[0]
    held, liked = read_units(given.units, given.households, points, shape), given.preferred()
    land, walls = cut_land(shape, points.xy, given.walls(), None if held is None else unit_land(held))
    # Points without a former grid are together one more label.
    label = np.where(carried.label < 0, len(carried.names), carried.label)
    land = cut_along_borders(land, points.xy, label, carried.polygons, shape)
    names = frozenset(carried.names) if locked is None else locked
    fixed = np.array([number for number, name in enumerate(carried.names) if name in names], dtype=np.int64)
    free = np.flatnonzero(~np.isin(carried.label, fixed))
    regions, links = [], np.empty((0, 2), dtype=np.int64)
    if len(free):
        found, _, linked = find_regions(_part(land, free), walls, points.xy[free], points.weight[free], wish.limits)
        regions, links = [replace(region, cells=free[region.cells]) for region in found], free[linked]
    return Site(
        given,
        points,
        wish,
        held,
        liked,
        carried,
        fixed,
        land,
        _graph(land, points, links, liked),
        links,
        regions,
        base.ended.union(carried.names),
        began,
    )


def _part(land: Land, keep: NDArray[np.int64]) -> Land:
    """Return the land with some of its cells, ascending, as if the others were not there. Faces stay as they are."""
    position = np.full(len(land.side), -1, dtype=np.int64)
    position[keep] = np.arange(len(keep))
    inside = (position[land.pairs] >= 0).all(axis=1)
    return replace(
        land,
        home_face=land.home_face[keep],
        side=land.side[keep],
        part=land.part[keep],
        area_m2=land.area_m2[keep],
        outline_m=land.outline_m[keep],
        pairs=position[land.pairs[inside]],
        border_m=land.border_m[inside],
        touch=land.touch[inside],
    )


def plan_of(site: Site, label: NDArray[np.int64], moves: Moves | None) -> Plan:
    """Return the plan of labels: former grids keep their number, new ones come after them, emptied ones are ended."""
    points, wish, former = site.points, site.wish, len(site.carried.names)
    kept, grid = np.unique(label, return_inverse=True)
    grid = grid.reshape(-1).astype(np.int64)
    new = next_names(site.used, int((kept >= former).sum()))
    names = (*(site.carried.names[number] for number in kept if number < former), *new)
    same = _same(site, label, kept)
    land = _redrawn(site, label, kept, grid, same)
    graph = site.graph if land is site.land else _graph(land, points, site.links, site.liked)
    shapes = cell_polygons(land.faces, land.cell_of_face, len(points))
    soft = soft_nodes(land, points.xy, grid, site.carried.polygons)
    outlines = _outlines(site, (land, shapes, soft), kept, grid, same)
    splits, odd = ([], []) if site.units is None else tell_splits(site.units, points, (grid, names), _KEPT)
    reasons = (*_reasons(site, grid, kept, names), *_without_geometry(points), *splits)
    cells = _cells(site, (graph, shapes), label, kept, names)
    crs = site.given.village.crs
    group = np.unique(cells["group"].to_numpy().astype(str), return_inverse=True)[1].reshape(-1).astype(np.int64)
    return Plan(
        grids=grids_frame(outlines, points, grid, reasons, names, crs),
        households=households_frame(site.given.households, points, cells),
        cells=cells,
        reasons=reasons,
        pieces=tuple(explain_pieces(graph, points, grid, outlines, wish.limits, names)),
        limits=wish.limits,
        preset=wish.preset,
        seed=wish.seed,
        effort=wish.effort,
        seconds=time.perf_counter() - site.began,
        division=Division(
            site.given.village, land, points, grid, group, names, site.links, site.units, soft, site.liked
        ),
        locked=frozenset(site.carried.names[number] for number in site.locked),
        ended=site.used.difference(names),
        moves=moves,
        units=tuple(odd) if site.units is None else (*site.units.odd, *odd),
        units_proved=None if site.units is None else False,
    )


def _same(site: Site, label: NDArray[np.int64], kept: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which grids have the cells they had."""
    home = site.carried.label
    changed = np.unique(np.concatenate([label[label != home], home[label != home]]))
    same: NDArray[np.bool_] = ~np.isin(kept, changed) & (kept < len(site.carried.names))
    return same


def _redrawn(
    site: Site, label: NDArray[np.int64], kept: NDArray[np.int64], grid: NDArray[np.int64], same: NDArray[np.bool_]
) -> Land:
    """Return the land with new borders drawn straight, former ones left, and meetings of both in former corners."""
    if (label == site.carried.label).all():
        return site.land
    polygons, xy = site.carried.polygons, site.points.xy
    segments, _ = border_segments(polygons)
    land = straighten(site.land, xy, grid, segments, site.liked)
    corners = np.unique(shapely.get_coordinates(polygons), axis=0)
    land = with_exact_nodes(end_in_corners(land, xy, grid, same, corners), corners)
    locked = np.isin(kept, site.locked)
    if locked.any():
        land = with_exact_nodes(leave_untouched(land, xy, grid, locked, polygons[site.locked]), corners)
    return land


def _graph(land: Land, points: Points, links: NDArray[np.int64], liked: Preferred | None) -> Graph:
    graph = build_graph(land, points.xy, points.weight, links)
    return replace(graph, work=points.work, border_price=None if liked is None else border_prices(graph, liked))


def _outlines(
    site: Site,
    drawn: tuple[Land, NDArray[np.object_], NDArray[np.float64]],
    kept: NDArray[np.int64],
    grid: NDArray[np.int64],
    same: NDArray[np.bool_],
) -> NDArray[np.object_]:
    """Return the polygons of the grids; a grid of the same cells as before has its former polygon to the bit."""
    land, shapes, soft = drawn
    outlines = outlines_of(shapes, grid, len(kept), unseen_nodes(land, grid, soft))
    former = site.carried.polygons[kept[same]]
    as_before = kept_as_they_were(outlines[same], former, site.given.village.geometry.iloc[0])
    outlines[np.flatnonzero(same)[as_before]] = former[as_before]
    return outlines


def _reasons(site: Site, grid: NDArray[np.int64], kept: NDArray[np.int64], names: tuple[str, ...]) -> list[Reason]:
    limits, weight = site.wish.limits, site.points.weight
    reasons = reasons_of_grids(site.regions, weight, grid, limits, names)
    load = np.bincount(grid, weights=weight).astype(int)
    for number in np.flatnonzero(np.isin(kept, site.locked)):
        if not limits.min <= load[number] <= limits.max:
            detail = f"{load[number]} households in a locked grid; the limits are {limits.min}–{limits.max}"
            reasons.append(Reason(names[number], ReasonCode.LOCKED, detail))
    return sorted(reasons, key=lambda reason: reason.grid or "")


def _without_geometry(points: Points) -> list[Reason]:
    return [
        Reason(None, ReasonCode.NO_GEOMETRY, f"household in row {row + 1} has no usable point; it is in no grid")
        for row in np.flatnonzero(points.of_row < 0)
    ]


def _cells(
    site: Site,
    drawn: tuple[Graph, NDArray[np.object_]],
    label: NDArray[np.int64],
    kept: NDArray[np.int64],
    names: tuple[str, ...],
) -> GeoDataFrame:
    """Return the cells with grid and group; groups stay where they can, and in unchanged grids altogether."""
    carried, count = site.carried, len(label)
    grids, groups = np.empty(count, dtype=object), np.empty(count, dtype=object)
    for number, name in zip(kept, names, strict=True):
        mine = np.flatnonzero(label == number)
        serial = np.where(carried.label[mine] == number, carried.group[mine], 0)
        is_same = (serial > 0).all() and number < len(carried.names) and not carried.has_lost[number]
        if not is_same or (carried.label == number).sum() != len(mine):
            part = drawn[0].part(mine)
            former = np.where(carried.group[mine] > 0, carried.label[mine] * 100 + carried.group[mine], -1)
            own = keep_groups(part, former, site.wish.limits, site.wish.seed)
            serial = number_groups(own, part.weight, serial)
        grids[mine] = name
        groups[mine] = [f"{name}{one:02d}" for one in serial]
    columns = {"grid": texts(grids), "group": texts(groups)}
    return gpd.GeoDataFrame(columns, geometry=drawn[1], crs=site.given.village.crs)
