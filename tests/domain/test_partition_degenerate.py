"""Input at the edge of what a village can be: a lawful plan, or a refusal that says why; never a crash."""

import numpy as np
import pytest
import shapely
from drawn_land import assert_lawful, barriers, households, lattice, plots, village
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Polygon, box

from mapgrid.errors import InputRefusedError
from mapgrid.partition import divide
from mapgrid.village import MAX_WEIGHT, Limits


def divided(land, rows, **options):
    """Divide, check that the plan is lawful, and return it."""
    plan = divide(land, rows, effort="quick", **options)
    assert_lawful(plan, land)
    return plan


@pytest.mark.parametrize("count", [1, 2, 3, 60, 150])
@pytest.mark.parametrize("slope", [0.0, 0.37])
def test_houses_in_one_straight_line(count, slope):
    x = np.linspace(3.0, 997.0, count)
    plan = divided(village(box(0, 0, 1000, 400)), households(np.stack([x, 5.0 + slope * x], axis=1)))
    assert plan.scorecard.households == count


@pytest.mark.parametrize("weight", [1, 60, 101, MAX_WEIGHT])
def test_all_households_at_one_point(weight):
    plan = divided(village(plots(10, 10)), households([(90.0, 70.0)] * 5, weight))
    assert plan.grids["weight"].tolist() == [5 * weight]


@pytest.mark.parametrize("weight", [51, 60, 99, 101, 200, MAX_WEIGHT])
def test_points_so_heavy_that_no_two_fit_into_one_grid(weight):
    plan = divided(village(plots(6, 5)), households(lattice(6, 5), weight))
    assert len(plan.grids) == 30
    assert (plan.grids["reason"].notna() == (weight > 100)).all()


@pytest.mark.parametrize(("weight", "grids"), [(45, 15), (34, 15), (26, 10)])
def test_points_of_which_only_one_number_fits_into_each_grid(weight, grids):
    plan = divided(village(plots(6, 5)), households(lattice(6, 5), weight))
    assert plan.reasons == ()
    assert len(plan.grids) == grids


def test_heavy_and_light_points_that_no_division_into_grids_fits():
    weight = np.tile([70, 45], 50)
    plan = divided(village(plots(10, 10)), households(lattice(10, 10), weight))
    assert plan.reasons
    assert plan.scorecard.households == weight.sum()


@pytest.mark.parametrize("origin", [(0, 0), (166_021, 9_329_005), (-9_999_000, 9_999_000), (19_000_000, -30_000_000)])
def test_a_village_far_from_the_origin_of_its_coordinate_system(origin):
    west, south = origin
    points = lattice(12, 10, west=west, south=south)
    near = divided(village(plots(12, 10)), households(lattice(12, 10)))
    far = divided(village(plots(12, 10, west=west, south=south)), households(points))
    assert sorted(far.grids["weight"]) == sorted(near.grids["weight"])


def test_every_house_stands_on_the_outline():
    land = village(plots(10, 10))
    around = shapely.line_interpolate_point(land.geometry.iloc[0].exterior, np.arange(0.0, 800.0, 8.0))
    divided(land, households(shapely.get_coordinates(around)))


def test_every_house_stands_on_a_barrier():
    river = [(-50.0, 101.0), (90.0, 95.0), (250.0, 104.0)]
    on_it = shapely.line_interpolate_point(LineString(river), np.linspace(55, 240, 90))
    divided(village(plots(10, 10)), households(shapely.get_coordinates(on_it)), barriers=barriers(river))


def test_barriers_that_cross_touch_repeat_and_run_along_the_outline():
    lines = [
        [(0, 0), (200, 200)],
        [(200, 0), (0, 200)],
        [(0, 0), (200, 200)],
        [(0, 0), (200, 0)],
        [(100, 100), (100, 100.0001)],
        [(60, 0), (60, 200)],
    ]
    divided(village(plots(10, 10)), households(lattice(10, 10)), barriers=barriers(*lines))


def test_barriers_that_shut_every_house_in_alone():
    lines = [[(at, -10), (at, 210)] for at in range(0, 201, 20)] + [[(-10, at), (210, at)] for at in range(0, 201, 20)]
    plan = divided(village(plots(10, 10)), households(lattice(10, 10)), barriers=barriers(*lines))
    assert len(plan.grids) == len(plan.reasons) == 100


