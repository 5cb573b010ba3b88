"""What units are joined by: longest ways, roads and preferred lines, in drawn villages counted by hand."""

import numpy as np
import pytest
from drawn_land import assert_lawful, barriers, households, lattice, plots, village
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box
from test_partition_exact import atoms_of, drawn_units

from mapgrid.partition import divide
from mapgrid.partition.search.ways import join_to_roads, road_lines, ways_by_road
from mapgrid.partition.whole_units.columns import connected_unions, measure_unions
from mapgrid.partition.whole_units.road_columns import measure_by_road, road_table


def hamlets(*, with_outlier=False):
    """Three hamlets in a row, 100 m and 200 m apart, of 60, 40 and 60 households: the middle one joins either other.

    The outlier is one household of the first, 300 m to the west of it.
    """
    xy, weight, unit = [(0, 0), (100, 0), (300, 0)], [60, 40, 60], ["west", "middle", "east"]
    if with_outlier:
        xy, weight, unit = [*xy, (-300, 0)], [59, 40, 60, 1], [*unit, "west"]
    rows = households(xy, weight)
    rows["unit"] = unit
    return village(box(-350, -50, 350, 50)), rows


def joined(plan):
    """Units by grid."""
    return sorted(sorted(set(names)) for _, names in plan.households.groupby("grid")["unit"])


def test_the_middle_hamlet_joins_the_nearer_one_though_one_household_is_far_from_the_centre():
    # Centre of west and middle: (59 · 0 + 40 · 100 − 300) / 100 = 37; ways 59 · 37 + 40 · 63 + 337 = 5040.
    land, rows = hamlets(with_outlier=True)
    plan = divide(land, rows, preset="shortest")
    assert joined(plan) == [["east"], ["middle", "west"]]
    assert plan.scorecard.distance_m == pytest.approx(5040 / 160)
    assert plan.scorecard.farthest_m == pytest.approx(337)


def test_a_household_farther_than_wished_for_makes_the_middle_hamlet_join_the_other():
    # West alone has its centre at −5: ways 59 · 5 + 295; middle and east at 220: 40 · 120 + 60 · 80; together 10190.
    land, rows = hamlets(with_outlier=True)
    plan = divide(land, rows, preset="shortest", max_way_m=320)
    assert joined(plan) == [["east", "middle"], ["west"]]
    assert plan.scorecard.distance_m == pytest.approx(10190 / 160, abs=1e-3)
    assert plan.scorecard.farthest_m == pytest.approx(295)
    assert plan.too_far() == []
    assert plan.units_proved
    assert_lawful(plan, land)


def test_where_one_household_is_too_far_either_way_it_is_named_and_the_shorter_ways_count():
    land, rows = hamlets(with_outlier=True)
    plan = divide(land, rows, preset="shortest", max_way_m=200)
    assert plan.scorecard.units_split == 0
    assert [(each["households"], each["farthest_m"]) for each in plan.too_far()] == [(1, 337.0)]


def test_hamlets_are_joined_by_the_way_by_road_and_not_by_the_straight_one():
    # From the west to the middle it is 400 + 100 + 400 m by road, from the middle to the east 200.
    land, rows = hamlets()
    roads = barriers([(0, 0), (0, 400), (100, 400), (100, 0)], [(100, 0), (300, 0)])
    assert joined(divide(land, rows, preset="shortest")) == [["east"], ["middle", "west"]]
    plan = divide(land, rows, preset="shortest", roads=roads, max_way_m=250)
    assert joined(plan) == [["east", "middle"], ["west"]]
    assert plan.scorecard.way_by_road_m == pytest.approx(40 * 200 / 160)
    assert plan.too_far() == []
    assert plan.units_proved


@pytest.mark.parametrize(("west_m", "loads"), [(120, [60, 100]), (200, [100, 60])])
def test_of_two_unit_limits_the_border_runs_along_the_one_with_a_road_on_it(west_m, loads):
    # Units of 60, 40 and 60 households side by side: both divisions are the mirror image of each other.
    land, rows = village(plots(16, 10)), households(lattice(16, 10))
    rows["unit"] = np.tile(np.repeat(["a", "b", "c"], [6, 4, 6]), 10)
    plan = divide(land, rows, preset="compact", prefer=barriers([(west_m, -10), (west_m, 210)]))
    assert plan.grids["weight"].tolist() == loads
    assert plan.scorecard.preferred_border_pct == pytest.approx(100)
    assert plan.units_proved
    assert_lawful(plan, land)


@given(st.integers(0, 2**31))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_ways_by_road_of_unions_are_those_of_a_plan_with_that_grid(seed):
    land, rows, rng = drawn_units(seed)
    atoms, graph, _ = atoms_of(land, rows, np.empty(0, dtype=object))
    streets = [rng.uniform(0, 240, size=(2, 2)).tolist() for _ in range(rng.integers(1, 7))]
    net = join_to_roads(road_lines(barriers(*streets).geometry.to_numpy()), graph.xy)
    members, offsets, _ = connected_unions(atoms.net, atoms.cells.weight, (30, 120), 10**6)
    load = measure_unions(members, offsets, atoms.net, atoms.cells, 1e9).load
    way, far = measure_by_road((members, offsets), load, atoms.cells, road_table(net), 80.0)
    for number in range(min(10, len(load))):
        inside = np.isin(atoms.of_cell, members[offsets[number] : offsets[number + 1]])
        metres = ways_by_road(net, graph.xy, graph.weight, inside.astype(np.int64))[inside]
        weight = graph.weight[inside]
        assert way[number] == pytest.approx(weight @ metres, abs=1e-5)
        assert far[number] == pytest.approx(weight @ np.where(metres > 80, np.minimum(metres / 80, 2), 0), abs=1e-5)
