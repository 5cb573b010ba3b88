"""Files of households, villages, units and terrain: formats, encodings, datums, headers, faults by row.

What a file claims is never trusted. A file is opened in a child process that has no network, bounded memory and time,
and only the one driver its content calls for (`apart`); what comes back is checked again here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame


def read_features(spec: str, *, crs: str | None = None, columns: Mapping[str, str] | None = None) -> GeoDataFrame:
    """Return the features of one layer of a file, in EPSG:4326, x = longitude, two dimensions.

    Parameters
    ----------
    spec
        `FILE` or `FILE:LAYER`: GeoPackage, GeoJSON, shapefile (zipped, or its bare .shp), KML, CSV or XLSX.
    crs
        What the coordinates are in: an EPSG code, `gcj02` or `bd09`. None takes what the file declares.
    columns
        The column that plays a role, such as `{"lon": "经度"}`, where the header has no well-known name.

    Returns
    -------
    GeoDataFrame
        The attribute columns of the file and `geometry` (valid, EPSG:4326 degrees). The index is the row as the file's
        own program shows it (see `mapgrid.errors.Fault`). `attrs` holds `file`, `layer` (None when the format has
        none) and `notes`, a list of sentences about what was decided or mended.

    Raises
    ------
    InputRefusedError
        With every fault of the file: file, layer, row, column, expected and found.
    """
    # The child process that opens a file imports this package too and must not wait for geopandas.
    from geodata.files.features import read_sound_features  # noqa: PLC0415

    return read_sound_features(spec, crs=crs, columns=columns)
