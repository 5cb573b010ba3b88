"""Small drawn villages whose answer can be counted by hand."""

import numpy as np
import pytest
import shapely
from drawn_land import CRS, assert_lawful, barriers, households, lattice, plots, village
from shapely import Point, Polygon, box

from mapgrid.partition import ReasonCode, divide
from mapgrid.village import Limits


def sides_in_one_grid(plan, is_west):
    """Grids with households on both sides of a line."""
    west = is_west(shapely.get_x(plan.households.geometry.to_numpy()))
    return [grid for grid, rows in plan.households.groupby("grid").indices.items() if len(set(west[rows])) > 1]


def test_a_square_of_100_households_is_one_grid_of_ten_groups():
    land = village(plots(10, 10))
    plan = divide(land, households(lattice(10, 10)), limits=Limits(target=100))
    assert plan.grids["grid"].tolist() == ["001"]
    assert plan.grids["weight"].tolist() == [100]
    assert plan.grids.geometry.iloc[0].area == pytest.approx(200 * 200)
    assert plan.scorecard.polsby_popper == pytest.approx(np.pi / 4, abs=1e-4)  # of a square
    assert plan.scorecard.groups_in_range_pct == 100
    assert plan.scorecard.groups == 10
    assert_lawful(plan, land)


def test_a_strip_of_150_households_is_cut_into_two_grids_numbered_from_west_to_east():
    land = village(plots(30, 5))
    plan = divide(land, households(lattice(30, 5)))
    assert plan.grids["grid"].tolist() == ["001", "002"]
    west, east = plan.grids.geometry.centroid.x
    assert west < east
    assert plan.scorecard.in_range_pct == 100
    assert_lawful(plan, land)


def test_grids_are_numbered_from_north_to_south_in_bands():
    land = village(plots(20, 20))
    plan = divide(land, households(lattice(20, 20)), limits=Limits(min=90, max=110, target=100))
    y = plan.grids.geometry.centroid.y.to_numpy()
    assert len(y) == 4
    assert y[:2].min() > y[2:].max()


def test_the_figures_of_a_plan_are_those_counted_by_hand():
    land = village(plots(10, 10), plots(10, 10, west=1000))
    plan = divide(
        land, households(np.concatenate([lattice(10, 10), lattice(10, 10, west=1000)])), limits=Limits(target=100)
    )
    card = plan.scorecard
    # A household of a 200 m square with plots of 20 m is at 10, 30 … 90 m along each axis from the middle.
    axis = np.abs(np.arange(-90, 100, 20))
    distance = np.hypot(*np.meshgrid(axis, axis)).mean()
    assert (card.grids, card.households, card.min, card.max, card.cv) == (2, 200, 100, 100, 0)
    assert card.distance_m == pytest.approx(distance, abs=1e-3)
    assert card.farthest_m == pytest.approx(np.hypot(90, 90), abs=1e-3)
    assert card.distance_ratio == pytest.approx(1.0)
    assert (card.multipart, card.barrier_pairs, card.groups_multipart) == (0, 0, 0)
    assert card.units_split is None


def test_a_river_between_two_sides_that_can_stand_alone_is_in_no_grid():
    land = village(plots(12, 10))
    river = barriers([(120, -50), (120, 250)])
    plan = divide(land, households(lattice(12, 10)), barriers=river)
    assert sides_in_one_grid(plan, lambda x: x < 120) == []
    assert plan.grids["weight"].tolist() == [60, 60]
    assert plan.scorecard.barrier_pairs == 0
    assert_lawful(plan, land)


def test_a_river_drawn_as_an_area_is_in_no_grid_and_its_water_belongs_to_its_banks():
    land = village(plots(12, 10))
    river = barriers(box(112, -50, 128, 250))
    plan = divide(land, households(lattice(12, 10)), barriers=river)
    assert sides_in_one_grid(plan, lambda x: x < 120) == []
    assert plan.grids.geometry.area.tolist() == pytest.approx([120 * 200, 120 * 200], rel=1e-6)
    assert_lawful(plan, land)


def test_a_bridge_does_not_let_a_grid_straddle_a_river_when_both_sides_can_stand_alone():
    land = village(plots(20, 10))
    river = barriers([(200, -50), (200, 90)], [(200, 110), (200, 250)])
    plan = divide(land, households(lattice(20, 10)), barriers=river)
    assert sides_in_one_grid(plan, lambda x: x < 200) == []
    assert plan.scorecard.barrier_pairs == 0
    assert plan.pieces == ()
    assert_lawful(plan, land)


