"""The character encoding of a shapefile's attribute table, which the table itself often does not say."""

from __future__ import annotations

import codecs
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HEADER = struct.Struct("<xxxxIHH")
_ROWS_LOOKED_AT = 5000
_SAYS_NOTHING = {0x00, 0x57}  # no code page, or "whatever Windows used", which Chinese Windows writes over GBK


def encoding_of(shapefile: Path) -> str | None:
    """Return the encoding to read the attributes of a .shp in, or None to believe what the files declare.

    UTF-8 when every value is UTF-8 (GBK text practically never is), else GB18030, the superset of GBK. A .cpg that
    claims UTF-8 over GBK bytes is a common export fault, and is corrected too.
    """
    table = shapefile.with_suffix(".dbf")
    declared = shapefile.with_suffix(".cpg")
    claim = declared.read_bytes()[:40].strip().upper() if declared.is_file() else b""
    if not table.is_file() or claim not in {b"", b"UTF-8", b"UTF8", b"65001"}:
        return None
    with table.open("rb") as file:
        head = file.read(32)
        if len(head) < 32 or (not claim and head[29] not in _SAYS_NOTHING):
            return None
        rows, header_bytes, row_bytes = _HEADER.unpack_from(head)
        fields = file.read(max(0, header_bytes - 32))
        body = file.read(min(rows, _ROWS_LOOKED_AT) * row_bytes)
    texts = [*_field_names(fields), *_values(fields, body, row_bytes)]
    return next((name for name in ("UTF-8", "GB18030") if all(_decodes(text, name) for text in texts)), "ISO-8859-1")


def _field_names(fields: bytes) -> list[bytes]:
    return [fields[at : at + 11].split(b"\x00")[0] for at in range(0, len(fields) - 31, 32) if fields[at] != 0x0D]


def _values(fields: bytes, body: bytes, row_bytes: int) -> list[bytes]:
    spans, start = [], 1
    for at in range(0, len(fields) - 31, 32):
        if fields[at] == 0x0D:
            break
        width = fields[at + 16]
        if fields[at + 11 : at + 12] == b"C":
            spans.append((start, start + width))
        start += width
    rows = range(0, len(body) - row_bytes + 1, row_bytes) if row_bytes else ()
    return [body[row + start : row + end].rstrip(b" \x00") for row in rows for start, end in spans]


def _decodes(text: bytes, encoding: str) -> bool:
    # A fixed-width field may cut its last character in half: decode without asking for the end.
    try:
        codecs.getincrementaldecoder(encoding)().decode(text, final=False)
    except UnicodeDecodeError:
        return False
    return True
