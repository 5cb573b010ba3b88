"""Codes of areas, units, grids, groups and households.

Twelve digits name a village: province 2, prefecture 2, county 2 (together the district), town 3, village 3. A grid adds
three digits to its village, a group two to its grid, a unit two to its village, a household six to its village.
Source: statistical area codes (the 12 digits) and the 15-digit unit-grid code in public use.
"""

from __future__ import annotations

import re
from enum import StrEnum

from mapgrid.errors import CodeError

DISTRICT_DIGITS = 6
TOWN_DIGITS = 9
VILLAGE_DIGITS = 12
GRID_DIGITS = 15
GRID_PATTERN = re.compile(r"^\d{6}[0-5]\d{2}[0-5]\d{2}\d{3}$", re.ASCII)

_HOUSEHOLD_PATTERN = re.compile(r"^\d{6}[0-5]\d{2}[0-5]\d{2}\d{6}$", re.ASCII)
_AREA_PATTERN = re.compile(r"^\d{6}([0-5]\d{2}([0-5]\d{2})?)?$", re.ASCII)


class AreaLevel(StrEnum):
    """A rung of the administrative chain above a grid."""

    DISTRICT = "district"
    TOWN = "town"
    VILLAGE = "village"


_LEVEL_OF_DIGITS = {
    DISTRICT_DIGITS: AreaLevel.DISTRICT,
    TOWN_DIGITS: AreaLevel.TOWN,
    VILLAGE_DIGITS: AreaLevel.VILLAGE,
}


def level_of(area_code: str) -> AreaLevel:
    """Return the level of an area code, or raise `CodeError` saying which digits were expected."""
    if not _AREA_PATTERN.fullmatch(area_code):
        msg = (
            f"area code: expected 6 digits (district), 9 (town) or 12 (village), the town and village parts "
            f"001–599; found {area_code!r}"
        )
        raise CodeError(msg)
    return _LEVEL_OF_DIGITS[len(area_code)]


def check_village_code(code: str) -> str:
    """Return the code unchanged when it names a village, else raise `CodeError`."""
    if not _AREA_PATTERN.fullmatch(code) or len(code) != VILLAGE_DIGITS:
        msg = f"village code: expected 12 digits such as 990101102201, found {code!r}"
        raise CodeError(msg)
    return code


def check_grid_code(code: str) -> str:
    """Return the code unchanged when it can name a grid, else raise `CodeError`."""
    if not GRID_PATTERN.fullmatch(code):
        msg = f"grid code: expected 15 digits such as 990101102201001, found {code!r}"
        raise CodeError(msg)
    return code


def check_household_code(code: str) -> str:
    """Return the code unchanged when it can name a household, else raise `CodeError`."""
    if not _HOUSEHOLD_PATTERN.fullmatch(code):
        msg = f"household code: expected 18 digits such as 990101102201000001, found {code!r}"
        raise CodeError(msg)
    return code


def parent_of(area_code: str) -> str | None:
    """Return the code of the area above, or None above a district."""
    match level_of(area_code):
        case AreaLevel.VILLAGE:
            return area_code[:TOWN_DIGITS]
        case AreaLevel.TOWN:
            return area_code[:DISTRICT_DIGITS]
        case _:
            return None


def village_of(code: str) -> str:
    """Return the village a grid, group, unit or household code belongs to."""
    return check_village_code(code[:VILLAGE_DIGITS])


def grid_code(village_code: str, serial: int) -> str:
    """Return the 15-digit code of the grid with that serial (1–999) in its village."""
    return check_village_code(village_code) + _digits(serial, 3, "grid serial")


def serial_of_grid(text: str, village_code: str) -> int | None:
    """Return the serial (1–999) of a grid named by its 15 digits or by the serial alone; None for another text."""
    digits = text[VILLAGE_DIGITS:] if len(text) == GRID_DIGITS and text.startswith(village_code) else text
    if not re.fullmatch(r"\d{1,3}", digits, re.ASCII):
        return None
    return int(digits) or None


def group_code(grid: str, serial: int) -> str:
    """Return the 17-digit code of a ten-household group, serial 1–99 in its grid."""
    if not GRID_PATTERN.fullmatch(grid):
        msg = f"grid code: expected 15 digits, found {grid!r}"
        raise CodeError(msg)
    return grid + _digits(serial, 2, "group serial")


def unit_code(village_code: str, serial: int) -> str:
    """Return the 14-digit code of a villager group or building, serial 1–99 in its village."""
    return check_village_code(village_code) + _digits(serial, 2, "unit serial")


def household_code(village_code: str, serial: int) -> str:
    """Return the 18-digit code of a household, serial 1–999999 in its village."""
    return check_village_code(village_code) + _digits(serial, 6, "household serial")


def _digits(serial: int, width: int, what: str) -> str:
    if not 1 <= serial < 10**width:
        msg = f"{what}: expected 1–{10**width - 1}, found {serial}"
        raise CodeError(msg)
    return f"{serial:0{width}d}"
