"""What the workbench does inside the child: GEOS can hang or fall over on a hostile outline."""

from __future__ import annotations

import shapely


def mend(wkb_hex: str) -> str | None:
    """Return a valid polygon as hexadecimal WKB, or None when the repair would change what the outline says.

    The structure method keeps rings as rings. An outline whose area differs by more than a thousandth afterwards was
    not a slip of the pen (a bow-tie has no inside to speak of), and what was meant is for its
    drawer to say.
    """
    outline = shapely.from_wkb(wkb_hex)
    mended = shapely.make_valid(outline, method="structure", keep_collapsed=False)
    if mended.is_empty or mended.geom_type not in {"Polygon", "MultiPolygon"} or not shapely.is_valid(mended):
        return None
    area = shapely.area(outline)
    if abs(shapely.area(mended) - area) > 0.001 * area:
        return None
    written: str = shapely.to_wkb(mended, hex=True)
    return written


def join(wkb_hex: list[str]) -> str:
    """Return the union of polygons, all as hexadecimal WKB."""
    written: str = shapely.to_wkb(shapely.union_all(shapely.from_wkb(wkb_hex)), hex=True)
    return written


def shares_inside(of: str, wkb_hex: list[str]) -> list[float]:
    """Return the share of the area of one polygon that lies in each of others."""
    polygon = shapely.from_wkb(of)
    areas: list[float] = (
        shapely.area(shapely.intersection(polygon, shapely.from_wkb(wkb_hex))) / polygon.area
    ).tolist()
    return areas
