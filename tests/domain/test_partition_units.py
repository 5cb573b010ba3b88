"""Small drawn villages of units whose answer can be counted by hand."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawn_land import CRS, assert_lawful, barriers, households, lattice, plots, village
from shapely import Polygon, box

from mapgrid.errors import InputRefusedError, NotMetricError
from mapgrid.partition import ReasonCode, divide
from mapgrid.village import Limits

STEP = 20.0


def units(shapes, names=None):
    names = [f"u{number}" for number in range(len(shapes))] if names is None else names
    return gpd.GeoDataFrame({"unit": names}, geometry=list(shapes), crs=CRS)


def strip(*columns, rows=10):
    """A village of units side by side, each so many columns of ten households, and what stands in it."""
    edges = np.concatenate([[0], np.cumsum(columns)]) * STEP
    shapes = [box(west, 0, east, rows * STEP) for west, east in itertools.pairwise(edges)]
    total = int(np.sum(columns))
    return village(plots(total, rows)), households(lattice(total, rows)), units(shapes)


def whole_units(plan):
    """Grids of each unit's households."""
    made = plan.division
    names = np.array([*made.units.names, ""])[made.units.of_row]
    return plan.households["grid"].groupby(names).nunique()


def test_four_units_of_40_in_a_row_are_two_grids_of_two_units_each():
    land, rows, groups = strip(4, 4, 4, 4)
    plan = divide(land, rows, units=groups)
    assert plan.grids["weight"].tolist() == [80, 80]
    assert plan.grids.geometry.area.tolist() == pytest.approx([160 * 200, 160 * 200])
    assert plan.scorecard.units_split == 0
    assert plan.units_proved is True
    assert plan.reasons == ()
    assert plan.units == ()
    assert_lawful(plan, land)


def test_units_in_a_column_are_divided_like_units_in_polygons():
    land, rows, groups = strip(4, 4, 4, 4)
    names = np.repeat(["u0", "u1", "u2", "u3"], 4)
    rows["unit"] = np.tile(names, 10)
    from_column = divide(land, rows)
    from_polygons = divide(land, rows.drop(columns="unit"), units=groups)
    assert from_column.households["grid"].tolist() == from_polygons.households["grid"].tolist()
    assert from_column.scorecard.units_split == 0


def test_a_plan_without_units_counts_none():
    land, rows, _ = strip(4, 4, 4, 4)
    plan = divide(land, rows)
    assert plan.scorecard.units_split is None
    assert plan.units_proved is None


def test_of_three_units_of_40_in_a_row_exactly_one_is_broken_and_it_is_named_with_the_proof():
    land, rows, groups = strip(4, 4, 4)
    plan = divide(land, rows, units=groups)
    assert plan.scorecard.in_range_pct == 100
    assert plan.scorecard.units_split == 1
    assert plan.units_proved is True
    (reason,) = plan.reasons
    assert (reason.grid, reason.code) == (None, ReasonCode.UNITS_DO_NOT_FIT)
    assert reason.detail.startswith("unit u1 is in grids 001, 002: no division of whole units into grids of 50–100")
    (odd,) = plan.units
    assert (odd.name, odd.households) == ("u1", 40)
    assert_lawful(plan, land)


def test_two_broken_units_are_proved_to_be_the_fewest():
    # Beside each unit of 90 stands one of 30 that fits nowhere else, and the first cannot help the last.
    land, rows, groups = strip(3, 9, 3, 9, 3)
    plan = divide(land, rows, units=groups)
    assert plan.scorecard.in_range_pct == 100
    assert plan.scorecard.units_split == 2
    assert plan.units_proved is True
    assert {reason.code for reason in plan.reasons} == {ReasonCode.UNITS_DO_NOT_FIT}
    assert all(reason.detail.endswith("and none breaks fewer") for reason in plan.reasons)
    assert_lawful(plan, land)


def test_a_river_that_leaves_one_unit_of_40_alone_breaks_none_of_the_others():
    land, rows, groups = strip(4, 4, 4)
    plan = divide(land, rows, units=groups, barriers=barriers([(80, -50), (80, 250)]))
    assert sorted(plan.grids["weight"]) == [40, 80]
    assert plan.scorecard.units_split == 0
    assert [reason.code for reason in plan.reasons] == [ReasonCode.ISOLATED_UNIT]
    assert_lawful(plan, land)


def test_a_unit_of_150_is_divided_by_itself_and_its_neighbour_of_60_stays_whole():
    land, rows, groups = strip(15, 6)
    plan = divide(land, rows, units=groups)
    assert sorted(plan.grids["weight"])[0] == 60
    assert plan.scorecard.in_range_pct == 100
    assert whole_units(plan).to_dict() == {"u0": 2, "u1": 1}
    (reason,) = plan.reasons
    assert reason.code is ReasonCode.UNIT_OVER_MAX
    assert "unit u0" in reason.detail
    assert "150 households are over the maximum of 100" in reason.detail
    assert_lawful(plan, land)


