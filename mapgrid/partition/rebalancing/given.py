"""What is given and what is asked for when a plan is made on the land of a former one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.crs import check_metric
from mapgrid.partition.straight.prefer import Preferred, preferred_lines
from mapgrid.village import Limits, check_boundary, check_households, check_units

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from mapgrid.partition.rebalancing.carry import Base


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a division, as the plan repeats it."""

    limits: Limits
    preset: str
    seed: int
    effort: str


@dataclass(frozen=True, slots=True)
class Given:
    """Frames of today, as `divide` takes them."""

    village: GeoDataFrame
    households: GeoDataFrame
    barriers: GeoDataFrame | None = None
    units: GeoDataFrame | None = None
    prefer: GeoDataFrame | None = None

    def check(self, base: Base) -> None:
        """Raise unless all frames are sound and in the CRS of the village."""
        further = (self.barriers, self.units, self.prefer, base.grids, base.households)
        check_metric(self.village, self.households, *[frame for frame in further if frame is not None])
        check_boundary(self.village)
        check_households(self.households, self.village)
        if self.units is not None:
            check_units(self.units, self.village)

    def walls(self) -> NDArray[np.object_]:
        """Return the barriers as an array."""
        return np.empty(0, dtype=object) if self.barriers is None else self.barriers.geometry.to_numpy()

    def preferred(self) -> Preferred | None:
        """Return the lines that borders are to follow."""
        return None if self.prefer is None else preferred_lines(self.prefer.geometry.to_numpy())
