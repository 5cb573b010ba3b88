"""A plan: grids, groups and cells of one village, with reasons, pieces and the scorecard."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.scorecard import Scorecard, compared, distance_to_centre, measure_plan
from mapgrid.partition.straight.prefer import share_along
from mapgrid.partition.whole_units.units import units_split

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land
    from mapgrid.partition.points import Points
    from mapgrid.partition.reasons import Piece, Reason
    from mapgrid.partition.straight.prefer import Preferred
    from mapgrid.partition.whole_units.units import OddUnit, Units
    from mapgrid.village import Limits


@dataclass(frozen=True)
class Division:
    """What a plan was computed from and to, for measuring it.

    Attributes
    ----------
    village
        The row that was divided, metres.
    grid, group
        Labels 0… of each cell; groups are numbered through over all grids.
    names
        Of the grid labels, ascending: a grid that came later has a later serial, and none is used twice.
    links
        (l, 2) cells of two parts of the village that count as neighbours because one part could not stand alone.
    units
        The unit of each row and point, or None.
    soft
        (s, 2) nodes of cells, metres, that grid polygons leave out where only two grids meet (see `keeping`).
    preferred
        Lines that borders were to follow, or None.
    way_m
        (n,) metres along roads from each point to the one nearest to its grid's centre; None without roads.
    """

    village: GeoDataFrame
    land: Land
    points: Points
    grid: NDArray[np.int64]
    group: NDArray[np.int64]
    names: tuple[str, ...]
    links: NDArray[np.int64]
    units: Units | None = None
    soft: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    preferred: Preferred | None = None
    way_m: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Moves:
    """What changed against a former plan, in households.

    Attributes
    ----------
    moved_households
        Of those that both plans have: how many are in another grid.
    unavoidable_households
        How many had to change grid: those beyond the most of their grid, or those missing to the least, whichever are
        more, when new ones stay in the grid whose land they stand in; never more than were moved.
    new_households, gone_households
        Those that only the new plan has, and rows that only the former one has.
    """

    moved_households: int
    unavoidable_households: int
    new_households: int
    gone_households: int

    def as_record(self) -> dict[str, int]:
        """Return the figures as a plain record for a report."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """One complete division of a village.

    Attributes
    ----------
    grids
        One row per grid in the order of their serials: `grid` ("001"…), `households` (rows), `weight`, `reason` (a code
        or None) and the polygon; the metric CRS of the input.
    households
        The rows of the input as they came, with `grid`, `group` (grid and two digits) and `cell` (row of `cells`);
        None and -1 where the row has no geometry.
    cells
        One row per distinct household point: `grid`, `group` and the polygon of its land, edge-matched.
    reasons
        Why grids are out of the limits, households in no grid, and units in several.
    pieces
        Why grids have more than one piece, or reach through an opening in a barrier.
    limits, preset, seed, effort
        What was asked for.
    seconds
        How long the division took.
    locked, ended
        Names of grids that no edit and no re-balance may change, and of grids that are no more: never used again.
    units
        What is odd about units, and what was done to those that could not stay whole.
    units_proved
        Whether it is proved that no division breaks fewer units, nor costs less among those; None without units.
    moves
        What changed against the former plan; None without one.
    max_way_m
        Longest way to the centre of a grid that was wished for, straight or along roads; None without such a wish.
    """

    grids: GeoDataFrame
    households: GeoDataFrame
    cells: GeoDataFrame
    reasons: tuple[Reason, ...]
    pieces: tuple[Piece, ...]
    limits: Limits
    preset: str
    seed: int
    effort: str
    seconds: float
    division: Division = field(repr=False)
    locked: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    units: tuple[OddUnit, ...] = ()
    units_proved: bool | None = None
    moves: Moves | None = None
    max_way_m: float | None = None

    def too_far(self) -> list[dict[str, str | int | float]]:
        """Return the grids with households farther from their centre than was wished for, and how many and how far."""
        if self.max_way_m is None:
            return []
        made = self.division
        away = made.way_m
        if away is None:
            away = distance_to_centre(made.points.xy, made.points.weight, made.grid)
        over = away > self.max_way_m
        return [
            {
                "grid": made.names[grid],
                "households": int(made.points.weight[over & (made.grid == grid)].sum()),
                "farthest_m": round(float(away[made.grid == grid].max()), 1),
            }
            for grid in np.unique(made.grid[over]).tolist()
        ]

    def groups_outside(self) -> list[dict[str, str | int]]:
        """Return the groups whose households are outside the limits of a group, with what made it so."""
        made = self.division
        load = np.bincount(made.group, weights=made.points.weight).astype(int)
        heaviest = np.zeros(len(load), dtype=np.int64)
        np.maximum.at(heaviest, made.group, made.points.weight)
        name = dict(zip(made.group.tolist(), self.cells["group"].tolist(), strict=True))
        low, high = self.limits.group_min, self.limits.group_max
        return [
            {"group": name[group], "households": int(load[group]), "heaviest_point": int(heaviest[group])}
            for group in np.flatnonzero((load < low) | (load > high)).tolist()
        ]

    @cached_property
    def scorecard(self) -> Scorecard:
        """The figures of the plan, computed when first asked for."""
        made = self.division
        bounded = self.effort == "thorough"
        return compared(self.figures, made.points, made.grid, self.limits, bounded=bounded)

    @cached_property
    def figures(self) -> Scorecard:
        """The scorecard without what the plan is compared with: what can be had after every edit."""
        made = self.division
        card = measure_plan(
            made.village.geometry.iloc[0],
            made.land,
            made.points,
            (made.grid, made.group),
            self.grids.geometry.to_numpy(),
            self.limits,
            self.seconds,
            None if made.units is None else len(units_split(made.units, made.points.of_row, made.grid)),
        )
        if made.preferred is not None:
            card = replace(card, preferred_border_pct=share_along(made.land, made.grid, made.preferred))
        if made.way_m is not None:
            way_m = round(float(np.average(made.way_m, weights=made.points.weight)), 3)
            card = replace(card, way_by_road_m=way_m)
        return card if self.moves is None else replace(card, moved_households=self.moves.moved_households)