def test_a_side_with_20_households_joins_across_the_bridge_and_it_is_said():
    land = village(plots(10, 10))
    river = barriers([(160, -50), (160, 90)], [(160, 110), (160, 250)])
    plan = divide(land, households(lattice(10, 10)), barriers=river)
    assert plan.scorecard.in_range_pct == 100
    assert plan.reasons == ()
    (piece,) = plan.pieces
    assert "20 households beyond a barrier, joined through its opening" in piece.why
    assert_lawful(plan, land)


def test_a_side_with_20_households_and_no_bridge_stands_alone_as_isolated():
    land = village(plots(10, 10))
    plan = divide(land, households(lattice(10, 10)), barriers=barriers([(160, -50), (160, 250)]))
    assert sorted(plan.grids["weight"]) == [20, 80]
    (reason,) = plan.reasons
    assert reason.code is ReasonCode.ISOLATED_UNIT
    assert reason.detail.startswith("20 households")
    assert_lawful(plan, land)


def test_land_across_a_river_where_nobody_lives_belongs_to_the_grid_beside_it():
    land = village(plots(10, 6), box(200, 0, 230, 120))
    plan = divide(land, households(lattice(10, 6)), barriers=barriers([(205, -50), (205, 250)]))
    assert plan.grids["weight"].tolist() == [60]
    assert plan.grids.geometry.iloc[0].area == pytest.approx(230 * 120)
    assert_lawful(plan, land)


def test_households_exactly_on_a_river_are_in_one_grid_each_and_inside_it():
    land = village(plots(12, 10))
    on_river = [(120.0, y) for y in np.arange(5.0, 200.0, 10.0)]
    points = np.concatenate([lattice(12, 10), on_river])
    plan = divide(land, households(points), barriers=barriers([(120, -50), (120, 250)]))
    assert plan.scorecard.in_range_pct == 100
    again = divide(land, households(points[::-1]), barriers=barriers([(120, -50), (120, 250)]))
    assert again.households["group"].tolist()[::-1] == plan.households["group"].tolist()
    assert_lawful(plan, land)


def test_households_on_the_border_and_a_centimetre_outside_are_inside_their_grid():
    land = village(Polygon([(0, 0), (200.3, 7.7), (187.1, 151.9), (3.3, 120.2)]))
    ring = land.geometry.iloc[0].exterior
    on_border = shapely.get_coordinates([ring.interpolate(metres) for metres in (0.0, 17.0, 250.0, 400.0)])
    outside = shapely.get_coordinates(ring.interpolate(100.0)) - (0.0, 0.01)
    points = np.concatenate([lattice(7, 9, step=13.0, west=20.0, south=10.0), on_border, outside])
    plan = divide(land, households(points))
    assert_lawful(plan, land)


def test_a_village_survives_the_way_to_degrees_and_back():
    land = village(plots(20, 10))
    plan = divide(land, households(lattice(20, 10)))
    there_and_back = plan.cells.to_crs(4326).to_crs(CRS)
    assert shapely.coverage_is_valid(there_and_back.geometry.to_numpy())
    assert there_and_back.geometry.is_valid.all()


def test_a_part_with_too_few_households_joins_the_nearest_grid_and_the_piece_is_explained():
    land = village(plots(10, 10), plots(2, 5, west=500))
    plan = divide(land, households(np.concatenate([lattice(10, 10), lattice(2, 5, west=500)])))
    assert plan.scorecard.in_range_pct == 100
    assert plan.scorecard.multipart == 1
    (piece,) = plan.pieces
    assert "10 households in another part of the village" in piece.why
    assert_lawful(plan, land)


def test_a_part_with_enough_households_stands_alone():
    land = village(plots(10, 10), plots(6, 10, west=500))
    plan = divide(land, households(np.concatenate([lattice(10, 10), lattice(6, 10, west=500)])))
    assert plan.scorecard.multipart == 0
    assert plan.pieces == ()
    assert_lawful(plan, land)


