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
