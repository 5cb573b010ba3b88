"""Division by units of generated villages and of a real one."""

import geopandas as gpd
import pytest
from drawn_land import assert_lawful
from generated_land import generate
from real_land import file_of, load

from mapgrid.partition import ReasonCode, divide


@pytest.mark.parametrize(("size", "most_split"), [(200, 1), (800, 0), (3000, 0)])
def test_generated_villager_groups_stay_whole_wherever_their_households_allow_it(size, most_split):
    drawn = generate(size)
    plan = divide(drawn.village, drawn.households, barriers=drawn.river, units=drawn.units, effort="quick")
    assert_lawful(plan, drawn.village)
    assert plan.units_proved
    assert plan.scorecard.in_range_pct == 100
    assert plan.scorecard.barrier_pairs == 0
    assert plan.scorecard.units_split == most_split
    assert plan.scorecard.groups_in_range_pct == 100


def test_groups_in_a_column_and_on_a_map_are_divided_alike_where_their_households_are_the_same():
    drawn = generate(800)
    in_column = divide(drawn.village, drawn.households, barriers=drawn.river, effort="quick")
    bare = drawn.households.drop(columns="unit")
    on_map = divide(drawn.village, bare, barriers=drawn.river, units=drawn.units, effort="quick")
    assert in_column.scorecard.units_split == on_map.scorecard.units_split == 0
    assert in_column.division.units.names == on_map.division.units.names
    assert (in_column.division.units.of_row == on_map.division.units.of_row).all()


def test_the_order_of_units_and_households_changes_nothing():
    drawn = generate(800)
    one = divide(drawn.village, drawn.households, barriers=drawn.river, units=drawn.units, effort="quick")
    rows, units = drawn.households.sample(frac=1.0, random_state=1), drawn.units.sample(frac=1.0, random_state=2)
    two = divide(drawn.village, rows, barriers=drawn.river, units=units, effort="quick")
    assert two.households.sort_index()["group"].tolist() == one.households["group"].tolist()


def test_a_dense_town_keeps_its_204_small_areas_whole():
    land, rows, _ = load("stonetown2")
    areas = gpd.read_file(file_of("stonetown2"), layer="hot_tasks").to_crs(land.crs)
    units = areas.rename(columns={"task": "unit"})
    plan = divide(land, rows, units=units, effort="quick")
    assert_lawful(plan, land)
    assert plan.scorecard.in_range_pct == 100
    assert plan.scorecard.units_split == 0
    assert {reason.code for reason in plan.reasons} <= {ReasonCode.NO_GEOMETRY}
    assert {unit.why for unit in plan.units} == {"no household stands in it"}
