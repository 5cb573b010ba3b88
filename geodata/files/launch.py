"""A file given to the reading child: what it is, under a name that says nothing, with the time it deserves."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from geodata.files import archives, bounds, content, exchange
from geodata.files.child import ask
from geodata.files.spec import shown_name
from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.files.content import Format
    from geodata.files.exchange import RawLayer, RawTable

_DRIVERS = {
    content.Format.GEOPACKAGE: ("GPKG", ".gpkg"),
    content.Format.GEOJSON: ("GeoJSON", ".geojson"),
    content.Format.SHAPEFILE: ("ESRI Shapefile", ".shp"),
    content.Format.KML: ("LIBKML", ".kml"),
}


def read_raw(path: Path, layer: str | None) -> RawLayer | RawTable:
    """Return the named layer of a file, or its only one, as the child read it."""
    name = shown_name(path)
    try:
        size = path.stat().st_size
        kind = content.format_of(path, name)
    except OSError as error:
        fault = Fault("a file that can be read", error.strerror or type(error).__name__, file=name)
        raise InputRefusedError([fault]) from error
    if size > bounds.MOST_FILE_BYTES:
        limit = f"a file of at most {bounds.MOST_FILE_BYTES // bounds.MIB} MiB"
        raise InputRefusedError([Fault(limit, f"{size // bounds.MIB} MiB", file=name)])
    request = {"name": name, "stem": path.stem, "layer": layer, "format": kind.value}
    seconds = bounds.CHILD_SECONDS + int(size / bounds.MIB * bounds.CHILD_SECONDS_PER_MIB)
    with TemporaryDirectory(prefix="mapgrid-") as scratch:
        if kind is content.Format.ARCHIVE:
            return _read_archive(path, request, Path(scratch))
        return exchange.unpack(ask(request | _prepare(path, kind, Path(scratch)), seconds))


def _read_archive(path: Path, request: dict[str, Any], scratch: Path) -> RawLayer | RawTable:
    opened = {"action": "archive", "path": str(path.resolve()), "into": str(scratch)}
    answer = ask(request | opened, bounds.ARCHIVE_SECONDS)
    header, _ = exchange.unpack_arrays(answer)
    if "shapefiles" not in header:
        return exchange.unpack(answer)
    layer = _layer_in_archive(header["shapefiles"], request)
    shapefile = scratch / Path(header["shapefiles"][layer]).name  # a child that was taken over may say anything
    vector = {"path": str(shapefile), "stem": layer, "layer": layer, "format": "shapefile"}
    return exchange.unpack(
        ask(request | vector | {"action": "vector", "driver": "ESRI Shapefile"}, bounds.ARCHIVE_SECONDS)
    )


def _prepare(path: Path, kind: Format, scratch: Path) -> dict[str, Any]:
    if kind is content.Format.CSV:
        return {"action": "csv", "path": str(path.resolve())}
    driver, suffix = _DRIVERS[kind]
    # GDAL reads meaning into paths ("/vsicurl/", "!", ".zip/"): give it a link whose name says nothing.
    target = scratch / f"input{suffix}"
    if kind is content.Format.GEOPACKAGE and _would_leave_traces(path):
        shutil.copyfile(path, target)
    else:
        target.symlink_to(path.resolve())
    if kind is content.Format.SHAPEFILE:
        _link_shapefile_parts(path, target)
    return {"action": "vector", "driver": driver, "path": str(target)}


def _would_leave_traces(geopackage: Path) -> bool:
    """Return whether SQLite would make a -wal and a -shm file beside it: in its WAL mode, when nobody has it open."""
    with geopackage.open("rb") as file:
        is_wal = file.read(20)[18:20] == b"\x02\x02"  # read and write version of the SQLite header
    log = geopackage.resolve().with_name(f"{geopackage.resolve().name}-wal")
    return is_wal and not (log.is_file() and log.stat().st_size)


def _link_shapefile_parts(path: Path, target: Path) -> None:
    for part in path.resolve().parent.iterdir():
        suffix = part.suffix.lower()
        if part.stem == path.stem and suffix in archives.SHAPEFILE_PARTS and suffix != ".shp":
            target.with_suffix(suffix).symlink_to(part)


def _layer_in_archive(shapefiles: Mapping[str, str], request: dict[str, Any]) -> str:
    wanted, names = request["layer"], list(shapefiles)
    if wanted in shapefiles:
        return str(wanted)
    listed = ", ".join(names[:10])
    if wanted is not None:
        found = f"no shapefile {wanted!r}; it has {listed}"
        raise InputRefusedError([Fault("the layer that was named", found, file=request["name"], layer=wanted)])
    if len(names) > 1:
        hint = f"name one: {request['name']}:{names[0]}"
        found = f"{len(names)}: {listed}"
        raise InputRefusedError([Fault("one layer, or the name of one", found, file=request["name"], hint=hint)])
    return names[0]