def test_a_part_of_a_unit_over_the_maximum_takes_in_a_neighbour_that_cannot_stand_alone():
    land, rows, groups = strip(12, 3)
    plan = divide(land, rows, units=groups)
    assert plan.scorecard.in_range_pct == 100
    assert whole_units(plan).to_dict() == {"u0": 2, "u1": 1}
    assert [reason.code for reason in plan.reasons] == [ReasonCode.UNIT_OVER_MAX]
    assert_lawful(plan, land)


def test_a_unit_cut_by_a_river_is_in_two_grids_and_said_to_be_in_parts():
    land, rows, groups = strip(6, 12, 6)
    plan = divide(land, rows, units=groups, barriers=barriers([(240, -50), (240, 250)]), limits=Limits(max=130))
    assert plan.scorecard.in_range_pct == 100
    assert whole_units(plan).to_dict() == {"u0": 1, "u1": 2, "u2": 1}
    (reason,) = plan.reasons
    assert reason.code is ReasonCode.ISOLATED_UNIT
    assert "2 parts that do not touch (60, 60)" in reason.detail
    assert_lawful(plan, land)


def test_a_unit_in_two_parts_is_joined_in_one_grid_by_the_unit_between():
    land, rows, _ = strip(2, 4, 2, 6)
    one = shapely.union_all([box(0, 0, 40, 200), box(120, 0, 160, 200)])
    groups = units([one, box(40, 0, 120, 200), box(160, 0, 280, 200)], ["a", "b", "c"])
    plan = divide(land, rows, units=groups)
    assert sorted(plan.grids["weight"]) == [60, 80]
    assert plan.scorecard.units_split == 0
    assert plan.reasons == ()
    (odd,) = plan.units
    assert (odd.name, odd.why) == ("a", "its households stand in 2 parts that do not touch (20, 20); all in one grid")
    assert_lawful(plan, land)


def test_grid_borders_run_along_unit_limits():
    # The limit is slanted and lies far from half-way between the households beside it.
    land = village(plots(20, 10))
    west = Polygon([(0, 0), (209, 0), (191, 200), (0, 200)])
    east = land.geometry.iloc[0].difference(west)
    plan = divide(land, households(lattice(20, 10)), units=units([west, east]))
    assert plan.scorecard.units_split == 0
    assert shapely.symmetric_difference(plan.grids.geometry.iloc[0], west).area < 1e-4
    assert_lawful(plan, land)


def test_land_of_a_unit_without_households_goes_to_its_neighbours_and_is_named():
    land, rows, groups = strip(6, 2, 6)
    rows = rows[~rows.geometry.x.between(120, 160)].reset_index(drop=True)
    plan = divide(land, rows, units=groups)
    assert plan.grids["weight"].tolist() == [60, 60]
    (odd,) = plan.units
    assert (odd.name, odd.households, odd.why) == ("u1", 0, "no household stands in it")
    assert_lawful(plan, land)


def test_a_household_on_a_shared_limit_is_in_the_unit_whose_name_comes_first():
    land, rows, groups = strip(6, 6)
    on_limit = households([(120, 55), (120, 115)])
    plan = divide(land, pd.concat([rows, on_limit], ignore_index=True), units=groups)
    names = [plan.division.units.names[unit] for unit in plan.division.units.of_row[-2:]]
    assert names == ["u0", "u0"]
    assert plan.grids["weight"].tolist() == [62, 60]
    assert_lawful(plan, land)


def test_overlapping_units_are_named_with_their_overlap():
    land, rows, groups = strip(6, 6)
    groups.loc[1, "geometry"] = box(100, 0, 240, 200)
    plan = divide(land, rows, units=groups)
    (odd,) = plan.units
    assert odd.name == "u1"
    assert odd.why.startswith("overlaps unit u0 by 4000 m2")
    assert plan.grids["weight"].tolist() == [60, 60]
    assert_lawful(plan, land)


def test_households_outside_every_unit_go_where_they_fit():
    land, rows, _ = strip(4, 4, 4)
    groups = units([box(0, 0, 80, 200), box(160, 0, 240, 200)])
    plan = divide(land, rows, units=groups)
    assert plan.scorecard.in_range_pct == 100
    assert plan.scorecard.units_split == 0
    assert plan.reasons == ()
    assert_lawful(plan, land)


def test_a_village_with_one_small_unit_is_divided_freely_around_it():
    land, rows, _ = strip(30)
    plan = divide(land, rows, units=units([box(140, 60, 200, 120)], ["wells"]))
    assert plan.scorecard.in_range_pct == 100
    assert plan.scorecard.units_split == 0
    assert_lawful(plan, land)


def test_units_of_one_household_are_combined_like_others():
    land, rows, _ = strip(5, 5)
    shapes = [box(x - 10, y - 10, x + 10, y + 10) for x, y in lattice(2, 10)]
    shapes.append(box(40, 0, 200, 200))
    plan = divide(land, rows, units=units(shapes))
    assert plan.grids["weight"].tolist() == [100]
    assert plan.scorecard.units_split == 0
    assert_lawful(plan, land)


