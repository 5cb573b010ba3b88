"""Villages drawn by chance from a seed: hamlets and scattered houses, a notch in the outline, a river, villager groups.

Everything is in whole metres' worth of detail and of a realistic density; the same size and seed give the same village.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

CRS = "EPSG:32648"
WEST_M, SOUTH_M = 400_000.0, 3_300_000.0
LAND_PER_HOUSEHOLD_M2 = 4_000.0
HOUSES_APART_M = 9.0
UNIT_SIZE = 33
"""Households that a villager group has on average; most have 15 to 60."""


@dataclass(frozen=True)
class GeneratedVillage:
    """One drawn village; every frame in metres.

    Attributes
    ----------
    village
        One row: the outline, with a notch.
    households
        Points, all distinct, with `weight` 1, `unit` (name of the villager group) and `visits` (per month).
    units
        The polygons of the villager groups, named in `unit`; they tile the village, none reaches across the river.
    river
        Lines across the village, with gaps of 20 m at the bridges.
    roads
        Lines from hamlet to hamlet, over the bridges.
    """

    village: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    river: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame


def generate(size: int, seed: int = 0) -> GeneratedVillage:
    """Return the village of `size` households that the seed draws."""
    rng = np.random.default_rng([size, seed])
    outline = _outline(rng, np.sqrt(size * LAND_PER_HOUSEHOLD_M2))
    line = _river(rng, outline)
    hamlets = _scattered(rng, outline, line, max(2, round(size / 70)), 150.0)
    xy = _houses(rng, outline, line, hamlets, size)
    roads = _roads(hamlets)
    crossings = shapely.get_coordinates(shapely.intersection(shapely.union_all(roads), line))
    bridges = shapely.union_all(shapely.buffer(shapely.points(crossings), 10.0)) if len(crossings) else shapely.Point()
    river = shapely.get_parts(line.difference(bridges))
    units = _units(rng, outline, line, xy)
    unit = np.empty(size, dtype=object)
    at, of = shapely.STRtree(units).query(shapely.points(xy), "intersects")
    names = np.array([f"{number + 1}组" for number in range(len(units))], dtype=object)
    unit[at] = names[of]
    visits = rng.choice([1, 2, 4], size=size, p=[0.8, 0.15, 0.05])
    return GeneratedVillage(
        _frame([outline]),
        _frame(shapely.points(xy), weight=1, unit=unit, visits=visits),
        _frame(units, unit=names),
        _frame(river),
        _frame(roads),
    )


def _frame(shapes, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, index=range(len(shapes)), geometry=list(shapes), crs=CRS)


def _outline(rng: np.random.Generator, width_m: float) -> shapely.Polygon:
    """Return a rounded outline with a notch, of about the square of the width."""
    turns = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    reach = 1.0 + sum(rng.uniform(0.02, 0.12) * np.cos(k * turns + rng.uniform(0, 2 * np.pi)) for k in (2, 3, 5))
    reach *= width_m / np.sqrt(np.pi)
    ring = np.stack([reach * np.cos(turns), reach * np.sin(turns)], axis=1)
    towards = rng.uniform(0, 2 * np.pi)
    tip = 0.45 * width_m * np.array([np.cos(towards), np.sin(towards)]) * 0.8
    far = 1.2 * width_m
    sides = [far * np.array([np.cos(towards + turn), np.sin(towards + turn)]) for turn in (-0.14, 0.14)]
    notched = shapely.Polygon(ring).difference(shapely.Polygon([tip, *sides]))
    largest = max(shapely.get_parts(notched), key=lambda part: part.area)
    moved = shapely.transform(largest, lambda xy: np.round(xy + np.array([WEST_M, SOUTH_M]), 2))
    return shapely.Polygon(moved.exterior)


def _river(rng: np.random.Generator, outline: shapely.Polygon) -> shapely.LineString:
    """Return a winding line right across the village."""
    west, south, east, north = outline.bounds
    along = np.linspace(-0.1, 1.1, 60)
    middle = rng.uniform(0.3, 0.7) + 0.06 * np.sin(2 * np.pi * along * rng.uniform(1, 2.5) + rng.uniform(0, 6))
    xy = np.stack([west + along * (east - west), south + middle * (north - south)], axis=1)
    if rng.random() < 0.5:
        xy = np.stack([west + middle * (east - west), south + along * (north - south)], axis=1)
    return shapely.LineString(np.round(xy, 2))


def _scattered(rng, outline, line, count: int, apart_m: float) -> np.ndarray:
    """Return points on dry land, as far apart as they can be, up to a distance."""
    west, south, east, north = outline.bounds
    land = outline.buffer(-30.0).difference(line.buffer(40.0))
    tried = rng.uniform((west, south), (east, north), size=(60 * count + 400, 2))
    tried = tried[shapely.contains_xy(land, tried)]
    chosen = [tried[0]]
    for point in tried[1:]:
        if len(chosen) == count:
            break
        if np.hypot(*(np.array(chosen) - point).T).min() >= apart_m:
            chosen.append(point)
    return np.array(chosen)


def _houses(rng, outline, line, hamlets: np.ndarray, size: int) -> np.ndarray:
    """Return distinct houses a few metres apart: three quarters in hamlets, the rest scattered."""
    land = outline.buffer(-3.0).difference(line.buffer(12.0))
    shapely.prepare(land)
    west, south, east, north = outline.bounds
    share = rng.dirichlet(np.full(len(hamlets), 3.0))
    spread = rng.uniform(45.0, 110.0, len(hamlets))
    kept = np.empty((0, 2))
    while len(kept) < size:
        hamlet = rng.choice(len(hamlets), size=3 * size, p=share)
        near = hamlets[hamlet] + rng.normal(size=(3 * size, 2)) * spread[hamlet, None]
        loose = rng.uniform((west, south), (east, north), size=(size, 2))
        both = np.concatenate([kept, rng.permutation(np.concatenate([near, loose]))])
        both = np.round(both[shapely.contains_xy(land, both)], 2)
        pairs = cKDTree(both).query_pairs(HOUSES_APART_M, output_type="ndarray")
        kept = np.delete(both, np.unique(pairs.max(axis=1)), axis=0)
    return kept[:size]


def _roads(hamlets: np.ndarray) -> np.ndarray:
    """Return straight roads: the shortest net between hamlets, and each hamlet's nearest three."""
    away = cdist(hamlets, hamlets)
    pairs = set(zip(*(end.tolist() for end in minimum_spanning_tree(away).nonzero()), strict=True))
    nearest = np.argsort(away, axis=1)[:, 1:4]
    pairs |= {(one, int(other)) for one in range(len(hamlets)) for other in nearest[one]}
    once = sorted({(min(pair), max(pair)) for pair in pairs})
    return np.array([shapely.LineString(np.round(hamlets[[one, other]], 2)) for one, other in once], dtype=object)


