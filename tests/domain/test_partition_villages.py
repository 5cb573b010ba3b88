"""Every real village of the demo and the benches, divided."""

import numpy as np
import pytest
import shapely
from drawn_land import assert_lawful
from real_land import DEMO, OTHERS, WITH_WATER, load
from sklearn.cluster import KMeans

from mapgrid.partition import ReasonCode, divide


@pytest.mark.parametrize("name", [*DEMO, *OTHERS])
def test_a_real_village_is_divided_with_every_grid_and_group_within_the_limits(name):
    village, households, _ = load(name)
    plan = divide(village, households)
    card = plan.scorecard
    assert_lawful(plan, village)
    assert plan.reasons == ()
    assert (card.in_range_pct, card.groups_in_range_pct) == (100, 100)
    area_m2 = village.geometry.iloc[0].area
    assert max(card.gap_m2, card.overlap_m2, card.outside_m2) <= 1e-9 * area_m2
    assert card.distance_ratio < 1.42  # three grids have little choice


@pytest.mark.parametrize("name", WITH_WATER)
def test_no_grid_of_a_real_village_has_households_on_both_sides_of_its_waterways(name):
    village, households, waterways = load(name, barriers="waterways")
    plan = divide(village, households, barriers=waterways)
    assert_lawful(plan, village)
    assert {reason.code for reason in plan.reasons} <= {ReasonCode.ISOLATED_UNIT}
    side = side_of(village, households, waterways)
    sides_per_grid = plan.households.assign(side=side).groupby("grid")["side"].nunique()
    in_another_part = {piece.grid for piece in plan.pieces if piece.why[0].isdigit() and "part of" in piece.why}
    assert set(sides_per_grid.index[sides_per_grid > 1]) == in_another_part


def side_of(village, households, lines):
    """Number the land that is left when lines are cut out of a village, and say on which each household stands."""
    drawing = shapely.union_all([*lines.geometry, village.geometry.iloc[0].boundary])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(drawing)))
    household, face = shapely.STRtree(faces).query(households.geometry.to_numpy(), "intersects")
    side = np.full(len(households), -1)
    side[household] = face
    assert (side >= 0).all()
    return side


@pytest.mark.parametrize("name", ["ruggell", "planken"])
def test_shuffled_rows_give_every_household_the_same_group(name):
    village, households, waterways = load(name, barriers="waterways")
    shuffled = households.sample(frac=1.0, random_state=3)
    turned = waterways.iloc[::-1]
    one = divide(village, households, barriers=waterways)
    two = divide(village, shuffled, barriers=turned)
    assert two.households.sort_index()["group"].tolist() == one.households["group"].tolist()
    assert two.cells.geometry.geom_equals_exact(one.cells.geometry, tolerance=0).all()


def test_plankens_five_parts_are_covered_and_every_piece_is_explained():
    village, households, _ = load("planken")
    plan = divide(village, households)
    pieces = sum(shapely.get_num_geometries(plan.grids.geometry.to_numpy()) - 1)
    assert len(plan.pieces) == pieces > 0
    assert {piece.why.split(",")[0] for piece in plan.pieces} == {
        "land without households in another part of the village"
    }


@pytest.mark.parametrize("name", ["ruggell", "kathmandu_splitter"])
def test_the_distance_ratio_is_the_one_against_scikit_learn(name):
    village, households, _ = load(name)
    card = divide(village, households).scorecard
    xy = shapely.get_coordinates(households.geometry.to_numpy())
    means = KMeans(card.grids, n_init=10, random_state=0).fit(xy)
    free_m = np.hypot(*(xy - means.cluster_centers_[means.labels_]).T).mean()
    assert card.distance_ratio == pytest.approx(card.distance_m / free_m, rel=0.02)
