"""Start the reading child, wait no longer than its file deserves, and turn its silence into a fault."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyogrio
import shapely

from geodata.files import archives, bounds, content, exchange
from geodata.files.spec import shown_name
from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.files.content import Format
    from geodata.files.exchange import RawLayer, RawTable

_SOURCES = Path(__file__).resolve().parent.parent.parent
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
    if kind in {content.Format.ZIP, content.Format.XLSX}:
        archives.check_archive(path, name)
    request = {"name": name, "stem": path.stem, "layer": layer, "format": kind.value, "size": size}
    with TemporaryDirectory(prefix="mapgrid-") as scratch:
        return exchange.unpack(_ask(request | _prepare(path, kind, request, Path(scratch))))


def mend(outlines: NDArray) -> list[BaseGeometry | None]:
    """Return self-crossing polygons made valid; None for one whose area would change.

    All None when the repair takes too long: GEOS may need minutes for one hostile outline.
    """
    request = {"action": "mend", "name": "", "size": 0, "wkb": shapely.to_wkb(outlines, hex=True).tolist()}
    try:
        header, _ = exchange.unpack_arrays(_ask(request, seconds=bounds.MEND_SECONDS))
    except InputRefusedError:
        return [None] * len(outlines)
    return [shapely.from_wkb(mended) for mended in header["wkb"]]


def _prepare(path: Path, kind: Format, request: dict[str, Any], scratch: Path) -> dict[str, Any]:
    if kind in {content.Format.CSV, content.Format.XLSX}:
        return {"action": kind.value.lower(), "path": str(path.resolve())}
    if kind is content.Format.ZIP:
        shapefiles = archives.unpack_shapefiles(path, request["name"], scratch)
        layer = _layer_in_archive(shapefiles, request)
        vector = {"path": str(shapefiles[layer]), "stem": layer, "layer": layer, "format": "shapefile"}
        return vector | {"action": "vector", "driver": "ESRI Shapefile", "size": bounds.MOST_UNPACKED_BYTES}
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


def _layer_in_archive(shapefiles: Mapping[str, Path], request: dict[str, Any]) -> str:
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


def _ask(request: dict[str, Any], seconds: int | None = None) -> bytes:
    if seconds is None:
        seconds = bounds.CHILD_SECONDS + int(request["size"] / bounds.MIB * bounds.CHILD_SECONDS_PER_MIB)
    limits = {"memory_bytes": bounds.CHILD_MEMORY_BYTES, "cpu_seconds": seconds}
    try:
        answered = subprocess.run(  # our own module, no shell, a request on standard input
            [sys.executable, "-P", "-m", "geodata.files.apart"],
            input=json.dumps(request | limits).encode(),
            capture_output=True,
            check=False,
            timeout=seconds * 2,  # waiting for a busy machine is not the file's fault
            env=_environment(request.get("driver")),
        )
    except subprocess.TimeoutExpired as error:
        raise InputRefusedError([_gave_up(request, seconds)]) from error
    if answered.returncode != 0:
        raise InputRefusedError([_gave_up(request, seconds)])
    return answered.stdout


def _gave_up(request: dict[str, Any], seconds: int) -> Fault:
    memory = bounds.CHILD_MEMORY_BYTES // bounds.MIB
    expected = f"a {request.get('format', 'shape')} that can be read in {seconds} s and {memory} MiB"
    return Fault(expected, "one that cannot", file=request["name"] or None, layer=request.get("layer"))


def _environment(driver: str | None) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(_SOURCES),
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OGR_SKIP": ",".join(sorted(_drivers() - {driver})),
        "GDAL_DRIVER_PATH": "disable",
        "OGR_GEOJSON_MAX_OBJ_SIZE": "0",
        "PROJ_NETWORK": "OFF",
    }


@cache
def _drivers() -> frozenset[str]:
    return frozenset(pyogrio.list_drivers())
