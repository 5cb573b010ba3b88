import itertools

import pytest

from mapgrid.cases import MapState
from mapgrid.mapspec import (
    CASE_SYMBOLS,
    GRID_FILLS,
    PANE_Z,
    TIER_SYMBOLS,
    Overlay,
    Pane,
    colour_grids,
    village_spec,
)
from mapgrid.tiers import Tier

BOX = (9.50, 47.22, 9.56, 47.27)


def _contrast(one, other):
    def luminance(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_legend_shows_the_counts_it_was_given_in_order_of_urgency():
    spec = village_spec(
        BOX, tier_counts={"green": 748, "red": 37, "yellow": 150}, case_counts={"open": 11, "overdue": 4}, overlays=[]
    )
    assert [(row.key, row.count) for row in spec.tiers] == [("red", 37), ("yellow", 150), ("green", 748)]
    assert [(row.key, row.count) for row in spec.cases] == [
        ("overdue", 4),
        ("near_due", 0),
        ("whistled", 0),
        ("open", 11),
        ("closed_recently", 0),
    ]


def test_closed_cases_are_off_at_first_and_all_else_is_on():
    spec = village_spec(BOX, tier_counts={}, case_counts={}, overlays=[])
    assert {row.key for row in spec.cases if not row.is_shown} == {MapState.CLOSED_RECENTLY}
    assert all(row.is_shown for row in spec.tiers)


def test_households_without_a_tier_are_in_the_legend_only_when_there_are_some():
    without = village_spec(BOX, tier_counts={"red": 1}, case_counts={}, overlays=[])
    with_some = village_spec(BOX, tier_counts={"unknown": 3}, case_counts={}, overlays=[])
    assert Tier.UNKNOWN not in {row.key for row in without.tiers}
    assert ("unknown", 3) in {(row.key, row.count) for row in with_some.tiers}


def test_overlays_keep_the_order_of_the_legend_whatever_order_they_come_in():
    spec = village_spec(BOX, tier_counts={}, case_counts={}, overlays=[Overlay.BUILDINGS, Overlay.GRIDS])
    assert spec.overlays == (Overlay.GRIDS, Overlay.BUILDINGS)


def test_tiers_differ_in_shape_and_not_only_in_colour():
    assert len({symbol.shape for symbol in TIER_SYMBOLS}) == len(TIER_SYMBOLS) == len(Tier)
    assert len({symbol.sign for symbol in CASE_SYMBOLS}) == len(CASE_SYMBOLS) == len(MapState)


@pytest.mark.parametrize("symbol", [s for s in TIER_SYMBOLS if s.tier is not Tier.UNKNOWN], ids=lambda s: s.tier)
def test_a_letter_on_its_symbol_meets_wcag_aa(symbol):
    assert _contrast(symbol.colour, symbol.ink) >= 4.5


def test_households_lie_over_grids_and_cases_over_households():
    order = [
        Pane.WATER,
        Pane.GRID_FILL,
        Pane.ROADS,
        Pane.BORDERS,
        Pane.VILLAGE,
        Pane.HOUSEHOLDS,
        Pane.CASES,
        Pane.LABELS,
    ]
    assert [PANE_Z[pane] for pane in order] == sorted(PANE_Z[pane] for pane in order)
    assert max(PANE_Z.values()) < 700  # Leaflet's pop-ups


def test_four_grids_that_all_touch_get_four_fills():
    four = {code: set("abcd") - {code} for code in "abcd"}
    assert set(colour_grids(four).values()) == set(GRID_FILLS)


def test_neighbours_never_share_a_fill_on_a_wheel_and_on_a_checkerboard():
    wheel = {str(spoke): {str((spoke + 1) % 7), str((spoke - 1) % 7), "hub"} for spoke in range(7)}
    wheel["hub"] = {str(spoke) for spoke in range(7)}
    board = {
        f"{x}{y}": {
            f"{x + dx}{y + dy}" for dx, dy in ((0, 1), (1, 0), (0, -1), (-1, 0)) if 0 <= x + dx < 5 and 0 <= y + dy < 5
        }
        for x, y in itertools.product(range(5), repeat=2)
    }
    for neighbours in (wheel, board):
        fills = colour_grids(neighbours)
        assert all(fills[code] != fills[near] for code in neighbours for near in neighbours[code])


def test_colours_do_not_depend_on_the_order_of_the_grids():
    wheel = {str(spoke): {str((spoke + 1) % 7), str((spoke - 1) % 7)} for spoke in range(7)}
    assert colour_grids(wheel) == colour_grids(dict(reversed(wheel.items())))