def test_buildings_of_a_few_households_stay_whole_though_no_proof_is_affordable():
    land = village(plots(20, 20))
    rows = households(lattice(20, 20), weight=1)
    x, y = (rows.geometry.x // 40).astype(int), (rows.geometry.y // 40).astype(int)
    rows["unit"] = x * 100 + y
    plan = divide(land, rows)
    assert plan.scorecard.in_range_pct == 100
    assert plan.scorecard.units_split == 0
    assert plan.units_proved is False
    assert_lawful(plan, land)


def test_units_in_a_village_that_no_number_of_grids_fits_stay_whole_as_near_to_the_limits_as_can_be():
    land, rows, groups = strip(6, 5)
    plan = divide(land, rows, units=groups, limits=Limits(min=60, max=80, target=70))
    assert sorted(plan.grids["weight"]) == [50, 60]
    assert plan.scorecard.units_split == 0
    assert [reason.code for reason in plan.reasons] == [ReasonCode.VILLAGE_UNDER_MIN]
    assert_lawful(plan, land)


def test_a_missing_or_empty_name_in_the_column_is_no_unit_and_a_number_is_a_name():
    land, rows, _ = strip(6, 6)
    rows["unit"] = np.tile(np.repeat([1.0, 2.0], 6), 10)
    rows = rows.astype({"unit": object})
    rows.loc[0, "unit"] = None
    rows.loc[1, "unit"] = " "
    rows.loc[2, "unit"] = np.nan
    plan = divide(land, rows)
    assert plan.division.units.names == ("1", "2")
    assert (plan.division.units.of_row[:3] == -1).all()
    assert plan.scorecard.units_split == 0


def test_households_of_two_units_at_one_point_go_with_the_larger_and_it_is_said():
    land, rows, _ = strip(6, 6)
    rows["unit"] = np.tile(np.repeat(["a", "b"], 6), 10)
    tower = households([(50, 50), (50, 50), (50, 50)])
    tower["unit"] = ["a", "b", "a"]
    plan = divide(land, pd.concat([rows, tower], ignore_index=True))
    assert plan.scorecard.units_split == 1
    (reason,) = plan.reasons
    assert "unit b" in reason.detail
    assert any("at one point with more of unit a" in odd.why for odd in plan.units)


def test_a_household_without_geometry_is_in_no_grid_and_breaks_no_unit():
    land, rows, groups = strip(6, 6)
    rows.loc[3, "geometry"] = None
    plan = divide(land, rows, units=groups)
    assert plan.scorecard.units_split == 0
    assert [reason.code for reason in plan.reasons] == [ReasonCode.NO_GEOMETRY]


def test_groups_of_ten_are_formed_inside_unit_grids():
    land, rows, groups = strip(4, 4, 4, 4)
    plan = divide(land, rows, units=groups)
    assert plan.scorecard.groups == 16
    assert plan.scorecard.groups_in_range_pct == 100


@pytest.mark.parametrize(
    ("row", "column", "value", "found"),
    [
        (1, "unit", "u0", "'u0', which row 1 has too"),
        (1, "unit", None, "nothing"),
        (1, "geometry", Polygon([(0, 0), (100, 100), (100, 0), (0, 100)]), "Self-intersection"),
        (1, "geometry", Polygon(), "an empty geometry"),
        (1, "geometry", shapely.Point(3, 3), "a Point"),
        (1, "geometry", None, "an empty geometry"),
    ],
)
def test_an_unfit_unit_is_refused_with_its_row(row, column, value, found):
    land, rows, groups = strip(6, 6)
    groups = groups.astype({"unit": object})
    groups.loc[row, column] = value
    with pytest.raises(InputRefusedError) as refused:
        divide(land, rows, units=groups)
    (fault,) = refused.value.faults
    assert (fault.row, fault.column) == (2, column)
    assert found in fault.found


def test_units_without_names_or_without_rows_are_refused():
    land, rows, groups = strip(6, 6)
    with pytest.raises(InputRefusedError, match="a column with the name of each unit"):
        divide(land, rows, units=groups.rename(columns={"unit": "name"}))
    with pytest.raises(InputRefusedError, match="at least one unit"):
        divide(land, rows, units=groups.iloc[:0])


def test_units_of_another_village_are_refused_and_units_beside_the_village_are_passed_over():
    land, rows, groups = strip(6, 6)
    away = units([box(500, 0, 600, 100)], ["far"])
    with pytest.raises(InputRefusedError, match="units on the land of the village, found 1, all of them outside"):
        divide(land, rows, units=away)
    plan = divide(land, rows, units=pd.concat([groups, away], ignore_index=True))
    assert plan.division.units.names == ("u0", "u1")
    assert plan.units == ()


def test_units_in_degrees_are_refused():
    land, rows, groups = strip(6, 6)
    with pytest.raises(NotMetricError, match="EPSG:4326"):
        divide(land, rows, units=groups.set_crs(4326, allow_override=True))
