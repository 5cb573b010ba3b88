"""Rows of cells made into columns and points."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geodata.files import bounds, headers
from mapgrid.errors import Fault, InputRefusedError, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geodata.files.exchange import Cell, RawTable

# Nine digits at most: a longer run of digits is a code or a telephone, and stays text.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{1,15})?", re.ASCII)
_SEXAGESIMAL = re.compile(r"(\d{1,3})[°度](\d{1,2})['′’分](\d{1,2}(?:\.\d+)?)(?:[\"″”秒]|['′’]{2})?([NSEW]?)", re.ASCII)
_SLOTS = {"x": ("x", "lon", "lng", "longitude"), "y": ("y", "lat", "latitude")}
PLACE_ROLES = frozenset(role for roles in _SLOTS.values() for role in roles)
"""What a caller may call the two coordinate columns."""

_DEGREE_NAMES = ("lon", "lng", "lat", "long", "经", "纬")


@dataclass(frozen=True, slots=True)
class PlacedTable:
    """A table with one point per row.

    Attributes
    ----------
    rows
        Row number of each record as its own program shows it.
    columns
        Values by column name, coordinates included.
    xy
        (n, 2) coordinates; NaN where a cell holds none.
    x_name, y_name
        The columns they come from.
    notes
        What was decided about the header.
    """

    rows: NDArray
    columns: dict[str, NDArray]
    xy: NDArray
    x_name: str
    y_name: str
    notes: tuple[str, ...] = ()

    @property
    def names_degrees(self) -> bool:
        """Whether the coordinate columns are called longitude and latitude."""
        return all(any(word in name.casefold() for word in _DEGREE_NAMES) for name in (self.x_name, self.y_name))


def place_table(table: RawTable, columns: Mapping[str, str], file: str) -> PlacedTable:
    """Return the records below the header with their coordinates, or refuse a table without coordinate columns."""
    chosen = {slot: name for slot, roles in _SLOTS.items() for role, name in columns.items() if role in roles}
    at = headers.find_header(table.rows, chosen.values())
    if at is None:
        at = headers.fullest_row(table.rows)
    header = headers.distinct(table.rows[at] if table.rows else [])
    if len(header) > bounds.MOST_COLUMNS:
        fault = Fault(f"at most {bounds.MOST_COLUMNS} columns", f"{len(header)}", file, table.name, at + 1)
        raise InputRefusedError([fault])
    x_name, y_name = (_coordinate_column(slot, chosen, header, at + 1, table, file) for slot in ("x", "y"))
    twice = headers.repeated(table.rows[at] if table.rows else [])
    body = [(number, row) for number, row in enumerate(table.rows[at + 1 :], start=at + 2) if _has_content(row)]
    cells = {name: [row[i] if i < len(row) else None for _, row in body] for i, name in enumerate(header)}
    xy = np.column_stack([[_coordinate(cell) for cell in cells[name]] for name in (x_name, y_name)]).reshape(-1, 2)
    _place_members(cells, xy, (x_name, y_name))
    rows = np.array([number for number, _ in body], dtype=np.int64)
    notes = (f"several columns are called {', '.join(map(shorten, twice))}: the first of each counts",) if twice else ()
    return PlacedTable(rows, {name: _typed(values) for name, values in cells.items()}, xy, x_name, y_name, notes)


def number_of(cell: object) -> float:
    """Return the number a cell holds, NaN when it holds none."""
    if isinstance(cell, bool):
        return np.nan
    if isinstance(cell, int | float | np.number):
        return float(cell)
    try:
        return float(unicodedata.normalize("NFKC", str(cell)).strip())
    except ValueError:
        return np.nan


def _coordinate(cell: Cell) -> float:
    number = number_of(cell)
    if np.isfinite(number) or not isinstance(cell, str):
        return number
    parts = _SEXAGESIMAL.fullmatch(unicodedata.normalize("NFKC", cell).replace(" ", "").upper())
    if parts is None:
        return np.nan
    degrees = int(parts[1]) + int(parts[2]) / 60 + float(parts[3]) / 3600
    return -degrees if parts[4] in {"S", "W"} else degrees


def _place_members(cells: Mapping[str, list[Cell]], xy: NDArray, names: tuple[str, str]) -> None:
    """Give the people of a household its place where a ledger with a row per person says it once."""
    columns = [headers.columns_for(role, cells) for role in ("code", "relation", "person_name")]
    if not all(columns):
        return
    codes = cells[columns[0][0]]
    places = {code: place for code, place in zip(codes[::-1], xy[::-1].copy(), strict=True) if np.isfinite(place).all()}
    for at, code in enumerate(codes):
        if code in places and not any(str(cells[name][at] or "").strip() for name in names):
            xy[at] = places[code]


def _coordinate_column(
    slot: str, chosen: Mapping[str, str], header: list[str], row: int, table: RawTable, file: str
) -> str:
    what = "longitude or x" if slot == "x" else "latitude or y"
    if slot in chosen:
        wanted = headers.normalise(chosen[slot])
        matching = [name for name in header if headers.normalise(name) == wanted]
        expected = f"the column {chosen[slot]!r}"
    else:
        matching = headers.columns_for(slot, header)
        expected = f"one column with the {what}"
    matching += [f"{name}.2" for name in matching if f"{name}.2" in header]  # the same name again
    if len(matching) == 1:
        return matching[0]
    found = ", ".join(shorten(name) for name in matching or header[:12]) or "no header"
    hint = f"name it: --column {'lon' if slot == 'x' else 'lat'}=NAME"
    raise InputRefusedError([Fault(expected, found, file=file, layer=table.name, row=row, hint=hint)])


def _has_content(row: Sequence[Cell]) -> bool:
    return any(cell is not None and str(cell).strip() for cell in row)


def _typed(values: list[Cell]) -> NDArray:
    """Return numbers when every filled cell is one, else text as it stands."""
    filled = [value for value in values if value is not None and value != ""]
    if filled and all(_is_number(value) for value in filled):
        numbers = np.array([np.nan if value is None or value == "" else float(value) for value in values])
        return numbers.astype(np.int64) if np.equal(np.mod(numbers, 1), 0).all() else numbers
    typed = np.empty(len(values), dtype=object)
    typed[:] = [value if value != "" else None for value in values]
    return typed


def _is_number(value: Cell) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
