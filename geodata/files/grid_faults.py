"""What is wrong with drawn grids, in words: by row, with areas, and with what was done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
from shapely import Point

from mapgrid.crs import STORAGE_SRID
from mapgrid.drawn_grids import WIDEST_SLIVER_M, Misfit
from mapgrid.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyproj import CRS

    from geodata.files.grids import DrawnGrids
    from geodata.files.workbench import SettledGrids
    from mapgrid.drawn_grids import Finding

_EXPECTED = {
    Misfit.OVERLAP: "grids that do not overlap",
    Misfit.GAP: "all land of the village in a grid",
    Misfit.OUTSIDE: "a grid inside its village",
}
_HINT = f"draw it anew there; what is nowhere wider than {WIDEST_SLIVER_M:g} m is closed by itself"


class GridFaults:
    """Faults of the grids of one layer.

    Attributes
    ----------
    place
        File and layer, as faults name them.
    """

    def __init__(self, drawn: DrawnGrids, file: str, layer: str | None) -> None:
        self._drawn, self.place = drawn, {"file": file, "layer": layer}

    def of_land(self, work: SettledGrids, metric: CRS) -> list[Fault]:
        """Return a fault for each overlap, gap and piece outside; with `fix` where it was closed."""
        found = work.settled.findings
        places = gpd.GeoSeries([Point(one.at) for one in found], crs=metric).to_crs(STORAGE_SRID)
        return [self._of_land(one, (where.x, where.y)) for one, where in zip(found, places, strict=True)]

    def of_codes(self, village_code: str, numbered: Sequence[int]) -> list[Fault]:
        """Return a fault, put right, for each grid whose code is none of this village."""
        expected = f"15 digits that start with {village_code}, or a serial 1–999"
        return [
            Fault(
                expected, repr(text), row=self._drawn.rows[at], column=self._drawn.column, code="CODE_INVALID",
                fix=f"numbered {village_code}{numbered[at]:03d}", **self.place,
            )
            for at, text in self._drawn.uncoded.items()
        ]  # fmt: skip

    def of_households(self, work: SettledGrids, codes: Sequence[str], grid_of: Sequence[str] | None) -> list[Fault]:
        """Return a fault for each household that stands in no grid, or in two, as these were drawn.

        Parameters
        ----------
        codes
            Of the households.
        grid_of
            The grid each of them is in now; None when the drawing is refused.
        """
        rows = self._drawn.rows
        in_none = [(home, None, "HOUSEHOLD_IN_NO_GRID", "none") for home in work.in_none]
        in_two = [
            (home, rows[one], "HOUSEHOLD_IN_TWO_GRIDS", f"rows {rows[one]} and {rows[other]}")
            for home, one, other in work.in_two
        ]
        return [
            Fault(
                f"household {codes[home]} in one grid", found, row=row, column="geometry", code=code,
                fix=None if grid_of is None else f"it is in grid {grid_of[home]}", **self.place,
            )
            for home, row, code, found in (*in_none, *in_two)
        ]  # fmt: skip

    def of_grid(self, at: int, expected: str, found: str, code: str, hint: str | None = None) -> Fault:
        """Return a fault of the grid at a position."""
        return Fault(expected, found, row=self._drawn.rows[at], column="geometry", code=code, hint=hint, **self.place)

    def _of_land(self, finding: Finding, where: tuple[float, float]) -> Fault:
        rows = [self._drawn.rows[at] for at in finding.grids]
        whose, fix = {
            Misfit.OVERLAP: (f"shared with row {rows[-1]}", f"given to row {rows[0]}"),
            Misfit.GAP: ("in no grid, beside this one", "given to this grid"),
            Misfit.OUTSIDE: ("outside", "cut off"),
        }[finding.kind]
        places = f" in {finding.places} places, the largest" if finding.places > 1 else ""
        found = f"{finding.area_m2:.1f} m² {whose},{places} at {where[0]:.6f}, {where[1]:.6f}"
        return Fault(
            _EXPECTED[finding.kind], found, row=rows[0], column="geometry", code=finding.kind.value,
            fix=fix if finding.is_narrow else None, hint=None if finding.is_narrow else _HINT, **self.place,
        )  # fmt: skip
