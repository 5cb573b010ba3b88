"""The frames the domain works on, their columns, and what makes a frame unfit.

All frames are GeoDataFrames in one metric CRS (see `mapgrid.crs`) unless a function says otherwise.

==========  =========================  =====================================================================
frame       geometry                   columns
==========  =========================  =====================================================================
VILLAGE     Polygon or MultiPolygon    one row; nothing else is needed
HOUSEHOLDS  Point                      `weight` int ≥ 1 (households at the point); `unit` text, optional
UNITS       Polygon or MultiPolygon    `unit` text, unique
BARRIERS    LineString (Multi)         `kind` text, optional; a bridge is a gap in the line
PREFERRED   LineString (Multi)         `kind` text (road, path, water, unit limit)
GRIDS       Polygon (Multi when one    `grid` text, `households` int (points), `weight` int, `reason` text
            piece is explained)        or None
==========  =========================  =====================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

from mapgrid.errors import LimitsError


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a grid and a ten-household group may be, in households.

    Attributes
    ----------
    min, max, target
        Households of a grid: least, most, wished for.
    group_size, group_min, group_max
        Households of a ten-household group: wished for, least, most.
    """

    min: int = 50
    max: int = 100
    target: int = 75
    group_size: int = 10
    group_min: int = 8
    group_max: int = 15

    def __post_init__(self) -> None:
        """Raise `LimitsError` naming the first limit that cannot be."""
        if self.min < 1:
            msg = f"--min: expected a whole number of at least 1 household, found {self.min}"
            raise LimitsError(msg)
        if self.max < self.min:
            msg = f"--max: expected at least --min ({self.min}), found {self.max}"
            raise LimitsError(msg)
        if not self.min <= self.target <= self.max:
            msg = f"--target: expected {self.min}–{self.max} (--min to --max), found {self.target}"
            raise LimitsError(msg)
        if not 1 <= self.group_min <= self.group_size <= self.group_max:
            msg = (
                f"--group-size: expected {self.group_min}–{self.group_max} households for a ten-household group, "
                f"found {self.group_size}"
            )
            raise LimitsError(msg)