def test_a_barrier_area_that_covers_the_whole_village():
    divided(village(plots(10, 10)), households(lattice(10, 10)), barriers=barriers(box(-100, -100, 400, 400)))


def test_a_village_of_many_parts_most_of_them_empty():
    parts = [plots(10, 10), *(box(400 + 30 * number, 0, 420 + 30 * number, 20) for number in range(40))]
    plan = divided(village(*parts), households(lattice(10, 10)))
    assert len(plan.pieces) == 40


def test_a_village_full_of_holes():
    holes = shapely.union_all(
        [box(20 * at + 6, 20 * row + 1, 20 * at + 9, 20 * row + 19) for at in range(12) for row in range(9)]
    )
    divided(village(plots(12, 10).difference(holes)), households(lattice(12, 10)))


def test_parts_that_touch_in_one_point():
    land = shapely.MultiPolygon([box(0, 0, 100, 100), box(100, 100, 200, 200)])
    points = np.concatenate([lattice(8, 8, step=12), lattice(8, 8, step=12, west=101, south=101)])
    divided(village(land), households(points))


def test_a_strip_of_ten_centimetres():
    x = np.linspace(1.0, 4999.0, 130)
    divided(village(box(0, 0, 5000, 0.1)), households(np.stack([x, np.full(130, 0.05)], axis=1)))


def test_a_spike_and_a_crack_thinner_than_a_hair():
    spike = [(0, 0), (200, 0), (200, 100), (900, 100.00001), (200, 100.00002), (200, 200), (100, 200)]
    crack = [(100.00001, 60), (100, 60), (99.99999, 200), (0, 200)]
    divided(village(Polygon([*spike, *crack])), households(lattice(10, 10)))


def test_an_outline_of_ten_thousand_corners():
    turns = np.linspace(0, 2 * np.pi, 10_000, endpoint=False)
    reach = 400 + 15 * np.sin(37 * turns) + 0.5 * np.sin(1999 * turns)
    land = village(Polygon(np.stack([reach * np.cos(turns), reach * np.sin(turns)], axis=1)))
    plan = divided(land, households(lattice(20, 20, west=-200, south=-200)))
    assert plan.scorecard.in_range_pct == 100


def test_houses_a_hair_apart():
    points = [(50.0 + 0.0011 * number, 80.0) for number in range(120)]
    divided(village(plots(10, 10)), households(points))


@pytest.mark.parametrize(
    "limits", [Limits(min=1, max=1, target=1), Limits(min=1, max=10_000, target=5_000), Limits(min=7, max=7, target=7)]
)
def test_limits_at_their_ends(limits):
    divided(village(plots(10, 7)), households(lattice(10, 7)), limits=limits)


# To the millimetre: rows nearer than that are one point.
_COORDINATE = st.one_of(
    st.integers(0, 8).map(lambda step: 50.0 * step), st.integers(0, 400_000).map(lambda mm: mm / 1000)
)
_POINT = st.tuples(_COORDINATE, _COORDINATE)
_RING = st.lists(_POINT, min_size=3, max_size=9)


@given(
    outline=st.one_of(st.just([(0, 0), (400, 0), (400, 400), (0, 400)]), _RING),
    holes=st.lists(st.tuples(_POINT, st.floats(0.1, 120)), max_size=3),
    points=st.lists(_POINT, min_size=1, max_size=90),
    weight=st.sampled_from([1, 1, 3, 49, 100, 101, MAX_WEIGHT, 0]),
    lines=st.lists(st.lists(_POINT, min_size=2, max_size=4), max_size=4),
    target=st.integers(2, 60),
)
@settings(max_examples=250, deadline=None, derandomize=True, database=None)
def test_whatever_is_drawn_is_divided_or_refused(outline, holes, points, weight, lines, target):
    land = Polygon(outline)
    for (x, y), size in holes:
        if land.is_valid:
            land = land.difference(box(x, y, x + size, y + size))
    limits = Limits(min=max(1, target // 2), max=2 * target, target=target)
    drawn = barriers(*lines) if lines else None
    try:
        plan = divide(village(land), households(points, weight), barriers=drawn, limits=limits, effort="quick")
    except InputRefusedError:
        return
    assert_lawful(plan, village(land), limits)
