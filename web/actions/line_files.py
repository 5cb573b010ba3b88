"""Barriers, preferred lines and roads given in files: lines or areas, somewhere near the village."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

_NEAR_DEG = 1e-3  # about 100 m


def only_lines(frame: GeoDataFrame, option: str) -> GeoDataFrame:
    """Return the lines and areas of a layer, with a note on points among them, or refuse one of points alone.

    Parameters
    ----------
    frame
        With `file`, `layer` and `notes` in `attrs`.
    option
        The option that the layer was given to.
    """
    is_point = shapely.get_dimensions(frame.geometry.to_numpy()) == 0
    if not is_point.any():
        return frame
    if is_point.all():
        found = f"{len(frame)} points" if len(frame) > 1 else "a point"
        place = {"file": frame.attrs["file"], "layer": frame.attrs["layer"]}
        raise InputRefusedError([Fault(f"lines or areas ({option})", found, **place)])
    kept = frame[~is_point].copy()
    note = f"{int(is_point.sum())} of {len(frame)} features are points and count for nothing as {option}"
    kept.attrs = {**frame.attrs, "notes": [*frame.attrs["notes"], note]}
    return kept


def notes_on_reach(layers: Mapping[str, GeoDataFrame], villages: GeoDataFrame) -> list[str]:
    """Return a sentence for each layer of which nothing comes near a village; all in EPSG:4326."""
    tree = shapely.STRtree(villages.geometry.to_numpy())
    where = "the village" if len(villages) == 1 else "a village"
    return [
        f"{frame.attrs['file']}: nothing in it comes near {where}, so --{option} changes nothing; check that it is the "
        "right file, and its coordinate system"
        for option, frame in layers.items()
        if not tree.query(frame.geometry.to_numpy(), "dwithin", distance=_NEAR_DEG).size
    ]
