"""Frames of an area -> what its map draws: layers, legend, list, points for the browser."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import shapely

from mapgrid.cases import OPEN_ON_MAP
from mapgrid.errors import NotFoundError
from mapgrid.mapspec import MapSpec, Overlay, Pane, colour_grids, village_spec
from mapgrid.outlines import inner_borders, neighbours_of, surroundings
from mapgrid.terrain import TerrainKind
from web.folium_map import Layers
from web.geojson import feature_collection, one_feature

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

    from geodata.counts import Counts

_REACH_DEGREES = 0.6
_VILLAGES_APART_DEGREES = 0.001
_FEW = 0.02  # households at the rim that may lie outside the first view
_MARGIN = 0.04
_TRUNK = frozenset({"motorway", "trunk", "primary", "secondary", "motorway_link", "trunk_link", "primary_link"})
_RIVER = frozenset({"river", "canal"})


@dataclass(frozen=True, slots=True)
class VillageFrames:
    """What the store knows of one village, EPSG:4326.

    Attributes
    ----------
    households
        Points with `code`, `tier`, `weight` and `grid` (code, or None without a plan).
    grids
        Polygons with `code`, `households`, `reason`; empty without a plan.
    groups, units
        Polygons; empty when there are none.
    cases
        Points with `number`, `map_state`, `title`, `grid`.
    terrain
        Shapes with `kind` and `detail`.
    counts, counts_of_grids
        Figures of the village, and of each grid by code.
    """

    boundary: BaseGeometry
    households: GeoDataFrame
    grids: GeoDataFrame
    groups: GeoDataFrame
    units: GeoDataFrame
    cases: GeoDataFrame
    terrain: GeoDataFrame
    counts: Counts
    counts_of_grids: Mapping[str, Counts]


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One line of the list beside the map: a grid of a village, or a village of a town."""

    code: str
    title: str
    counts: Counts
    is_breaker: bool = False

    @property
    def open_cases(self) -> int:
        """Return the number of cases that are not closed."""
        return sum(self.counts.cases[state] for state in OPEN_ON_MAP)


@dataclass(frozen=True, slots=True)
class Composed:
    """A map ready to be drawn: its description, its layers, its list, and the points for the browser."""

    spec: MapSpec
    layers: Layers
    rows: tuple[AreaRow, ...]
    households: list[list[Any]] = field(default_factory=list)
    cases: list[list[Any]] = field(default_factory=list)


def one_grid(frames: VillageFrames, code: str) -> VillageFrames:
    """Return what is known of one grid of a village.

    Raises
    ------
    NotFoundError
        If the plan in force has no such grid.
    """
    grids = frames.grids[frames.grids["code"] == code]
    if grids.empty:
        raise NotFoundError(f"no grid {code} in a plan in force")
    return replace(
        frames,
        boundary=grids.geometry.iloc[0],
        households=frames.households[frames.households["grid"] == code],
        grids=grids,
        groups=frames.groups[frames.groups["code"].str.startswith(code)],
        cases=frames.cases[frames.cases["grid"] == code],
        counts=frames.counts_of_grids[code],
    )


def compose_village(frames: VillageFrames, *, has_households: bool = True) -> Composed:
    """Return the map of one village or grid; without households there is no legend that filters them."""
    overlays = {key: parts for key, parts in _overlays(frames).items() if parts}
    spec = village_spec(
        _start_box(frames),
        tier_counts=frames.counts.tiers if has_households else {},
        case_counts=frames.counts.cases,
        overlays=([Overlay.GRIDS] if len(frames.grids) else []) + list(overlays),
    )
    layers = Layers(
        areas=_filled(frames.grids),
        borders=one_feature(inner_borders(frames.grids.geometry)),
        boundary=one_feature(shapely.boundary(frames.boundary)),
        outside=one_feature(surroundings(frames.boundary, reach=_REACH_DEGREES)),
        overlays=overlays,
        breakers=feature_collection(frames.grids[frames.grids["reason"].notna()]),
    )
    households = frames.households
    cases = frames.cases
    return Composed(
        spec=spec,
        layers=layers,
        rows=_grid_rows(frames),
        households=[
            list(row)
            for row in zip(
                *_lon_lat(households),
                households["tier"].tolist(),
                households["weight"].tolist(),
                households["code"].tolist(),
                households["grid"].tolist(),
                strict=True,
            )
        ],
        cases=[
            list(row)
            for row in zip(
                *_lon_lat(cases),
                cases["map_state"].tolist(),
                cases["number"].tolist(),
                cases["title"].tolist(),
                strict=True,
            )
        ],
    )


