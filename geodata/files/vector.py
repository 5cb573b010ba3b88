"""Layers of GeoPackage, GeoJSON, shapefile and KML through GDAL, inside the child."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.files import bounds, dbf, geojson
from geodata.files.exchange import RawLayer
from mapgrid.errors import Fault, InputRefusedError

# pyogrio imports these when it finds them; this child reads WKB only and starts three times faster without.
for _unused in ("geopandas", "pandas", "pyarrow", "pyproj", "shapely"):
    sys.modules.setdefault(_unused, None)  # type: ignore[arg-type]

import pyogrio.raw  # noqa: E402
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNREADABLE = (DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError, UnicodeDecodeError)
_CURVED = {"CIRCULARSTRING", "COMPOUNDCURVE", "CURVEPOLYGON", "MULTICURVE", "MULTISURFACE"}
# What LIBKML adds to every feature, whether the file says it or not.
_KML_FURNITURE = {
    "id", "timestamp", "begin", "end", "altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon",
}  # fmt: skip


def read_layer(request: dict[str, Any]) -> RawLayer:
    """Return the layer a request names, or the only one.

    The request's `path` is a private link with the suffix its content calls for, `driver` the only one GDAL was started
    with, `name` and `stem` what the owner calls the file.
    """
    check_only_driver(request["driver"])
    path = Path(request["path"])
    if request["driver"] == "LIBKML":
        check_kml(path, request["name"])
    claim = geojson.named_crs(path, request["name"]) if request["driver"] == "GeoJSON" else None
    encoding = dbf.encoding_of(path) if request["driver"] == "ESRI Shapefile" else None
    try:
        layer = _choose_layer(request)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            meta, _, wkb, values = pyogrio.raw.read(
                request["path"],
                layer=layer,
                encoding=encoding,
                max_features=_rows_to_read(request["path"], layer, encoding),
            )
            curved = _curved(request, layer) if request["driver"] == "GPKG" else []
    except _UNREADABLE as error:
        raise InputRefusedError([_unreadable(request, error)]) from error
    _check_size(request, wkb, meta["fields"])
    columns = dict(zip(meta["fields"].tolist(), values, strict=True))
    notes = sorted({_in_owners_words(request, str(warning.message)) for warning in caught})
    if request["driver"] == "ESRI Shapefile" and not path.with_suffix(".dbf").is_file():
        notes.append("no .dbf beside it: its features have no columns")
    shown = request["layer"] or _shown_name(request, layer)
    kept = _kept_columns(request["driver"], columns)
    return RawLayer(shown, meta["crs"], kept, _geometries(wkb, len(values)), notes, claim, curved)


def check_only_driver(driver: str) -> None:
    """Refuse to work when GDAL offers any driver but the one asked for."""
    offered = set(pyogrio.list_drivers())
    if offered != {driver}:
        msg = f"expected GDAL with the driver {driver} only, found {', '.join(sorted(offered)) or 'none'}"
        raise InputRefusedError([Fault("a reader for this format", msg)])


def check_kml(path: Path, name: str) -> None:
    """Refuse KML that is not well-formed or carries a document type: entities can read files and fill memory."""
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415  # the exception only

    from defusedxml.common import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import iterparse  # noqa: PLC0415

    try:
        for _, element in iterparse(path, forbid_dtd=True):
            element.clear()
    except DefusedXmlException as error:
        fault = Fault("KML without a document type or entities", type(error).__name__, file=name)
        raise InputRefusedError([fault]) from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputRefusedError([Fault("well-formed KML in UTF-8", str(error), file=name)]) from error


def _choose_layer(request: dict[str, Any]) -> str:
    kinds: dict[str, str | None] = dict(pyogrio.list_layers(request["path"]).tolist())
    wanted = request["layer"]
    if wanted is not None:
        if wanted in kinds:
            return str(wanted)
        if len(kinds) == 1 and wanted == request["stem"]:
            return next(iter(kinds))
        found = f"no layer {wanted!r}; it has {_listed(list(kinds))}"
        raise InputRefusedError([Fault("the layer that was named", found, file=request["name"], layer=wanted)])
    drawn = [layer for layer, kind in kinds.items() if kind is not None]
    if len(drawn) == 1:
        return drawn[0]
    if not drawn:
        raise InputRefusedError([Fault("a layer with geometry", "none", file=request["name"])])
    hint = f"name one: {request['name']}:{drawn[0]}"
    fault = Fault("one layer, or the name of one", f"{len(drawn)}: {_listed(drawn)}", file=request["name"], hint=hint)
    raise InputRefusedError([fault])


def _shown_name(request: dict[str, Any], layer: str) -> str:
    return request["stem"] if layer == Path(request["path"]).stem else layer


def _kept_columns(driver: str, columns: dict[str, NDArray]) -> dict[str, NDArray]:
    return {
        name: values
        for name, values in columns.items()
        if not (driver == "LIBKML" and name in _KML_FURNITURE) and not any(isinstance(v, bytes) for v in values[:100])
    }


def _geometries(wkb: NDArray | None, rows: int) -> NDArray:
    return np.full(rows, None, dtype=object) if wkb is None else wkb


def _check_size(request: dict[str, Any], wkb: NDArray | None, fields: NDArray) -> None:
    if wkb is None:
        raise InputRefusedError([Fault("a layer with geometry", "a table without one", file=request["name"])])
    if len(wkb) > bounds.MOST_ROWS:
        raise InputRefusedError([Fault(f"at most {bounds.MOST_ROWS} features", "more", file=request["name"])])
    if len(fields) > bounds.MOST_COLUMNS:
        found = f"{len(fields)}"
        raise InputRefusedError([Fault(f"at most {bounds.MOST_COLUMNS} columns", found, file=request["name"])])


def _curved(request: dict[str, Any], layer: str) -> list[int]:
    """Return the positions of the features that are drawn with arcs; reading made straight strokes of them."""
    column = pyogrio.read_info(request["path"], layer=layer)["geometry_name"] or "geom"
    quoted = [name.replace('"', '""') for name in (column, layer)]
    query = 'SELECT ST_GeometryType("{}") AS kind FROM "{}"'.format(*quoted)  # noqa: S608  quoted; a file of one's own
    kinds = pyogrio.raw.read(request["path"], sql=query, max_features=bounds.MOST_ROWS)[3][0]
    return [at for at, kind in enumerate(kinds) if kind in _CURVED]


def _rows_to_read(path: str, layer: str, encoding: str | None) -> int:
    """Return how many rows to ask for: one that is asked for in vain turns an unreadable geometry into an error."""
    counted = int(pyogrio.read_info(path, layer=layer, encoding=encoding)["features"])
    return bounds.MOST_ROWS + 1 if counted < 0 else min(counted, bounds.MOST_ROWS + 1)


def _unreadable(request: dict[str, Any], error: Exception) -> Fault:
    said = " ".join(_in_owners_words(request, str(error)).split())
    return Fault(
        f"a readable {request['format']}", f"a damaged one ({said[:200]})", file=request["name"],
        layer=request["layer"], hint="export it again",
    )  # fmt: skip


def _in_owners_words(request: dict[str, Any], text: str) -> str:
    """Return what GDAL says with the name its owner knows the file by."""
    inner = Path(request["path"])
    return text.replace(str(inner), request["name"]).replace(str(inner.with_suffix("")), request["stem"])


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
