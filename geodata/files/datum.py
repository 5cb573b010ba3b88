"""What coordinates are in, said or deduced but never silently guessed, and the way from there to EPSG:4326."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from mapgrid.crs import STORAGE_SRID, bd09_to_wgs84, gcj02_to_wgs84
from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Shift = Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]

EXPECTED = "for --crs an EPSG code such as 4490, or gcj02 (Gaode, Tencent), or bd09 (Baidu)"
CHINA = (72.0, 0.5, 138.0, 56.0)  # (west, south, east, north): where the two web-map datums are defined

_WEB_MAPS: dict[str, Shift] = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}
_NICKNAMES = {"gcj02": "gcj02", "bd09": "bd09", "bd09ll": "bd09", "wgs84": "4326", "cgcs2000": "4490"}
_ZONE_EASTING_M = (25e6, 46e6)
_PLAIN_EASTING_M = (200e3, 800e3)
_NORTHING_M = (0.0, 6.5e6)
_OUTSIDE_AREA_OF_USE_DEG = 6.0


@dataclass(frozen=True, slots=True)
class Datum:
    """What coordinates are in: a CRS, or one of the two web-map datums by name."""

    label: str
    crs: CRS
    shift: Shift | None = None

    @property
    def is_geographic(self) -> bool:
        """Whether coordinates are degrees."""
        return bool(self.crs.is_geographic)

    def to_wgs84(self, xy: NDArray) -> NDArray:
        """Return EPSG:4326 degrees (x = longitude) of an (n, 2) array; not finite where there is no such place."""
        if self.shift is not None:
            return np.column_stack(self.shift(xy[:, 0], xy[:, 1]))
        if self.crs.to_epsg() == STORAGE_SRID:
            return xy
        turn = Transformer.from_crs(self.crs, STORAGE_SRID, always_xy=True)
        lon, lat = turn.transform(xy[:, 0], xy[:, 1])
        return np.column_stack((lon, lat))

    def is_plausible(self, lon: NDArray, lat: NDArray) -> NDArray:
        """Return whether each place lies where this datum is used, six degrees of grace around."""
        area = self.crs.area_of_use.bounds if self.crs.area_of_use and self.shift is None else (-180, -90, 180, 90)
        west, south, east, north = CHINA if self.shift is not None else area
        grace = 0.0 if self.shift is not None else _OUTSIDE_AREA_OF_USE_DEG
        inside = (lat >= south - grace) & (lat <= north + grace)
        if west <= east:  # an area that crosses the date line is not narrowed
            inside &= (lon >= west - grace) & (lon <= east + grace)
        return np.asarray(inside & (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0))


def parse_datum(text: str) -> Datum:
    """Return the datum that an option names, or raise `InputRefusedError` saying what can be named."""
    word = re.sub(r"[\s_-]", "", text).casefold().removeprefix("epsg:")
    word = _NICKNAMES.get(word, word)
    if word in _WEB_MAPS:
        return Datum(word, CRS.from_epsg(STORAGE_SRID), _WEB_MAPS[word])
    if word.isascii() and word.isdigit():
        try:
            return Datum(f"EPSG:{word}", CRS.from_epsg(int(word)))
        except CRSError as error:
            raise InputRefusedError([Fault(EXPECTED, f"EPSG:{word}, which is not known")]) from error
    raise InputRefusedError([Fault(EXPECTED, repr(text))])


def declared_datum(text: str | None) -> Datum | None:
    """Return the datum a file declares, None when it declares none or an undefined one."""
    if not text:
        return None
    try:
        crs = CRS.from_user_input(text)
    except CRSError:
        return None
    if crs.name.lower().startswith(("undefined", "unknown", "unnamed")) or not (crs.is_geographic or crs.is_projected):
        return None
    epsg = crs.to_epsg()
    return Datum(f"EPSG:{epsg}" if epsg else crs.name, crs)


def deduce_datum(xy: NDArray, *, named_degrees: bool, file: str, layer: str | None) -> Datum:
    """Return the datum that coordinates without a declaration can only be in, or refuse to guess.

    Parameters
    ----------
    xy
        (n, 2) coordinates as the file holds them.
    named_degrees
        Whether the columns they come from are called longitude and latitude.
    """
    x, y = _middle(xy)
    if np.isnan(x):  # nothing to place: what is wrong with each row is said there
        return parse_datum("4326")
    if 73 <= x <= 136 and 0 <= y <= 60:
        return parse_datum("4490")
    if named_degrees and are_small(xy):
        return parse_datum("4326")
    if _ZONE_EASTING_M[0] <= x < _ZONE_EASTING_M[1]:
        return parse_datum(str(4513 + int(x / 1e6) - 25))
    found = f"none; x is about {x:.6g}, y about {y:.6g}"
    hint = "name it with --crs EPSG:CODE, --crs gcj02 or --crs bd09"
    if _PLAIN_EASTING_M[0] <= x <= _PLAIN_EASTING_M[1]:
        hint = "ask for the central meridian: --crs 4534 (75°E) to 4554 (135°E), one code every 3°; 117°E is 4548"
    raise InputRefusedError([Fault("a declared coordinate system", found, file=file, layer=layer, hint=hint)])


def are_small(xy: NDArray) -> bool:
    """Return whether (n, 2) coordinates are small enough for degrees; also when there is none."""
    x, y = _middle(xy)
    return bool(np.isnan(x) or (abs(x) <= 180 and abs(y) <= 180))


def is_survey_order(xy: NDArray) -> bool:
    """Return whether x and y can only be northing and easting, as Chinese surveyors call them.

    An easting with a zone in front has eight digits; no northing does.
    """
    x, y = _middle(xy)
    return bool(_ZONE_EASTING_M[0] <= y < _ZONE_EASTING_M[1] and _NORTHING_M[0] < x <= _NORTHING_M[1])


def why_implausible(datum: Datum, x: float, y: float) -> str | None:
    """Return what a coordinate pair looks like instead, None when it looks like nothing known."""
    if datum.is_geographic:
        if abs(x) <= 90 < abs(y) <= 180:
            return "looks like swapped longitude/latitude"
        if abs(x) > 180 or abs(y) > 180:
            return "looks like metres: name their coordinate system with --crs"
    elif abs(x) <= 180 and abs(y) <= 180:
        return "looks like degrees: --crs 4490 for longitude and latitude"
    elif datum.is_plausible(*datum.to_wgs84(np.array([[y, x]], dtype=float)).T)[0]:
        return "looks like swapped x and y"
    return None


def _middle(xy: NDArray) -> tuple[float, float]:
    whole = xy[np.isfinite(xy).all(axis=1)]
    return (float(np.median(whole[:, 0])), float(np.median(whole[:, 1]))) if len(whole) else (np.nan, np.nan)


def transform(shapes: NDArray, datum: Datum) -> NDArray:
    """Return geometries moved to EPSG:4326 degrees; all their coordinates in one pass."""
    return np.asarray(shapely.transform(shapes, datum.to_wgs84))