def compose_villages(
    villages: GeoDataFrame, rows: Sequence[AreaRow], bounds: tuple[float, float, float, float]
) -> Composed:
    """Return the map of the villages of a town or district.

    Parameters
    ----------
    villages
        Boundaries with a `code`, EPSG:4326, in the order of `rows`.
    """
    # Villages come from several hands and seldom meet edge to edge: each keeps its outline, near ones differ in fill.
    whole = shapely.union_all(villages.geometry.to_numpy())
    layers = Layers(
        areas=_filled(villages, reach=_VILLAGES_APART_DEGREES),
        borders=one_feature(shapely.MultiLineString()),
        boundary=one_feature(shapely.union_all(shapely.boundary(villages.geometry.to_numpy()))),
        outside=one_feature(surroundings(whole, reach=_REACH_DEGREES)),
    )
    return Composed(spec=MapSpec(bounds=bounds), layers=layers, rows=tuple(rows))


def _filled(areas: GeoDataFrame, *, reach: float | None = None) -> dict[str, Any]:
    fills = colour_grids(neighbours_of(areas, reach=reach))
    return feature_collection(areas.assign(fill=areas["code"].map(fills)), ("code", "fill"))


def _grid_rows(frames: VillageFrames) -> tuple[AreaRow, ...]:
    return tuple(
        AreaRow(grid.code, grid.code[-3:], frames.counts_of_grids[grid.code], is_breaker=isinstance(grid.reason, str))
        for grid in frames.grids.sort_values("code").itertuples()
    )


def _overlays(frames: VillageFrames) -> dict[Overlay, list[tuple[str, Pane, dict[str, Any]]]]:
    return {
        Overlay.GROUPS: _outlines("groups", frames.groups),
        Overlay.UNITS: _outlines("units", frames.units),
        Overlay.BUILDINGS: list(_terrain_parts(frames.terrain, _BUILDINGS)),
        Overlay.ROADS_AND_WATER: list(_terrain_parts(frames.terrain, _ROADS_AND_WATER)),
    }


def _outlines(style: str, areas: GeoDataFrame) -> list[tuple[str, Pane, dict[str, Any]]]:
    if areas.empty:
        return []
    edges = shapely.line_merge(shapely.union_all(shapely.boundary(areas.geometry.to_numpy())))
    return [(style, Pane.GROUPS, one_feature(edges))]


_BUILDINGS = (("building", Pane.BUILDINGS, TerrainKind.BUILDING, None),)
_ROADS_AND_WATER = (
    ("water_area", Pane.WATER, TerrainKind.WATER_AREA, None),
    ("waterway", Pane.WATER, TerrainKind.WATERWAY, lambda detail: detail not in _RIVER),
    ("river", Pane.WATER, TerrainKind.WATERWAY, lambda detail: detail in _RIVER),
    ("path", Pane.ROADS, TerrainKind.PATH, None),
    ("road_casing", Pane.ROADS, TerrainKind.ROAD, lambda detail: detail not in _TRUNK),
    ("trunk_casing", Pane.ROADS, TerrainKind.ROAD, lambda detail: detail in _TRUNK),
    ("road", Pane.ROADS, TerrainKind.ROAD, lambda detail: detail not in _TRUNK),
    ("trunk", Pane.ROADS, TerrainKind.ROAD, lambda detail: detail in _TRUNK),
)


def _terrain_parts(
    terrain: GeoDataFrame, parts: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[str, Pane, dict[str, Any]]]:
    """Yield each kind of terrain as one shape: a thousand houses are one feature, not a thousand."""
    for style, pane, kind, wanted in parts:
        chosen = terrain[terrain["kind"] == kind]
        if wanted is not None:
            chosen = chosen[chosen["detail"].map(wanted).astype(bool)]
        if len(chosen):
            shapes = shapely.get_parts(chosen.geometry.to_numpy())
            widest = shapely.get_dimensions(shapes).max()
            whole = shapely.multipolygons if widest == 2 else shapely.multilinestrings
            yield style, pane, one_feature(whole(shapes[shapely.get_dimensions(shapes) == widest]))


def _lon_lat(points: GeoDataFrame) -> tuple[list[float], list[float]]:
    return points.geometry.x.round(6).tolist(), points.geometry.y.round(6).tolist()


def _start_box(frames: VillageFrames) -> tuple[float, float, float, float]:
    """Return where most households are: a map opens on people, not on forest."""
    if frames.households.empty:
        west, south, east, north = frames.boundary.bounds
        return west, south, east, north
    lon, lat = frames.households.geometry.x, frames.households.geometry.y
    west, east = lon.quantile([_FEW, 1 - _FEW])
    south, north = lat.quantile([_FEW, 1 - _FEW])
    aside_x, aside_y = _MARGIN * (east - west), _MARGIN * (north - south)
    return (float(west - aside_x), float(south - aside_y), float(east + aside_x), float(north + aside_y))
