"""Former plans of small drawn villages carried on after growth, moves away and changed limits; counted by hand."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawn_land import CRS, assert_lawful, barriers, households, lattice, plots, village

from mapgrid.errors import InputRefusedError, NotMetricError
from mapgrid.partition import ReasonCode, divide
from mapgrid.partition.rebalancing.rebalance import divide_around, rebalance
from mapgrid.village import Limits

LAND = village(plots(20, 10))
LIMITS = Limits(min=50, max=110, target=100)
ROWS = households(lattice(20, 10))
IN_WEST = np.arange(200) % 20 < 10


@pytest.fixture(scope="module")
def base():
    """Two grids of 10 × 10 plots: 001 in the west, 002 in the east."""
    plan = divide(LAND, ROWS, limits=LIMITS)
    assert plan.grids["weight"].tolist() == [100, 100]
    assert plan.grids.geometry.iloc[0].bounds == pytest.approx((0, 0, 200, 200))
    return plan


def grown(count):
    """Return the households with newcomers between the plots of the far west."""
    corners = lattice(4, 9, west=10, south=10)[:count]
    return pd.concat([ROWS, households(corners)], ignore_index=True)


def weights(plan):
    return dict(zip(plan.grids["grid"], plan.grids["weight"], strict=True))


def same_polygon(one, other, grid):
    shapes = [plan.grids.set_index("grid").geometry[grid] for plan in (one, other)]
    return shapely.equals_exact(*shapes, 0.0)


def test_the_same_households_keep_everything(base):
    (plan,) = rebalance(base, LAND, ROWS, limits=LIMITS)
    assert plan.scorecard.moved_households == 0
    assert plan.moves.unavoidable_households == 0
    assert plan.households["group"].tolist() == base.households["group"].tolist()
    assert same_polygon(plan, base, "001")
    assert same_polygon(plan, base, "002")
    assert_lawful(plan, LAND)


def test_fifteen_newcomers_in_a_grid_of_100_move_five_households_over_the_border(base):
    plan = rebalance(base, LAND, grown(15), limits=LIMITS)[0]
    assert weights(plan) == {"001": 110, "002": 105}
    assert plan.moves.as_record() == {
        "moved_households": 5,
        "unavoidable_households": 5,
        "new_households": 15,
        "gone_households": 0,
    }
    moved = plan.households["grid"][:200] != base.households["grid"]
    assert shapely.get_x(plan.households.geometry[:200][moved].to_numpy()).tolist() == [190.0] * 5
    assert_lawful(plan, LAND)


def test_newcomers_join_the_group_beside_them_and_only_full_groups_are_divided(base):
    plan = rebalance(base, LAND, grown(4), limits=LIMITS)[0]
    assert weights(plan) == {"001": 104, "002": 100}
    stayed = plan.households["group"][:200] == base.households["group"]
    sizes = base.households["group"].value_counts()
    full = base.households["group"].map(sizes) > 11
    assert stayed[~full].all()
    assert plan.groups_outside() == []
    assert_lawful(plan, LAND)


def test_a_grid_that_lost_55_of_100_households_is_filled_up_from_its_neighbour(base):
    x, y = shapely.get_coordinates(ROWS.geometry.to_numpy()).T
    gone = (x < 100) | ((x == 110) & (y < 100))
    left = ROWS[~gone].reset_index(drop=True)
    plan = rebalance(base, LAND, left, limits=LIMITS)[0]
    assert weights(plan) == {"001": 50, "002": 95}
    assert plan.moves.moved_households == plan.moves.unavoidable_households == 5
    assert plan.moves.gone_households == 55
    assert_lawful(plan, LAND)


def test_a_village_over_its_capacity_gets_a_new_grid_with_the_next_serial(base):
    plan = rebalance(base, LAND, grown(30), limits=LIMITS)[0]
    assert set(weights(plan)) == {"001", "002", "003"}
    assert plan.scorecard.in_range_pct == 100
    assert weights(plan)["002"] == 100
    assert same_polygon(plan, base, "002")
    assert_lawful(plan, LAND)


def test_a_village_too_small_for_its_grids_ends_the_lightest_and_never_uses_its_name_again(base):
    x = shapely.get_x(ROWS.geometry.to_numpy())
    left = ROWS[(x > 130) & (x < 310)].reset_index(drop=True)
    plan = rebalance(base, LAND, left, limits=LIMITS)[0]
    assert weights(plan) == {"002": 80}
    assert plan.ended == {"001"}
    assert_lawful(plan, LAND)
    again = rebalance(plan, LAND, ROWS, limits=LIMITS)[0]
    assert set(weights(again)) == {"002", "003"}
    assert_lawful(again, LAND)


def test_a_locked_grid_takes_newcomers_and_says_that_it_is_locked(base):
    plan = rebalance(base, LAND, grown(15), limits=LIMITS, locked=["001"])[0]
    assert weights(plan) == {"001": 115, "002": 100}
    assert [(reason.grid, reason.code) for reason in plan.reasons] == [("001", ReasonCode.LOCKED)]
    assert plan.moves.moved_households == 0
    assert same_polygon(plan, base, "001")
    assert plan.locked == {"001"}
    assert_lawful(plan, LAND)


def test_tighter_limits_move_what_they_must(base):
    plan = rebalance(base, LAND, ROWS, limits=Limits(min=50, max=80, target=70))[0]
    assert plan.scorecard.in_range_pct == 100
    assert set(weights(plan)) == {"001", "002", "003"}
    assert_lawful(plan, LAND)


def test_a_river_that_was_not_there_before_is_in_no_grid(base):
    river = barriers([(100, -50), (100, 250)])
    plan = rebalance(base, LAND, ROWS, barriers=river, limits=LIMITS)[0]
    assert plan.scorecard.barrier_pairs == 0
    assert weights(plan) == {"001": 50, "002": 100, "003": 50}
    assert_lawful(plan, LAND)


def test_the_order_of_rows_does_not_matter(base):
    rows = grown(15)
    shuffled = rows.sample(frac=1.0, random_state=3).reset_index(names="was")
    one, other = (rebalance(base, LAND, frame, limits=LIMITS)[0] for frame in (rows, shuffled))
    assert other.households.set_index("was")["group"].sort_index().tolist() == one.households["group"].tolist()
    assert shapely.equals_exact(one.grids.geometry.to_numpy(), other.grids.geometry.to_numpy(), 0.0).all()


def test_alternatives_differ_and_the_first_moves_fewest(base):
    plans = rebalance(base, LAND, grown(20), limits=LIMITS)
    moved = [plan.moves.moved_households for plan in plans]
    assert moved[0] == min(moved)
    assert 1 <= len(plans) <= 3
    for one, other in pairwise(plans):
        assert one.households["grid"].tolist() != other.households["grid"].tolist()


def test_a_base_in_degrees_is_refused(base):
    class Degrees:
        grids = base.grids.to_crs(4326)
        households = base.households
        ended = frozenset()

    with pytest.raises(NotMetricError):
        rebalance(Degrees(), LAND, ROWS)


def test_a_household_outside_the_village_is_refused(base):
    with pytest.raises(InputRefusedError, match="inside the village"):
        rebalance(base, LAND, pd.concat([ROWS, households([(900, 900)])], ignore_index=True))


def test_units_that_the_fewest_moves_split_are_named(base):
    rows = grown(15).assign(unit=[f"row {number // 20}" if number < 200 else None for number in range(215)])
    plan = rebalance(base, LAND, rows, limits=LIMITS)[0]
    assert plan.scorecard.units_split == len([reason for reason in plan.reasons if reason.grid is None]) == 10
    assert plan.reasons[0].detail.startswith("unit row 0 is in grids 001, 002")
    assert "so in the former plan" in plan.reasons[0].detail


def by_column(rows, newcomers=None):
    """Return the households with each column of ten plots as a unit."""
    return rows.assign(unit=[f"column {number % 20:02d}" if number < 200 else newcomers for number in range(len(rows))])


@pytest.fixture(scope="module")
def base_of_columns():
    plan = divide(LAND, by_column(ROWS), limits=LIMITS)
    assert plan.grids["weight"].tolist() == [100, 100]
    assert plan.scorecard.units_split == 0
    return plan


def test_where_five_households_have_to_move_a_whole_unit_of_ten_does(base_of_columns):
    plan = rebalance(base_of_columns, LAND, by_column(grown(15)), limits=LIMITS)[0]
    assert weights(plan) == {"001": 105, "002": 110}
    assert plan.scorecard.units_split == 0
    assert plan.reasons == ()
    assert (plan.moves.moved_households, plan.moves.unavoidable_households) == (10, 5)
    moved = plan.households["grid"][:200] != base_of_columns.households["grid"]
    assert set(plan.households["unit"][:200][moved]) == {"column 09"}
    assert_lawful(plan, LAND)


def test_a_newcomer_begins_in_the_grid_of_its_unit(base_of_columns):
    rows = pd.concat([ROWS, households([(198.0, 100.0)])], ignore_index=True)
    for unit, grid in (("column 10", "002"), ("column 09", "001")):
        plan = rebalance(base_of_columns, LAND, by_column(rows, unit), limits=LIMITS)[0]
        assert plan.households["grid"][200] == grid
        assert plan.moves.moved_households == 0
        assert plan.scorecard.units_split == 0
        assert_lawful(plan, LAND)


def test_a_unit_that_outgrew_a_grid_is_split_and_named_and_no_other():
    halves = np.where(IN_WEST, "A", "B")
    base = divide(LAND, ROWS.assign(unit=halves), limits=LIMITS)
    rows = grown(15).assign(unit=[*halves, *["A"] * 15])
    plan = rebalance(base, LAND, rows, limits=LIMITS)[0]
    assert weights(plan) == {"001": 110, "002": 105}
    assert plan.moves.moved_households == 5
    (reason,) = plan.reasons
    assert (reason.grid, reason.code) == (None, ReasonCode.UNITS_DO_NOT_FIT)
    assert reason.detail.startswith("unit A is in grids 001, 002")
    assert_lawful(plan, LAND)


def test_units_without_growth_keep_everything(base_of_columns):
    plans = rebalance(base_of_columns, LAND, by_column(ROWS), limits=LIMITS)
    assert [plan.moves.moved_households for plan in plans] == [0]
    assert all(same_polygon(plans[0], base_of_columns, grid) for grid in ("001", "002"))


def test_around_a_locked_grid_units_stay_whole(base):
    rows = ROWS.assign(unit=[f"column {number % 20}" for number in range(200)])
    limits = Limits(min=20, max=50, target=40)
    plan = divide_around(Locked(base, ["002"]), LAND, rows, limits=limits)
    assert plan.scorecard.units_split == 0
    assert_lawful(plan, LAND)


class Locked:
    """The grids of a plan that are locked, as frames."""

    ended = frozenset()

    def __init__(self, plan, names):
        self.grids = plan.grids[plan.grids["grid"].isin(names)]
        self.households = plan.households[plan.households["grid"].isin(names)]


def test_around_a_locked_grid_the_rest_is_divided_freely(base):
    limits = Limits(min=20, max=50, target=40)
    plan = divide_around(Locked(base, ["002"]), LAND, ROWS, limits=limits)
    assert same_polygon(plan, base, "002")
    assert plan.grids["weight"].iloc[0] == 100
    assert plan.grids["reason"].iloc[0] == "LOCKED"
    assert plan.grids["grid"].tolist()[:2] == ["002", "003"]
    assert plan.grids["weight"].iloc[1:].between(20, 50).all()
    assert plan.households["group"][~IN_WEST].tolist() == base.households["group"][~IN_WEST].tolist()
    assert_lawful(plan, LAND)


def test_a_village_of_nothing_but_locked_grids_stays(base):
    plan = divide_around(Locked(base, ["001", "002"]), LAND, ROWS, limits=LIMITS)
    assert weights(plan) == {"001": 100, "002": 100}
    assert same_polygon(plan, base, "001")
    assert plan.reasons == ()


def test_a_locked_grid_in_the_middle_leaves_a_ring_around_it():
    land, rows = village(plots(20, 20)), households(lattice(20, 20))
    ring = shapely.box(100, 100, 300, 300)
    inside = shapely.contains(ring, rows.geometry.to_numpy())
    grids = gpd.GeoDataFrame({"grid": ["007"]}, geometry=[ring], crs=CRS)

    class Middle:
        ended = frozenset()

        def __init__(self):
            self.grids = grids
            self.households = rows[inside].assign(grid="007", group=None)

    plan = divide_around(Middle(), land, rows)
    assert plan.grids["grid"].iloc[0] == "007"
    assert shapely.equals(plan.grids.geometry.iloc[0], ring)
    assert plan.grids["weight"].tolist()[0] == 100
    assert plan.scorecard.in_range_pct == 100
    assert plan.households["group"].notna().all()
    assert_lawful(plan, land)
