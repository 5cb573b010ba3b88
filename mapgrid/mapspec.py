"""WHAT a map of a village or of a district shows, as plain values: panes, classes, palette, shapes, zoom steps, legend.

Nothing here draws. `web.folium_map` turns a `MapSpec` into a page; a print or a test reads the same values.
Sizes are CSS pixels, colours `#RRGGBB`, zooms those of Web Mercator at 47° latitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from mapgrid.cases import MapState
from mapgrid.tiers import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACCENT = "#0B5563"
INK = "#17252D"
ALERT = "#16222A"
WHISTLE = "#5B4A94"
GRID_FILLS = ("#3E6BA6", "#7A62A3", "#857564", "#2F7F8D")
"""Fills of neighbouring grids; four suffice where `colour_grids` can find a colouring, which on villages it does."""

SPARE_FILL = "#5F6E76"
"""Fifth fill, for the rare map that the greedy colouring cannot do in four."""


class Pane(StrEnum):
    """Layers of the drawing, low to high."""

    LAND = "land"
    WATER = "water"
    GRID_FILL = "grid-fill"
    BUILDINGS = "buildings"
    ROADS = "roads"
    OUTSIDE = "outside"
    GROUPS = "groups"
    BORDERS = "borders"
    HATCH = "hatch"
    VILLAGE = "village"
    SELECTION = "selection"
    HOUSEHOLDS = "households"
    CASES = "cases"
    LABELS = "labels"


_LOWEST_PANE_Z = 410
_PANE_STEP = 10
PANE_Z: Mapping[Pane, int] = MappingProxyType(
    {pane: _LOWEST_PANE_Z + _PANE_STEP * rank for rank, pane in enumerate(Pane)}
)
"""CSS z-index of each pane: above Leaflet's own tiles (200), below its pop-ups (700)."""


class Shape(StrEnum):
    """Shape of a household symbol, so that colour is never alone."""

    TRIANGLE = "triangle"
    SQUARE = "square"
    CIRCLE = "circle"
    DIAMOND = "diamond"


@dataclass(frozen=True, slots=True)
class TierSymbol:
    """How households of one tier are drawn.

    Attributes
    ----------
    colour, ink
        Fill, and the letter on it (contrast at least 4.5:1).
    sizes
        Width by zoom step: up to 16, 17, 18 and nearer, and inside the selected grid below 17.
    """

    tier: Tier
    shape: Shape
    colour: str
    ink: str
    sizes: tuple[float, float, float, float]


TIER_SYMBOLS: tuple[TierSymbol, ...] = (
    TierSymbol(Tier.RED, Shape.TRIANGLE, "#D9363E", "#FFFFFF", (14.5, 22.0, 26.0, 22.0)),
    TierSymbol(Tier.YELLOW, Shape.SQUARE, "#FAAD14", "#3B2A00", (9.0, 17.0, 20.0, 14.0)),
    TierSymbol(Tier.GREEN, Shape.CIRCLE, "#389E0D", "#061C00", (5.6, 15.0, 18.0, 7.5)),
    TierSymbol(Tier.UNKNOWN, Shape.DIAMOND, "#8C8C8C", "#FFFFFF", (8.0, 14.0, 16.0, 9.0)),
)
"""Most urgent first; drawn in the opposite order, so that red lies on top."""

NAME_ALONE_BELOW_ZOOM = 14
"""Farther out a village is its name and its households, nothing else."""

CLUSTERED_UP_TO_ZOOM = 14
LETTERS_FROM_ZOOM = 17
PEOPLE_FROM_ZOOM = 16
"""Labels of grids say the people as well from here on, where there is room."""


@dataclass(frozen=True, slots=True)
class CaseSymbol:
    """How cases of one map state are drawn: a pin, its fill, its line and the sign in it."""

    state: MapState
    fill: str
    line: str
    sign: str
    is_shown: bool = True


CASE_SYMBOLS: tuple[CaseSymbol, ...] = (
    CaseSymbol(MapState.OVERDUE, ALERT, ALERT, "exclamation"),
    CaseSymbol(MapState.NEAR_DUE, ACCENT, ACCENT, "clock"),
    CaseSymbol(MapState.WHISTLED, WHISTLE, WHISTLE, "arrow"),
    CaseSymbol(MapState.OPEN, "#FFFFFF", ACCENT, "dot"),
    CaseSymbol(MapState.CLOSED_RECENTLY, "#FFFFFF", "#8C979D", "tick", is_shown=False),
)
"""Order of the legend is urgency."""


class Overlay(StrEnum):
    """Layers a reader switches on and off as a whole."""

    GRIDS = "grids"
    GROUPS = "groups"
    UNITS = "units"
    BUILDINGS = "buildings"
    ROADS_AND_WATER = "roads_and_water"
    BARRIERS = "barriers"
    PREFERRED = "preferred"
    WAYS = "ways"


SHOWN_AT_FIRST = frozenset({Overlay.GRIDS, Overlay.BUILDINGS, Overlay.ROADS_AND_WATER})


@dataclass(frozen=True, slots=True)
class LegendRow:
    """One row of the legend: a class, how many there are, whether it is drawn at first."""

    key: str
    count: int
    is_shown: bool


@dataclass(frozen=True, slots=True)
class MapSpec:
    """What one map shows.

    Attributes
    ----------
    bounds
        `(west, south, east, north)`, degrees, of what is to be seen at first.
    tiers, cases
        Legend rows, in legend order; counts are those of the database.
    overlays
        Layers that have something to show.
    """

    bounds: tuple[float, float, float, float]
    tiers: tuple[LegendRow, ...] = ()
    cases: tuple[LegendRow, ...] = ()
    overlays: tuple[Overlay, ...] = ()


def village_spec(
    bounds: tuple[float, float, float, float],
    *,
    tier_counts: Mapping[str, int],
    case_counts: Mapping[str, int],
    overlays: Sequence[Overlay],
) -> MapSpec:
    """Return the map of one village with its legend; a tier nobody has yet is left out when it is `unknown`."""
    return MapSpec(
        bounds=bounds,
        tiers=tuple(
            LegendRow(symbol.tier, tier_counts.get(symbol.tier, 0), is_shown=True)
            for symbol in TIER_SYMBOLS
            if symbol.tier is not Tier.UNKNOWN or tier_counts.get(symbol.tier)
        ),
        cases=tuple(
            LegendRow(symbol.state, case_counts.get(symbol.state, 0), symbol.is_shown) for symbol in CASE_SYMBOLS
        ),
        overlays=tuple(overlay for overlay in Overlay if overlay in overlays),
    )


def colour_grids(neighbours: Mapping[str, set[str]]) -> dict[str, str]:
    """Return a fill for each grid such that neighbours differ.

    Greedy by saturation (DSATUR, Brélaz 1979): the grid whose neighbours already show most fills chooses next. Ties go
    to the grid with more neighbours, then to the lower code, so that a village always looks the same.

    Parameters
    ----------
    neighbours
        Codes of the grids that share a border with each grid.
    """
    palette = (*GRID_FILLS, SPARE_FILL)
    chosen: dict[str, int] = {}
    while len(chosen) < len(neighbours):
        code = min(
            neighbours.keys() - chosen.keys(),
            key=lambda grid: (
                -len({chosen[near] for near in neighbours[grid] & chosen.keys()}),
                -len(neighbours[grid]),
                grid,
            ),
        )
        taken = {chosen[near] for near in neighbours[code] & chosen.keys()}
        chosen[code] = next((fill for fill in range(len(palette)) if fill not in taken), len(palette) - 1)
    return {code: palette[fill] for code, fill in chosen.items()}
