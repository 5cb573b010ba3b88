"""Cells of CSV and XLSX tables, inside the child. No cell is interpreted here: a formula is text."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

from geodata.files import bounds
from geodata.files.exchange import Cell, RawTable
from mapgrid.errors import Fault, InputRefusedError

_DELIMITERS = (",", "\t", ";", "|")
_ROWS_LOOKED_AT = 20
_LONGEST_CELL = 1_000_000


def read_csv(request: dict[str, Any]) -> RawTable:
    """Return the cells of a CSV in UTF-8 (with or without mark), UTF-16 or GB18030, whatever sign separates them."""
    name = request["name"]
    if request["layer"] is not None:
        fault = Fault(
            "a CSV without a layer name", request["layer"], file=name, hint="leave out what follows the colon"
        )
        raise InputRefusedError([fault])
    text = _decode(Path(request["path"]).read_bytes(), name)
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise InputRefusedError([Fault("text", "a zero byte", file=name, row=line)])
    csv.field_size_limit(_LONGEST_CELL)
    rows: list[list[Cell]] = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter_of(text)):
            rows.append(list(row))
            if len(rows) > bounds.MOST_ROWS:
                raise InputRefusedError([Fault(f"at most {bounds.MOST_ROWS} rows", "more", file=name)])
            cells += len(row)
            if cells > bounds.MOST_CELLS:
                raise InputRefusedError([_too_many_cells(name, len(rows))])
    except csv.Error as error:
        fault = Fault("a readable CSV", str(error), file=name, row=len(rows) + 1, hint="look for a stray quote")
        raise InputRefusedError([fault]) from error
    return RawTable(None, rows)


def read_xlsx(request: dict[str, Any]) -> RawTable:
    """Return the cells of the named sheet, or of the only one with content; of a formula its last computed value."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415  # a CSV does not need it

    name, wanted = request["name"], request["layer"]
    try:
        workbook = CalamineWorkbook.from_path(request["path"])
        if wanted is not None and wanted not in workbook.sheet_names:
            found = f"no sheet {wanted!r}; it has {', '.join(workbook.sheet_names[:10])}"
            raise InputRefusedError([Fault("the sheet that was named", found, file=name, layer=wanted)])
        names = workbook.sheet_names if wanted is None else [wanted]
        sheets = {sheet: workbook.get_sheet_by_name(sheet) for sheet in names}
    except CalamineError as error:
        fault = Fault("a readable XLSX", f"a damaged one ({error})", file=name, hint="save it again")
        raise InputRefusedError([fault]) from error
    filled = [sheet for sheet, cells in sheets.items() if cells.end is not None]
    if len(filled) > 1:
        found = f"{len(filled)}: {', '.join(filled[:10])}"
        hint = f"name one: {name}:{filled[0]}"
        raise InputRefusedError([Fault("one sheet with content, or the name of one", found, file=name, hint=hint)])
    if not filled:
        raise InputRefusedError([Fault("a sheet with content", "empty sheets", file=name)])
    rows = sheets[filled[0]].to_python(skip_empty_area=False)
    if len(rows) > bounds.MOST_ROWS:
        raise InputRefusedError([Fault(f"at most {bounds.MOST_ROWS} rows", "more", file=name)])
    if len(rows) * len(rows[0]) > bounds.MOST_CELLS:
        raise InputRefusedError([_too_many_cells(name, None)])
    return RawTable(filled[0], [[_cell(value) for value in row] for row in rows])


def _too_many_cells(name: str, row: int | None) -> Fault:
    return Fault(f"at most {bounds.MOST_CELLS:,} cells", "more", file=name, row=row, hint="leave out empty columns")


def _decode(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    farthest = -1
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            farthest = max(farthest, error.start)  # the encoding that goes farthest is the one that was meant
    row = content.count(b"\n", 0, farthest) + 1
    fault = Fault("text in UTF-8 or GBK", f"the byte 0x{content[farthest]:02x}", file=name, row=row)
    raise InputRefusedError([fault])


def _delimiter_of(text: str) -> str:
    """Return the sign by which most rows have the same number of cells, more than one."""
    best = (0, 1, ",")
    head = "".join(itertools.islice(io.StringIO(text), _ROWS_LOOKED_AT))
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter) if row)
        # A title line above the header has one cell, whatever separates: ask what most rows agree on.
        usual = max(widths, key=lambda width: (widths[width], width), default=1)
        if usual > 1 and (widths[usual], usual) > best[:2]:
            best = (widths[usual], usual, delimiter)
    return best[2]


def _cell(value: object) -> Cell:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, dt.date | dt.datetime | dt.time):
        return value.isoformat()
    return None if value is None else str(value)
