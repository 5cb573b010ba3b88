"""The frames the domain works on, their columns, and what makes a frame unfit.

All frames are GeoDataFrames in one metric CRS (see `mapgrid.crs`) unless a function says otherwise.

==========  =========================  =====================================================================
frame       geometry                   columns
==========  =========================  =====================================================================
VILLAGE     Polygon or MultiPolygon    one row; nothing else is needed
HOUSEHOLDS  Point                      `weight` int ≥ 1 (households at the point); `unit` text, optional;
                                       `workload` float > 0, optional (the weight where it is missing)
UNITS       Polygon or MultiPolygon    `unit` text, unique
BARRIERS    LineString (Multi)         `kind` text, optional; a bridge is a gap in the line
PREFERRED   LineString (Multi)         `kind` text (road, path, water, unit limit)
GRIDS       Polygon (Multi when one    `grid` text, `households` int (points), `weight` int, `reason` text
            piece is explained)        or None
==========  =========================  =====================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from mapgrid.errors import Fault, InputRefusedError, LimitsError, shorten

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

BORDER_TOLERANCE_M = 0.02
"""A household this far outside the boundary stands on it."""

MAX_WEIGHT = 32_767
"""Most households at one point; what the store keeps in two bytes."""

UNIT_COLUMN = "unit"
"""The column of the name of a villager group or building."""


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


def check_boundary(village: GeoDataFrame) -> None:
    """Raise `InputRefusedError` unless a village frame is one valid polygon with an area.

    Parameters
    ----------
    village
        Any CRS; one row is expected. Nothing is repaired: a boundary that crosses itself has two meanings, and only
        its owner knows which. Checking takes milliseconds whatever the boundary; repairing might take for ever.
    """
    if len(village) != 1:
        raise InputRefusedError([Fault("one feature, the boundary of the village", f"{len(village)} features")])
    boundary = village.geometry.iloc[0]
    fault = _boundary_fault(boundary)
    if fault is not None:
        raise InputRefusedError([fault])


def _boundary_fault(boundary: BaseGeometry | None) -> Fault | None:
    wanted = "a polygon, the boundary of the village"
    if boundary is None or boundary.is_empty:
        return Fault(wanted, "an empty geometry", row=1)
    if boundary.geom_type not in {"Polygon", "MultiPolygon"}:
        return Fault(wanted, f"a {boundary.geom_type}", row=1, hint="close the line to a polygon in your GIS program")
    if not np.isfinite(shapely.get_coordinates(boundary)).all():
        return Fault(wanted, "a coordinate that is not a number", row=1)
    if not boundary.is_valid:
        hint = "draw the boundary again at that place so that it does not cross or touch itself"
        return Fault(wanted + " that does not cross itself", shapely.is_valid_reason(boundary), row=1, hint=hint)
    return None


def check_households(households: GeoDataFrame, village: GeoDataFrame) -> None:
    """Raise `InputRefusedError` with every household that cannot be divided, unless there is none.

    Parameters
    ----------
    households
        Points with `weight`, in the metric CRS of `village`. A row without geometry is let through: it is reported
        with the plan. Rows are counted from 1.
    village
        One row, checked by `check_boundary`.

    Notes
    -----
    A household up to `BORDER_TOLERANCE_M` outside stands on the border: seven decimals of a degree are one centimetre.
    """
    geometry = households.geometry.to_numpy()
    usable = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    if not usable.any():
        found = f"{len(households)} rows, none with a point" if len(households) else "no rows"
        raise InputRefusedError([Fault("at least one household with a point", found, column="geometry")])
    faults = [*_weight_faults(households), *_workload_faults(households), *_point_faults(geometry, usable)]
    if not faults:
        faults = _outside_faults(geometry, usable, village.geometry.iloc[0])
    if faults:
        raise InputRefusedError(faults)


def _weight_faults(households: GeoDataFrame) -> list[Fault]:
    wanted = "a whole number of households, at least 1"
    if "weight" not in households:
        return [Fault(wanted, "no such column", column="weight")]
    numbers = pd.to_numeric(households["weight"], errors="coerce").to_numpy(dtype=float)
    bad = ~np.isfinite(numbers) | (numbers < 1) | (numbers > MAX_WEIGHT) | (numbers != np.floor(numbers))
    return [
        Fault(wanted, _shown(households["weight"].iloc[row]), row=int(row) + 1, column="weight")
        for row in np.flatnonzero(bad)
    ]


def _workload_faults(households: GeoDataFrame) -> list[Fault]:
    if "workload" not in households:
        return []
    numbers = pd.to_numeric(households["workload"], errors="coerce").to_numpy(dtype=float)
    bad = households["workload"].notna().to_numpy() & ~(np.isfinite(numbers) & (numbers > 0))
    return [
        Fault(
            "a workload above 0, or none",
            _shown(households["workload"].iloc[row]),
            row=int(row) + 1,
            column="workload",
        )
        for row in np.flatnonzero(bad)
    ]


def _shown(cell: object) -> str:
    """Return a cell as a fault says what was found."""
    is_empty = cell is None or cell is pd.NA or cell != cell or not str(cell).strip()  # noqa: PLR0124  NaN
    return "an empty cell" if is_empty else shorten(str(cell))


def _point_faults(geometry: NDArray[np.object_], usable: NDArray[np.bool_]) -> list[Fault]:
    is_point = shapely.get_type_id(geometry) == shapely.GeometryType.POINT
    faults = [
        Fault("a point", f"a {geometry[row].geom_type}", row=int(row) + 1, column="geometry")
        for row in np.flatnonzero(usable & ~is_point)
    ]
    x, y = shapely.get_x(geometry), shapely.get_y(geometry)
    broken = usable & is_point & ~(np.isfinite(x) & np.isfinite(y))
    faults += [
        Fault("finite coordinates", f"({x[row]}, {y[row]})", row=int(row) + 1, column="geometry")
        for row in np.flatnonzero(broken)
    ]
    return faults


def _outside_faults(geometry: NDArray[np.object_], usable: NDArray[np.bool_], boundary: BaseGeometry) -> list[Fault]:
    shapely.prepare(boundary)
    outside = np.flatnonzero(usable & ~shapely.dwithin(boundary, geometry, BORDER_TOLERANCE_M))
    if not len(outside):
        return []
    filled = shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(boundary))))
    away = shapely.distance(boundary, geometry[outside])
    if len(outside) > 1 and len(outside) == usable.sum():
        found = f"all {len(outside)} of them outside, the nearest {_distance(float(away.min()))} away"
        hint = "check that households and boundary are of the same village, and their coordinate systems"
        return [Fault("households inside the village", found, hint=hint)]
    return [
        _outside_fault(int(row) + 1, float(metres), in_hole=bool(filled.contains(geometry[row])))
        for row, metres in zip(outside, away, strict=True)
    ]


def _outside_fault(row: int, metres: float, *, in_hole: bool) -> Fault:
    distance = _distance(metres)
    where = f"a point in a hole of the boundary, {distance} from its land" if in_hole else f"a point {distance} outside"
    hint = "fill the hole, or leave the household to the village it stands in" if in_hole else None
    return Fault("a household inside the village", where, row=row, column="geometry", hint=hint)


def _distance(metres: float) -> str:
    return f"{metres / 1000:.1f} km" if metres >= 1000 else f"{metres:.1f} m"


def unit_names(column: pd.Series) -> pd.Series:
    """Return the names of units as text: numbers without a needless fraction; None where there is no name."""
    return pd.Series([_unit_name(value) for value in column], index=column.index, dtype="object")


def _unit_name(value: object) -> str | None:
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124  NaN and NaT are not themselves
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value).strip() or None


def check_units(units: GeoDataFrame, village: GeoDataFrame) -> None:
    """Raise `InputRefusedError` with every fault of a frame of units, unless there is none.

    Parameters
    ----------
    units
        Polygons with a `unit` column of names, each name once, in the metric CRS of `village`. Rows are counted
        from 1.
    village
        One row, checked by `check_boundary`.
    """
    if not len(units):
        raise InputRefusedError([Fault("at least one unit, a polygon with a name", "no rows")])
    if UNIT_COLUMN not in units.columns:
        raise InputRefusedError([Fault("a column with the name of each unit", "no such column", column=UNIT_COLUMN)])
    faults = [fault for row, shape in enumerate(units.geometry, start=1) if (fault := _unit_fault(row, shape))]
    names, seen = unit_names(units[UNIT_COLUMN]), dict[str, int]()
    for row, name in enumerate(names, start=1):
        if name is None:
            faults.append(Fault("the name of a unit", "nothing", row=row, column=UNIT_COLUMN))
        elif name in seen:
            hint = "join the parts of a unit to one feature, or give them names of their own"
            found = f"{shorten(name)!r}, which row {seen[name]} has too"
            faults.append(Fault("a name that no other unit has", found, row=row, column=UNIT_COLUMN, hint=hint))
        else:
            seen[name] = row
    if not faults and not touches(units, village.geometry.iloc[0]).any():
        faults = [Fault("units on the land of the village", f"{len(units)}, all of them outside")]
    if faults:
        raise InputRefusedError(faults)


def touches(units: GeoDataFrame, boundary: BaseGeometry) -> NDArray[np.bool_]:
    """Return which units share land or border with a village."""
    shapely.prepare(boundary)
    touching: NDArray[np.bool_] = shapely.intersects(boundary, units.geometry.to_numpy())
    return touching


def _unit_fault(row: int, shape: BaseGeometry | None) -> Fault | None:
    wanted = "a polygon, the land of a unit"
    if shape is None or shape.is_empty:
        return Fault(wanted, "an empty geometry", row=row, column="geometry")
    if shape.geom_type not in {"Polygon", "MultiPolygon"}:
        return Fault(wanted, f"a {shape.geom_type}", row=row, column="geometry")
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return Fault(wanted, "a coordinate that is not a number", row=row, column="geometry")
    if not shape.is_valid:
        found = shapely.is_valid_reason(shape)
        return Fault(wanted + " that does not cross itself", found, row=row, column="geometry")
    return None
