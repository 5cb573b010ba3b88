"""What a village of the store gives to a division: its land and households in its metric CRS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.households import load_households
from geodata.villages import load_terrain, load_village
from mapgrid.crs import metric_crs_for

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

# Straight in degrees is not straight in metres: with a vertex every 50 m the difference is less than a millimetre.
_LONGEST_EDGE_DEGREES = 0.0005
_COLUMNS = ["weight", "unit", "geometry"]
"""What a division reads of households; it has no need of an address or a tier."""


@dataclass(frozen=True, slots=True)
class VillageLand:
    """A village as divisions take it, metres.

    Attributes
    ----------
    village, households
        One row; points by household code with `weight` and `unit`.
    lines
        `barriers` and `prefer`, None where the village has none.
    """

    village: GeoDataFrame
    households: GeoDataFrame
    lines: dict[str, GeoDataFrame | None]


def load_land(session: Session, code: str) -> VillageLand:
    """Return the land of a village, or raise `NotFoundError` when there is no such village or it has no boundary."""
    boundary = load_village(session, code)
    crs = metric_crs_for(tuple(boundary.total_bounds))
    village = boundary.assign(geometry=boundary.geometry.segmentize(_LONGEST_EDGE_DEGREES)).to_crs(crs)
    households = load_households(session, code).set_index("code")[_COLUMNS].to_crs(crs)
    terrain = load_terrain(session, code).to_crs(crs)
    lines = {"barriers": _lines(terrain, "is_barrier"), "prefer": _lines(terrain, "is_preferred")}
    return VillageLand(village, households, lines)


def _lines(terrain: GeoDataFrame, which: str) -> GeoDataFrame | None:
    """Return the shapes of the terrain that a column marks, or None when there are none."""
    lines = terrain.loc[terrain[which], ["geometry"]]
    return lines if len(lines) else None
