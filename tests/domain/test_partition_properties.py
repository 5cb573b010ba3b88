"""What must hold of every plan, tried on villages drawn by chance."""

import numpy as np
import shapely
from drawn_land import CRS, assert_lawful, barriers, households, village
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from mapgrid.partition import divide
from mapgrid.village import Limits

_SEEDS = st.integers(0, 2**31)
_SLOW = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def blob(rng, corners=9, size=1000.0):
    """Return a star-shaped polygon: jagged, with notches, never crossing itself."""
    turns = np.sort(rng.uniform(0, 2 * np.pi, corners)) + 2 * np.pi * np.arange(corners) * 1e-6
    reach = rng.uniform(0.3, 1.0, corners) * size
    return Polygon(np.stack([reach * np.cos(turns), reach * np.sin(turns)], axis=1)).buffer(30.0)


def drawn(seed, *, least=60, most=320):
    """Return a village of one or two parts, perhaps with a hole, its households, and lines through it."""
    rng = np.random.default_rng(seed)
    land = blob(rng)
    if rng.random() < 0.3:
        land = land.difference(box(-40, -40, 40, 40))
    if rng.random() < 0.4:
        land = shapely.union_all([land, box(1500, 0, 1700, 150)])
    west, south, east, north = land.bounds
    scattered = rng.uniform((west, south), (east, north), size=(4000, 2))
    gathered = rng.normal(0.0, 120.0, size=(2000, 2)) + rng.uniform((west, south), (east, north))
    points = np.concatenate([gathered[: rng.integers(0, 400)], scattered])
    inside = points[shapely.contains_xy(land, points)][: rng.integers(least, most)]
    weight = rng.choice([1, 1, 1, 2, 6], size=len(inside))
    ends = rng.uniform((west - 100, south - 100), (east + 100, north + 100), size=(rng.integers(0, 4), 2, 2))
    return village(land), households(inside, weight), barriers(*ends.tolist())


@given(_SEEDS)
@_SLOW
def test_a_plan_covers_the_village_and_every_grid_is_within_the_limits_or_has_a_reason(seed):
    land, rows, _ = drawn(seed)
    plan = divide(land, rows, effort="quick")
    assert_lawful(plan, land)
    assert plan.reasons == ()


@given(_SEEDS)
@_SLOW
def test_no_grid_holds_two_households_that_barriers_keep_apart(seed):
    land, rows, lines = drawn(seed)
    plan = divide(land, rows, barriers=lines, effort="quick")
    assert_lawful(plan, land)
    cut = land.geometry.iloc[0].difference(shapely.union_all(lines.geometry.to_numpy()).buffer(1e-6))
    sides = shapely.get_parts(cut)
    household, side = shapely.STRtree(sides).query(plan.households.geometry.to_numpy(), "intersects")
    in_part = plan.households["grid"].to_numpy()[household]
    several = {grid for grid in set(in_part) if len(set(side[in_part == grid])) > 1}
    assert several <= {piece.grid for piece in plan.pieces}


@given(_SEEDS)
@_SLOW
def test_the_order_of_rows_changes_nothing(seed):
    land, rows, lines = drawn(seed, most=180)
    shuffled = rows.sample(frac=1.0, random_state=seed % 1000)
    one = divide(land, rows, barriers=lines, effort="quick")
    two = divide(land, shuffled, barriers=lines, effort="quick")
    assert two.households.sort_index()["group"].tolist() == one.households["group"].tolist()


@given(_SEEDS, st.integers(20, 60), st.integers(0, 30))
@_SLOW
def test_any_limits_are_kept_or_explained(seed, least, more):
    land, rows, _ = drawn(seed, most=200)
    limits = Limits(min=least, max=2 * least + more, target=least + more // 2)
    plan = divide(land, rows, limits=limits, effort="quick")
    assert_lawful(plan, land, limits)


@given(_SEEDS)
@_SLOW
def test_a_plan_survives_the_way_to_degrees_and_back(seed):
    land, rows, lines = drawn(seed, most=150)
    plan = divide(land, rows, barriers=lines, effort="quick")
    there_and_back = plan.grids.to_crs(4326).to_crs(CRS).geometry
    assert there_and_back.is_valid.all()
    assert shapely.coverage_is_valid(there_and_back.to_numpy())
