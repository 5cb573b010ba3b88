"""Geometry checks on what a file holds: readable, finite, not too large, valid or mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.files import bounds
from geodata.files.workbench import mend
from mapgrid.errors import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ShapeFaults:
    """Faults of one layer's geometries, collected row by row.

    Attributes
    ----------
    sound
        Boolean mask: no fault so far.
    found, fixed
        Faults of the rows that are not sound; changes to rows that are.
    """

    def __init__(self, rows: NDArray, *, file: str, layer: str | None) -> None:
        self.sound = np.ones(len(rows), dtype=bool)
        self.found: list[Fault] = []
        self.fixed: list[Fault] = []
        self._rows, self._file, self._layer = rows, file, layer

    def only_sound(self, shapes: NDArray) -> NDArray:
        """Return the geometries with None in place of the faulty."""
        kept = shapes.copy()
        kept[~self.sound] = None
        return kept

    def add(
        self,
        at: int | np.integer,
        expected: str,
        found: str,
        *,
        column: str | None = "geometry",
        hint: str | None = None,
    ) -> None:
        """Record a fault at a position of the layer."""
        self.sound[at] = False
        self.found.append(Fault(expected, found, hint=hint, **self._place(at, column)))

    def put_right(self, at: int | np.integer, expected: str, found: str, fix: str, *, column: str = "geometry") -> None:
        """Record a change to what stands at a position of the layer."""
        self.fixed.append(Fault(expected, found, fix=fix, **self._place(at, column)))

    def _place(self, at: int | np.integer, column: str | None) -> dict[str, Any]:
        return {"file": self._file, "layer": self._layer, "row": int(self._rows[at]), "column": column}


def read_shapes(wkb: NDArray, faults: ShapeFaults, *, keeps_missing: bool = False) -> NDArray:
    """Return two-dimensional geometries of WKB; None, with a fault, for those that cannot be used.

    With `keeps_missing`, no geometry and an empty one are no fault.
    """
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    for at in np.flatnonzero(shapely.is_missing(shapes)):
        if wkb[at] is not None:
            faults.add(at, "a geometry", "an unreadable one (open ring or too few points)")
        elif not keeps_missing:
            faults.add(at, "a geometry", "none")
    empty = np.flatnonzero(shapely.is_empty(shapes))
    for at in [] if keeps_missing else empty:
        faults.add(at, "a geometry with coordinates", "an empty one")
    shapes[empty] = None
    vertices = shapely.get_num_coordinates(shapes)
    for at in np.flatnonzero(vertices > bounds.MOST_VERTICES_OF_A_FEATURE):
        expected = f"at most {bounds.MOST_VERTICES_OF_A_FEATURE} vertices"
        faults.add(at, expected, f"{vertices[at]}", hint="simplify the outline")
    shapes = shapely.force_2d(shapes)
    corners, owner = shapely.get_coordinates(shapes, return_index=True)
    for at in np.unique(owner[~np.isfinite(corners).all(axis=1)]):
        faults.add(at, "finite coordinates", "NaN or infinity")
    return faults.only_sound(np.asarray(shapes))


def mend_shapes(shapes: NDArray, faults: ShapeFaults) -> NDArray:
    """Return valid geometries; each that was mended is named, and each that could not be is a fault."""
    broken = np.flatnonzero(faults.sound & ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes))
    shapes = shapes.copy()
    expected = "an outline that does not cross itself"
    for at, mended in zip(broken, mend(shapes[broken]) if len(broken) else [], strict=True):
        why = shapely.is_valid_reason(shapes[at])
        if mended is None:
            faults.add(at, expected, why, hint="redraw it there")
        else:
            faults.put_right(at, expected, why, "mended, area kept")
            shapes[at] = mended
    return shapes
