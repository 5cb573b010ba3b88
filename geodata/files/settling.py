"""Drawn grids settled inside the child, and who stands where in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from mapgrid.drawn_grids import settle_grids


def settle(village: str, grids: list[str], homes: str) -> dict[str, Any]:
    """Return what became of drawn grids; all shapes are hexadecimal WKB in metres.

    Parameters
    ----------
    homes
        One multipoint with the households.

    Returns
    -------
    dict
        `wkb` of the settled grids and the record of `mapgrid.drawn_grids.Settled` beside it. As the grids were drawn:
        `in_none`, positions of households in no grid, and `in_two`, of those in several with the first two of these.
        `stands`: how many places of households are in each settled grid or on its border.
    """
    drawn = shapely.from_wkb(grids)
    points = shapely.get_parts(shapely.from_wkb(homes))
    settled = settle_grids(drawn, shapely.from_wkb(village))
    touching = shapely.STRtree(drawn).query(points, "intersects")[0]
    home, grid = shapely.STRtree(drawn).query(points, "within")
    order = np.lexsort((grid, home))
    home, grid = home[order], grid[order]
    again = np.flatnonzero(home[1:] == home[:-1])
    twice = again[np.unique(home[again], return_index=True)[1]]
    whole = [shape if shape is not None else shapely.Polygon() for shape in settled.polygons]
    stands = np.bincount(shapely.STRtree(whole).query(points, "intersects")[1], minlength=len(whole))
    return {
        "wkb": [shapely.to_wkb(shape, hex=True) for shape in whole],
        "findings": [finding.as_record() for finding in settled.findings],
        "rounding": (settled.rounding_m2, settled.rounding_places),
        "in_none": np.setdiff1d(np.arange(len(points)), touching).tolist(),
        "in_two": [(int(home[at]), int(grid[at]), int(grid[at + 1])) for at in twice],
        "stands": stands.tolist(),
    }
