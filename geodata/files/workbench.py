"""Work on shapes that are not trusted yet, done by a child that can be killed: two valid files can take GEOS hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.files import bounds, exchange
from geodata.files.child import ask
from mapgrid.drawn_grids import Finding, Misfit, Settled
from mapgrid.errors import InputRefusedError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


def mend(outlines: NDArray) -> list[BaseGeometry | None]:
    """Return self-crossing polygons made valid; None for one whose area would change.

    All None when the repair takes too long: GEOS may need minutes for one hostile outline.
    """
    try:
        mended = _work("mend", bounds.MEND_SECONDS, wkb=outlines)["wkb"]
    except InputRefusedError:
        return [None] * len(outlines)
    return [shapely.from_wkb(shape) for shape in mended]


def join(polygons: NDArray) -> BaseGeometry:
    """Return the union of valid polygons, or raise `InputRefusedError` when it takes too long."""
    joined: BaseGeometry = shapely.from_wkb(_work("join", bounds.JOIN_SECONDS, wkb=polygons)["wkb"])
    return joined


def shares_inside(polygon: BaseGeometry, others: NDArray) -> NDArray[np.float64] | None:
    """Return how much of a valid polygon (0–1) lies in each of others; None when that takes too long to say."""
    try:
        shares = _work("shares", bounds.JOIN_SECONDS, wkb=others, of=np.array([polygon]))["shares"]
    except InputRefusedError:
        return None
    return np.array(shares, dtype=np.float64)


@dataclass(frozen=True)
class SettledGrids:
    """Drawn grids as a coverage of their village, and where they were none; see `mapgrid.drawn_grids.Settled`.

    Attributes
    ----------
    in_none
        Positions of households that stood in no grid as these were drawn.
    in_two
        Of those that stood in several, with the positions of the first two grids.
    stands
        Places of households in each settled grid or on its border.
    """

    settled: Settled
    in_none: list[int]
    in_two: list[tuple[int, int, int]]
    stands: list[int]


def settle(village: BaseGeometry, grids: NDArray, homes: NDArray) -> SettledGrids:
    """Return drawn grids as a coverage of their village, or raise `InputRefusedError` when that takes too long.

    Parameters
    ----------
    village, grids, homes
        Valid shapes in the village's metric CRS.
    """
    homes = np.array([shapely.multipoints(shapely.get_coordinates(homes))])
    told = _work("settle", bounds.SETTLE_SECONDS, village=np.array([village]), grids=grids, homes=homes)
    findings = [
        Finding(Misfit(kind), tuple(grids), area_m2, places, (x, y), is_narrow)
        for kind, grids, area_m2, places, (x, y), is_narrow in (record.values() for record in told["findings"])
    ]
    settled = Settled(np.asarray(shapely.from_wkb(told["wkb"])), findings, *told["rounding"])
    return SettledGrids(settled, told["in_none"], [tuple(each) for each in told["in_two"]], told["stands"])


def _work(action: str, seconds: int, **shapes: NDArray) -> dict[str, Any]:
    written = {name: shapely.to_wkb(each, hex=True).tolist() for name, each in shapes.items()}
    header, _ = exchange.unpack_arrays(ask({"action": action, "name": "", **written}, seconds))
    return header