def _units(rng, outline, line, xy: np.ndarray) -> np.ndarray:
    """Return polygons of villager groups: land nearest to centres drawn among the houses, cut by the river."""
    count = max(1, round(len(xy) / UNIT_SIZE))
    centres = xy[rng.choice(len(xy), count, replace=False)]
    for _ in range(6):  # a few rounds towards even groups
        nearest = np.asarray(cKDTree(centres).query(xy)[1])
        size = np.bincount(nearest, minlength=count)
        total = np.stack([np.bincount(nearest, weights=axis, minlength=count) for axis in xy.T], axis=1)
        centres = np.where(size[:, None] > 0, total / np.maximum(size, 1)[:, None], centres)
    far = outline.buffer(3 * np.sqrt(outline.area))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(centres), extend_to=far))
    banks = shapely.get_parts(shapely.polygonize([shapely.union_all([line, outline.exterior])]))
    banks = banks[shapely.contains(outline.buffer(0.01), shapely.point_on_surface(banks))]
    pieces = shapely.get_parts(shapely.intersection(cells[:, None], banks[None, :]).ravel())
    pieces = pieces[(shapely.get_dimensions(pieces) == 2) & ~shapely.is_empty(pieces)]
    at = shapely.STRtree(shapely.points(xy)).query(pieces, "contains")[0]
    weight = np.bincount(at, minlength=len(pieces))
    return _joined(list(pieces), weight.tolist(), line)


def _joined(pieces: list, weight: list[int], line) -> np.ndarray:
    """Return the pieces after each with under 12 households joined the neighbour with the longest dry border."""
    river = line.buffer(0.05)
    small = [number for number, load in enumerate(weight) if load < 12]
    for number in sorted(small, key=lambda n: weight[n]):
        if weight[number] >= 12:
            continue
        best, longest = -1, 0.5
        for other in range(len(pieces)):
            if other != number and pieces[other] is not None:
                shared = pieces[number].intersection(pieces[other]).difference(river).length
                if shared > longest:
                    best, longest = other, shared
        if best >= 0:
            joined = shapely.union_all([pieces[best], pieces[number]])
            if joined.geom_type == "Polygon":
                pieces[best], weight[best] = joined, weight[best] + weight[number]
                pieces[number] = None
    return np.array([piece for piece in pieces if piece is not None], dtype=object)
