"""Units (villager groups, buildings) given in a file or in a column of the households."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mapgrid.errors import Fault, InputRefusedError, shorten
from mapgrid.village import UNIT_COLUMN, unit_names

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pyproj import CRS

NAME_COLUMNS = (UNIT_COLUMN, "name", "code")
"""Columns that may hold the names of units, in this order, in small or capital letters; else the row is the name."""


def name_column(units: GeoDataFrame) -> str | None:
    """Return the column that holds the names of units, or None."""
    by_name = {str(column).lower(): column for column in reversed(units.columns)}
    return next((by_name[name] for name in NAME_COLUMNS if name in by_name), None)


def units_in_metres(units: GeoDataFrame, metric: CRS) -> GeoDataFrame:
    """Return the polygons of units with their names in `unit`, in metres, in the order and index of the file."""
    column = name_column(units)
    names = pd.Series(units.index.astype(str), index=units.index) if column is None else unit_names(units[column])
    return units[["geometry"]].assign(**{UNIT_COLUMN: names}).to_crs(metric)


def notes_on_names(units: GeoDataFrame) -> list[str]:
    """Return where the names of units were taken from, unless it is the column meant for it."""
    column = name_column(units)
    if column == UNIT_COLUMN:
        return []
    where = "the row numbers" if column is None else f"the column {column!r}"
    return [f"no column {UNIT_COLUMN!r}: units are named by {where}"]


def units_of_households(features: GeoDataFrame, column: str) -> pd.Series:
    """Return the unit of each household, or refuse a column that is not there or holds no name at all."""
    place = {"file": features.attrs["file"], "layer": features.attrs["layer"]}
    if column not in features.columns:
        names = ", ".join(shorten(str(name)) for name in features.columns if name != "geometry")
        raise InputRefusedError([Fault(f"a column {column!r} (--unit-column)", f"the columns {names}", **place)])
    names = unit_names(features[column])
    if not names.notna().any():
        raise InputRefusedError([Fault("the name of at least one unit", "no name at all", column=column, **place)])
    return names
