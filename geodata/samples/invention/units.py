"""Villager groups that fit a division, and addresses that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.samples.invention.words import numeral

if TYPE_CHECKING:
    from geopandas import GeoSeries

_HOUSEHOLDS_PER_UNIT = 35


def invent_units(places: GeoSeries, grid_of: pd.Series, group_of: pd.Series) -> pd.Series:
    """Return the villager group of each household: text `一组`, `二组`, …, indexed like `places`.

    Real villager groups are there first and grids join them. These are made the other way round, from neighbouring
    ten-household groups of one grid, so that the demo's grids keep them whole. `places` are points in a metric CRS.
    """
    xy = shapely.get_coordinates(places.to_numpy())
    of_group = (
        pd.DataFrame({"grid": grid_of, "x": xy[:, 0], "y": xy[:, 1]})
        .groupby(group_of)
        .agg(grid=("grid", "first"), x=("x", "mean"), y=("y", "mean"), households=("x", "size"))
    )
    unit_of_group: dict[object, str] = {}
    made = 0
    for _grid, groups in of_group.groupby("grid"):
        parts = max(1, round(groups["households"].sum() / _HOUSEHOLDS_PER_UNIT))
        for part in np.array_split(_along_longest_axis(groups), parts):
            made += 1
            unit_of_group.update(dict.fromkeys(part, f"{numeral(made)}组"))
    return group_of.map(unit_of_group)


def invent_addresses(village_name: str, unit_of: pd.Series, places: GeoSeries) -> pd.Series:
    """Return addresses such as 鲁格尔村三组12号, numbered from west to east in each villager group."""
    x = pd.Series(shapely.get_x(places.to_numpy()), index=places.index)
    number = x.groupby(unit_of).rank(method="first").astype(int).astype(str)
    return village_name + unit_of + number + "号"


def _along_longest_axis(groups: pd.DataFrame) -> np.ndarray:
    """Return the index of the groups in the order in which they lie along the axis they spread most on."""
    xy = groups[["x", "y"]].to_numpy()
    centred = xy - xy.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])  # the sign of a singular vector is arbitrary
    ordered: np.ndarray = groups.index.to_numpy()[np.argsort(centred @ axis, kind="stable")]
    return ordered
