"""Grids drawn elsewhere: their outlines and the codes they have, with every fault by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from geodata.files import bounds
from geodata.files.cells import Cells
from geodata.files.ledger import recognise
from mapgrid.codes import serial_of_grid
from mapgrid.errors import Fault, InputRefusedError, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geodata.files.features import Reading

_POLYGONS = ("Polygon", "MultiPolygon")
_MOST_GRIDS = 999


@dataclass(frozen=True)
class DrawnGrids:
    """Grids of a file.

    Attributes
    ----------
    rows
        Where each stands in the file.
    outlines
        Valid polygons, EPSG:4326.
    serials
        1–999 of those that have a code; None for one that has none, or none of this village.
    faults
        Rows that cannot be grids, and codes that two grids have.
    uncoded
        The code that stands in a row and is none of this village, by position.
    notes
        What was decided.
    """

    rows: list[int]
    outlines: NDArray
    serials: list[int | None]
    faults: list[Fault]
    uncoded: dict[int, str]
    notes: list[str]
    column: str


def read_grids(reading: Reading, village_code: str, given: Mapping[str, str]) -> DrawnGrids:
    """Return the grids of a layer, or raise `InputRefusedError` when there are too many of them or of their corners."""
    frame = reading.frame
    roles, notes = recognise(frame.columns, ("grid_code",), given)
    cells = Cells(frame, roles)
    place = {"file": frame.attrs["file"], "layer": frame.attrs["layer"]}
    if len(frame) > _MOST_GRIDS:
        raise InputRefusedError([Fault(f"at most {_MOST_GRIDS} grids", f"{len(frame)} features", **place)])
    outlines = frame.geometry.to_numpy()
    corners = int(shapely.get_num_coordinates(outlines).sum())
    if corners > bounds.MOST_VERTICES_OF_GRIDS:
        expected = f"grids of at most {bounds.MOST_VERTICES_OF_GRIDS} vertices together"
        raise InputRefusedError([Fault(expected, f"{corners}", hint="simplify the borders", **place)])
    for row, shape in zip(frame.index, outlines, strict=True):
        if shape.geom_type not in _POLYGONS:
            cells.fault(row, "a polygon", f"a {shape.geom_type}", role="geometry")
    serials, uncoded = _serials(cells, village_code)
    if "grid_code" not in roles:
        notes.append("no column with codes of grids: they are numbered from north-west to south-east")
    column = roles.get("grid_code", "grid_code")
    return DrawnGrids(frame.index.tolist(), outlines, serials, cells.faults, uncoded, notes, column)


def _serials(cells: Cells, village_code: str) -> tuple[list[int | None], dict[int, str]]:
    serials: list[int | None] = []
    uncoded, first = {}, dict[int, int]()
    for at, (row, text) in enumerate(zip(cells.frame.index, cells.texts("grid_code"), strict=True)):
        serial = None if text is None else serial_of_grid(text, village_code)
        serials.append(serial)
        if text is not None and serial is None:
            uncoded[at] = shorten(text)
        if serial is not None and serial in first:
            found = f"{village_code}{serial:03d} again, first in row {first[serial]}"
            hint = "give one of them a code of its own, or leave it empty to have it numbered"
            cells.fault(row, "each grid once", found, role="grid_code", hint=hint)
        elif serial is not None:
            first[serial] = int(row)
    return serials, uncoded
