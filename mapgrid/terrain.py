"""What lies on the land of a village and what it means for grid borders."""

from __future__ import annotations

from enum import StrEnum


class TerrainKind(StrEnum):
    """Kinds of terrain the map draws; lines may also be barriers or preferred borders."""

    BUILDING = "building"
    ROAD = "road"
    PATH = "path"
    WATERWAY = "waterway"
    WATER_AREA = "water_area"
    RIDGE = "ridge"
    RAILWAY = "railway"


BARRIER_WATERWAYS = frozenset({"river"})
"""OSM `waterway` values a grid does not reach across. Canals, streams and ditches are drawn and crossed anywhere."""

CARRIAGEWAYS = frozenset(
    {"motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "service"}
)
"""OSM `highway` values that are drawn as roads (their `_link` forms too); every other value is a path."""


def kind_of_highway(highway: str) -> TerrainKind:
    """Return ROAD for a carriageway and PATH for every other value of the OSM key `highway`."""
    return TerrainKind.ROAD if highway.removesuffix("_link") in CARRIAGEWAYS else TerrainKind.PATH