def test_a_part_without_households_belongs_to_a_grid_and_is_explained():
    land = village(plots(10, 10), box(500, 0, 540, 40))
    plan = divide(land, households(lattice(10, 10)))
    (piece,) = plan.pieces
    assert piece.why.startswith("land without households in another part")
    assert_lawful(plan, land)


def test_five_households_20_km_away_in_a_second_part_join_the_nearest_grid():
    land = village(plots(10, 10), plots(5, 1, west=20_000))
    plan = divide(land, households(np.concatenate([lattice(10, 10), lattice(5, 1, west=20_000)])))
    assert plan.scorecard.in_range_pct == 100
    assert len(plan.pieces) == 1
    assert plan.scorecard.farthest_m > 17_000
    assert_lawful(plan, land)


def test_30_households_are_one_grid_under_the_minimum():
    land = village(plots(6, 5))
    plan = divide(land, households(lattice(6, 5)))
    assert plan.grids["reason"].tolist() == ["VILLAGE_UNDER_MIN"]
    assert plan.reasons[0].detail.startswith("the village has 30 households")
    assert_lawful(plan, land)


def test_400_households_on_one_point_are_one_grid_over_the_maximum():
    land = village(box(0, 0, 100, 100))
    plan = divide(land, households([(50, 50)] * 400))
    assert plan.grids["reason"].tolist() == ["UNIT_OVER_MAX"]
    assert plan.grids["households"].tolist() == [400]
    assert len(plan.cells) == 1
    assert_lawful(plan, land)


def test_neighbours_that_cannot_stand_alone_are_with_the_building_that_is_over_the_maximum():
    land = village(plots(15, 5))
    weight = np.ones(75, dtype=int)
    weight[5] = 130
    plan = divide(land, households(lattice(15, 5), weight))
    codes = plan.grids.set_index("weight")["reason"]
    assert plan.grids["reason"].notna().sum() == 1
    assert codes[codes.notna()].tolist() == ["UNIT_OVER_MAX"]
    assert_lawful(plan, land)


def test_weights_are_counted_not_points():
    land = village(plots(10, 4))
    plan = divide(land, households(lattice(10, 4), weight=5))
    assert plan.grids["weight"].sum() == 200
    assert plan.grids["households"].sum() == 40
    assert plan.scorecard.in_range_pct == 100
    assert_lawful(plan, land)


def test_three_points_of_60_households_are_three_grids():
    land = village(box(0, 0, 300, 100))
    plan = divide(land, households([(50, 50), (150, 50), (250, 50)], weight=60))
    assert plan.grids["weight"].tolist() == [60, 60, 60]
    assert plan.reasons == ()
    assert_lawful(plan, land)


def test_points_too_heavy_to_combine_are_out_of_the_limits_with_the_reason():
    land = village(box(0, 0, 300, 100))
    plan = divide(land, households([(50, 50), (150, 50), (250, 50)], weight=[99, 3, 99]))
    assert {reason.code for reason in plan.reasons} == {ReasonCode.NO_DIVISION_FOUND}
    assert_lawful(plan, land)


def test_no_number_of_grids_between_the_limits_is_said():
    land = village(plots(11, 10))
    plan = divide(land, households(lattice(11, 10)), limits=Limits(min=60, max=80, target=70))
    assert {reason.code for reason in plan.reasons} == {ReasonCode.VILLAGE_UNDER_MIN}
    assert_lawful(plan, land)


def test_a_household_without_geometry_is_listed_in_no_grid():
    land = village(plots(10, 10))
    rows = households(lattice(10, 10))
    rows.loc[7, "geometry"] = None
    plan = divide(land, rows)
    assert plan.households.loc[7, "grid"] is None
    assert plan.households.loc[7, "cell"] == -1
    (reason,) = plan.reasons
    assert (reason.grid, reason.code) == (None, ReasonCode.NO_GEOMETRY)
    assert "row 8" in reason.detail
    assert plan.grids["weight"].sum() == 99


def test_a_hole_in_the_village_stays_a_hole():
    hole = box(85, 85, 115, 115)
    land = village(plots(10, 10).difference(hole))
    points = [xy for xy in lattice(10, 10) if not hole.covers(Point(xy))]
    plan = divide(land, households(points))
    assert plan.grids.geometry.union_all().area == pytest.approx(200 * 200 - 30 * 30)
    assert_lawful(plan, land)


