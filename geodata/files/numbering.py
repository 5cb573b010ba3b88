"""Codes for households whose file gives them none, the same at every import of the same file."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pyproj import Geod

from mapgrid.codes import VILLAGE_DIGITS, household_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

_SAME_PLACE_DEG = 1e-7  # about a centimetre: what survives a round trip through most formats
_SAME_HOUSEHOLD_M = 500.0


def number_households(households: GeoDataFrame, known: GeoDataFrame, village_code: str) -> list[str]:
    """Return an 18-digit code for each household without one.

    A household is recognised by its place: the n-th row on a point is the n-th stored household on it, in the order of
    codes. Others get the serials after the highest stored one, in the order of the rows.

    Parameters
    ----------
    households, known
        Points in EPSG:4326; `known` has `code`.
    """
    known = known.sort_values("code")
    stored = dict(zip(_places(known), known["code"], strict=True))
    serials = count(1 + max((int(code[VILLAGE_DIGITS:]) for code in known["code"]), default=0))
    return [stored.get(place) or household_code(village_code, next(serials)) for place in _places(households)]


def metres_from_namesake(
    households: GeoDataFrame, names: Mapping[str, str], known: GeoDataFrame, known_names: Mapping[str, str]
) -> NDArray:
    """Return how many metres away another stored household with the same code stands; NaN where none does.

    It is another one when its head has another name or, when a name is missing, when it stands more than 500 m away:
    ledgers of several villager groups that each count from 1 would overwrite each other otherwise.

    Parameters
    ----------
    households, known
        Points in EPSG:4326 with `code`.
    names, known_names
        Names of the heads by code, as far as they are known.
    """
    stored = known.set_index("code").geometry.reindex(households["code"])
    at = np.flatnonzero(stored.notna())
    old, new = stored.iloc[at].get_coordinates().to_numpy(), households.geometry.iloc[at].get_coordinates().to_numpy()
    metres = np.asarray(Geod(ellps="WGS84").inv(old[:, 0], old[:, 1], new[:, 0], new[:, 1])[2])
    away_m = np.full(len(households), np.nan)
    for position, code, distance_m in zip(at, stored.index[at], metres, strict=True):
        now, before = names.get(code), known_names.get(code)
        if (now != before) if now and before else distance_m > _SAME_HOUSEHOLD_M:
            away_m[position] = distance_m
    return away_m


def _places(frame: GeoDataFrame) -> list[tuple[int, int, int]]:
    cells = np.rint(frame.geometry.get_coordinates().to_numpy() / _SAME_PLACE_DEG).astype(np.int64)
    places = pd.DataFrame(cells, columns=["x", "y"])
    nth = places.groupby(["x", "y"]).cumcount()
    return list(zip(places["x"].tolist(), places["y"].tolist(), nth.tolist(), strict=True))
