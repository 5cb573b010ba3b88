"""What a file is, judged by its content. Its name is never believed: a VRT renamed `.geojson` reads other files."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from pathlib import Path


class Format(StrEnum):
    """The formats that are read."""

    GEOPACKAGE = "GeoPackage"
    GEOJSON = "GeoJSON"
    SHAPEFILE = "shapefile"
    KML = "KML"
    CSV = "CSV"
    ARCHIVE = "XLSX or zip archive"


READABLE = "GeoPackage, GeoJSON, shapefile (zipped or .shp), KML, CSV or XLSX"

_HEAD_BYTES = 65536
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_FIRST_TAG = re.compile(rb"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)", "save it as .xlsx or CSV"),
    (b"%PDF", "a PDF", "export the table or the layer itself"),
    (b"\x89PNG", "a picture", None),
    (b"\xff\xd8\xff", "a picture", None),
    (b"\x1f\x8b", "a gzip archive", "unpack it, or pack the shapefile as .zip"),
    (b"Rar!", "a RAR archive", "pack the shapefile as .zip"),
    (b"7z\xbc\xaf", "a 7z archive", "pack the shapefile as .zip"),
)

_OF_CELLS = {".csv", ".tsv", ".txt"}  # a zero byte in one of these is named by its row
# What such a file should be; text in it is no table that somebody wanted to give.
_NOT_OF_CELLS = {
    ".gpkg": "a GeoPackage",
    ".shp": "a shapefile",
    ".kml": "a KML file",
    ".geojson": "a GeoJSON file",
    ".xlsx": "an XLSX file",
}


def format_of(path: Path, name: str) -> Format:
    """Return the format of a file, or refuse it under the name its owner knows it by."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise _refused(name, "an empty file")
    if head.startswith(b"SQLite format 3\x00"):
        return Format.GEOPACKAGE
    if head.startswith(b"\x00\x00\x27\x0a"):
        return Format.SHAPEFILE
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Format.ARCHIVE
    for magic, found, hint in _FOREIGN:
        if head.startswith(magic):
            raise _refused(name, found, hint)
    found = Format.CSV if path.suffix.lower() in _OF_CELLS and _is_no_markup(head) else _format_of_text(head, name)
    if found is Format.CSV and path.suffix.lower() in _NOT_OF_CELLS:
        raise InputRefusedError([Fault(_NOT_OF_CELLS[path.suffix.lower()], "a file that is none", file=name)])
    return found


def _is_no_markup(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in {b"<", b"{", b"["}


def _format_of_text(head: bytes, name: str) -> Format:
    if head.startswith(_UTF16_MARKS):
        return Format.CSV
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in {b"{", b"["}:
        return Format.GEOJSON
    if text[:1] == b"<":
        return _format_of_xml(text, name)
    if b"\x00" in head:
        raise _refused(name, "binary content of an unknown kind")
    return Format.CSV


def _format_of_xml(text: bytes, name: str) -> Format:
    tag = _FIRST_TAG.search(text)
    root = tag.group(2).decode("ascii", "replace") if tag else ""
    if root == "kml":
        return Format.KML
    if root == "OGRVRTDataSource":
        raise _refused(name, "a GDAL virtual file (VRT), which points to other files", "give the file it points to")
    raise _refused(name, f"XML whose first element is <{root}>" if root else "XML without an element")


def _refused(name: str, found: str, hint: str | None = None) -> InputRefusedError:
    return InputRefusedError([Fault(READABLE, found, file=name, hint=hint)])