def test_a_notch_that_cuts_land_off_its_point_gives_it_to_the_neighbour():
    # A slot from the north between two arms; the west arm's top is nearest to the east arm's household.
    land = village(Polygon([(0, 0), (200, 0), (200, 200), (101, 200), (101, 20), (99, 20), (99, 200), (0, 200)]))
    points = np.concatenate([[(110, 180)], lattice(10, 1), [(20, 150)]])
    plan = divide(land, households(points, weight=5))
    assert plan.cells.geometry.geom_type.unique().tolist() == ["Polygon"]
    assert_lawful(plan, land)


def test_a_barrier_that_dangles_touches_another_and_overshoots_is_no_trouble():
    land = village(plots(20, 20))
    lines = barriers([(-500, 200), (900, 200)], [(200, 200), (200, 120)], [(57, 61), (143, 99)], Point(5, 5))
    plan = divide(land, households(lattice(20, 20)), barriers=lines)
    assert sides_in_one_grid(plan, lambda x: x > -1) == []
    assert plan.scorecard.in_range_pct == 100
    assert_lawful(plan, land)


def test_many_criss_crossing_lines_give_a_true_plan_quickly():
    rng = np.random.default_rng(1)
    land = village(plots(30, 30))
    ends = rng.uniform(-50, 650, size=(40, 2, 2))
    plan = divide(land, households(lattice(30, 30)), barriers=barriers(*ends.tolist()))
    assert plan.grids["weight"].sum() == 900
    assert plan.seconds < 10
    assert_lawful(plan, land)


def test_groups_hold_8_to_15_households_and_hang_together():
    land = village(plots(20, 15))
    plan = divide(land, households(lattice(20, 15)))
    sizes = plan.households.groupby("group")["weight"].sum()
    assert sizes.between(8, 15).all()
    for _, rows in plan.cells.groupby("group"):
        assert shapely.get_num_geometries(shapely.coverage_union_all(rows.geometry.to_numpy())) == 1


def test_a_building_of_30_households_is_a_group_of_its_own_and_counted_as_out_of_range():
    land = village(plots(8, 8))
    weight = np.ones(64, dtype=int)
    weight[0] = 30
    plan = divide(land, households(lattice(8, 8), weight))
    sizes = plan.households.groupby("group")["weight"].sum()
    assert sizes[sizes > 15].tolist() == [30]
    assert plan.scorecard.groups_in_range_pct < 100
    (outside,) = plan.groups_outside()
    assert outside == {"group": sizes.idxmax(), "households": 30, "heaviest_point": 30}
    assert_lawful(plan, land)


def test_another_seed_gives_another_lawful_plan_and_the_same_seed_the_same():
    land = village(plots(20, 15))
    one, two, again = (divide(land, households(lattice(20, 15)), seed=seed) for seed in (1, 2, 1))
    assert one.households["group"].tolist() == again.households["group"].tolist()
    assert one.households["group"].tolist() != two.households["group"].tolist()
    assert_lawful(two, land)


@pytest.mark.parametrize("preset", ["balanced", "shortest", "compact", "workload"])
@pytest.mark.parametrize("effort", ["quick", "standard", "thorough"])
def test_every_preset_and_effort_gives_a_lawful_plan(preset, effort):
    land = village(plots(20, 15))
    plan = divide(land, households(lattice(20, 15)), preset=preset, effort=effort)
    assert plan.scorecard.in_range_pct == 100
    assert_lawful(plan, land)


def test_progress_is_told_from_start_to_end():
    told = []
    divide(village(plots(10, 10)), households(lattice(10, 10)), progress=lambda share, text: told.append((share, text)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] <= 1
    assert told[0][1] == "cutting the land"


def test_a_household_in_a_river_drawn_as_an_area_belongs_to_its_nearest_bank():
    land = village(plots(12, 10))
    river = barriers(box(104, -50, 136, 250))
    points = np.concatenate(
        [lattice(12, 10)[np.abs(lattice(12, 10)[:, 0] - 120) > 20], [(106.0, 101.0), (134.0, 99.0)]]
    )
    plan = divide(land, households(points), barriers=river)
    assert sides_in_one_grid(plan, lambda x: x < 120) == []
    assert plan.grids["weight"].tolist() == [51, 51]
    assert_lawful(plan, land)
