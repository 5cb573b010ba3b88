"""The panel beside the map of a plan file: its figures in words, and a legend that is the switch of the layers too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mapgrid.mapspec import Overlay
from web.folium_map import stroke_of
from web.plan_layers import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mapgrid.partition import Plan
    from web.plan_layers import GivenLayer

_GIVEN = {
    Overlay.BARRIERS: ("Barriers", "No grid reaches across, but for an opening or round an end."),
    Overlay.PREFERRED: ("Preferred lines", "Borders follow them where that makes them little longer."),
    Overlay.WAYS: ("Roads", "Ways are measured along them."),
    Overlay.UNITS: ("Units", "They stay whole where the limits allow."),
}
_ALONG = {
    Overlay.BARRIERS: "Grid border along a barrier",
    Overlay.PREFERRED: "Grid border along a preferred line",
}
_KILOMETRE = 1000


class Figure(NamedTuple):
    """One figure of the scorecard and, where its name says too little, what it counts."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class LegendLine:
    """One line of the legend.

    Attributes
    ----------
    sign
        What stands before it: `lines`, `dot`, `hatch`, `pill` or `breaker-pill`.
    lines
        Colour, width and dashes of each line of the sign, low to high.
    key
        What a check of it switches; None where there is nothing to switch.
    """

    label: str
    sign: str
    lines: Sequence[dict[str, Any]] = field(default_factory=list)
    value: str = ""
    note: str = ""
    key: str | None = None
    is_shown: bool = True


def figures(plan: Plan, given: Sequence[GivenLayer]) -> list[Figure]:
    """Return the figures of a plan; what was not asked for has none."""
    card = plan.scorecard
    return [
        Figure("Grids", f"{card.grids:,}"),
        Figure("Households", f"{card.households:,}"),
        Figure(f"Within {plan.limits.min}–{plan.limits.max}", f"{card.in_range_pct:.1f} %"),
        Figure("Fewest – most", f"{card.min} – {card.max}"),
        Figure("Way to the centre, mean", f"{card.distance_m:,.0f} m"),
        Figure("Farthest", f"{card.farthest_m:,.0f} m"),
        Figure("Compactness, mean", f"{card.polsby_popper:.3f}", "Polsby–Popper: 1 is a circle."),
        Figure("Groups within limits", f"{card.groups_in_range_pct:.1f} %"),
        Figure("Grids of several pieces", f"{card.multipart}"),
        *_asked_for(plan),
        *(_barriers(plan) if any(layer.overlay is Overlay.BARRIERS for layer in given) else ()),
        *_moves(plan),
    ]


def _asked_for(plan: Plan) -> Iterator[Figure]:
    card = plan.scorecard
    if card.way_by_road_m is not None:
        yield Figure("Way along roads, mean", f"{card.way_by_road_m:,.0f} m")
    if plan.max_way_m is not None:
        far = plan.too_far()
        grids = f"In the grids {', '.join(str(one['grid']) for one in far)}." if far else ""
        yield Figure(f"Farther than {plan.max_way_m:g} m", f"{sum(int(one['households']) for one in far):,}", grids)
    if card.units_split is not None:
        yield Figure("Units in several grids", f"{card.units_split}")
    if card.preferred_border_pct is not None:
        yield Figure(
            "Border along preferred lines", f"{card.preferred_border_pct:.1f} %", "Of the borders between grids."
        )


def _barriers(plan: Plan) -> Iterator[Figure]:
    count = plan.scorecard.barrier_pairs
    yield Figure(
        "Barriers inside grids",
        f"{count:,}",
        "How often the land of two households side by side in one grid has a barrier between it: "
        "the grid reaches through an opening or round an end."
        if count
        else "",
    )


def _moves(plan: Plan) -> Iterator[Figure]:
    if plan.moves is not None:
        moves = plan.moves
        yield Figure(
            "Households moved",
            f"{moves.moved_households:,}",
            f"In another grid than in the former plan; {moves.unavoidable_households:,} had to be for the limits.",
        )
        yield Figure("Households new", f"{moves.new_households:,}")
        yield Figure("Households gone", f"{moves.gone_households:,}")


def legend(plan: Plan, given: Sequence[GivenLayer]) -> list[LegendLine]:
    """Return a line for everything that is drawn, what can be switched first."""
    groups = stroke_of("groups")
    lines = [
        LegendLine("Households", "dot", value=f"{plan.scorecard.households:,}", key="households"),
        LegendLine("Grid numbers", "pill", key="labels", note="Those without room appear as you zoom in."),
        LegendLine(
            "Ten-household groups", "lines", [groups], f"{plan.scorecard.groups:,}", key=Overlay.GROUPS, is_shown=False
        ),
        *(_given_line(layer) for layer in reversed(given)),
        LegendLine("Border between grids", "lines", [stroke_of("border")]),
    ]
    for layer in reversed(given):
        if layer.along is not None and layer.along_m is not None:
            strokes = [stroke_of(layer.along), stroke_of("border_casing"), stroke_of("border")]
            lines.append(LegendLine(_ALONG[layer.overlay], "lines", strokes, _length(layer.along_m)))
    lines.append(LegendLine("Village boundary", "lines", [stroke_of("village")]))
    if plan.grids["reason"].notna().any():
        lines.append(LegendLine("Grid out of limits", "hatch", value=f"{int(plan.grids['reason'].notna().sum())}"))
        lines.append(LegendLine("Its number", "breaker-pill", note="Why stands below."))
    return lines


def _given_line(layer: GivenLayer) -> LegendLine:
    label, note = _GIVEN[layer.overlay]
    if layer.left_out:
        note += f" The longest {MOST_LINES:,} lines are drawn, {layer.left_out:,} shorter ones are not."
    return LegendLine(label, "lines", [stroke_of(layer.style)], f"{layer.given:,}", note, layer.overlay)


def _length(metres: float) -> str:
    return f"{metres:,.0f} m" if metres < _KILOMETRE else f"{metres / _KILOMETRE:,.1f} km"
