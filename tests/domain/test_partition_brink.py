"""Households on the outline or a hair beside it, and outlines with features thinner than that."""

import numpy as np
import pytest
import shapely
from drawn_land import assert_lawful, barriers, households, lattice, plots, village
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from mapgrid.coverage import measure
from mapgrid.partition import divide
from mapgrid.partition.cells.brink import reach_out

NEEDLE_M2 = 3e-5
"""Most land outside that one household outside brings with it."""


def divided_to_a_hair(shape, xy, **options):
    """Divide, check that the plan is lawful and tiles the village but for needles to households outside."""
    plan = divide(village(shape), households(xy), effort="quick", **options)
    assert_lawful(plan, village(shape))
    rounding_m2 = 1e-9 * shape.area + 1e-7 * shape.length
    outside = int((shapely.distance(shape, shapely.points(xy)) > 0).sum())
    for pieces in (plan.grids, plan.cells):
        tiling = measure(pieces.geometry.to_numpy(), shape)
        assert max(tiling.gap_m2, tiling.overlap_m2) <= rounding_m2
        assert tiling.outside_m2 <= rounding_m2 + NEEDLE_M2 * outside
    return plan


def with_houses(*beside):
    """Return the middles of 10 by 10 plots of 20 m, and some more points."""
    return np.concatenate([lattice(10, 10), np.reshape(beside, (-1, 2))])


@pytest.mark.parametrize("off", [1e-7, 1e-5, 1e-3, 0.005, 0.0199])
def test_houses_inside_and_outside_of_the_outline_that_are_a_hair_apart(off):
    divided_to_a_hair(plots(10, 10), with_houses((90, -off), (90.002, off), (90.004, -off), (90.004, -off / 2)))


@pytest.mark.parametrize("off", [1e-5, 1e-3, 0.0139])
def test_houses_round_a_corner_of_the_outline(off):
    turns = np.arange(8) * np.pi / 4
    round_it = np.array([200.0, 200.0]) + off * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    apart = round_it if off > 1e-3 else round_it[1:2]  # rows within a millimetre are one point
    divided_to_a_hair(plots(10, 10), with_houses(*apart))


@pytest.mark.parametrize("width", [1e-5, 1e-3, 0.019])
def test_houses_at_the_mouth_and_on_both_sides_of_a_notch_narrower_than_two_centimetres(width):
    shape = plots(10, 10).difference(box(90, 50, 90 + width, 200))
    beside = [(90 - 0.003, 199.999), (90 + width + 0.003, 199.99), (90 + width / 2, 200), (90, 120), (90 + width, 121)]
    divided_to_a_hair(shape, with_houses(*beside))


@pytest.mark.parametrize("width", [0.002, 0.019])
def test_houses_in_a_strip_narrower_than_two_centimetres(width):
    shape = shapely.union_all([plots(10, 10), box(200, 90, 400, 90 + width)])
    in_it = [(200 + 20 * k, 90 + width * (k % 3) / 2) for k in range(1, 11)]
    divided_to_a_hair(shape, with_houses(*in_it))


def test_land_grows_to_a_house_outside_and_loses_none():
    land, segments = reach_out(plots(10, 10), np.array([(90.0, -0.02), (50.0, 0.01)]))
    assert plots(10, 10).difference(land).area == 0
    assert 0 < land.area - 40_000 < NEEDLE_M2
    assert (90.0, -0.02) in {tuple(node) for node in segments.reshape(-1, 2)}
    assert (50.0, 0.0) in {tuple(node) for node in segments.reshape(-1, 2)}


def test_an_outline_without_houses_near_it_stays_as_it_is():
    land, segments = reach_out(plots(10, 10), lattice(10, 10))
    assert land.equals_exact(plots(10, 10))
    assert len(segments) == 4


def test_houses_two_millimetres_apart_in_a_village_of_five_kilometres():
    x = 5000.0 + 0.002 * np.arange(5)
    xy = np.concatenate([np.stack([x, 0.001 * (np.arange(5) % 2)], axis=1), lattice(20, 5, 250)])
    divided_to_a_hair(box(0, 0, 5000.02, 1250), xy)


def test_a_house_on_the_outline_half_a_step_between_two_nodes_of_the_grid_is_a_node_of_it():
    # 1e-7 m is the grid: at this northing the next number may be just between two of its lines.
    south = 4_000_000.0
    halves = [south + k / 2**29 for k in range(1, 400) if (south + k / 2**29) * 1e7 % 1 == 0.5]
    assert len(halves) > 1
    for half in halves[:6]:
        shape = box(0, half, 200, half + 200)
        divided_to_a_hair(shape, np.concatenate([lattice(10, 10, south=half), [(90.0, half), (0.0, half)]]))


_NEAR = st.tuples(
    st.floats(0, 800),
    st.sampled_from([0.0, 0.002, 0.004, 0.011]),
    st.sampled_from([-0.019, -0.004, -1e-3, -1e-5, 0.0, 1e-6, 1e-4, 0.002, 0.009]),
)


@given(
    near=st.lists(_NEAR, min_size=1, max_size=9),
    cracks=st.lists(st.tuples(st.floats(5, 195), st.floats(1e-5, 0.03), st.booleans()), max_size=3),
    lines=st.lists(st.tuples(st.floats(0, 800), st.floats(0, 800)), max_size=2),
)
@settings(max_examples=120, deadline=None, derandomize=True, database=None)
def test_whatever_stands_within_two_centimetres_of_the_outline_is_divided_to_a_hair(near, cracks, lines):
    shape = plots(10, 10)
    for at, width, is_strip in cracks:
        shape = (
            shape.union(box(at, 199, at + width, 240)) if is_strip else shape.difference(box(at, 90, at + width, 200))
        )
    beside = []
    for along, further, off in near:
        here, there = (
            np.array(shape.boundary.interpolate(along + step).coords[0]) for step in (further, further + 0.01)
        )
        way = (there - here) / max(np.hypot(*(there - here)), 1e-9)
        beside.append(np.round(here + off * np.array([way[1], -way[0]]), 6))
    xy = with_houses(*beside)
    xy = xy[shapely.distance(shape, shapely.points(xy)) <= 0.02]
    away = np.hypot(*(xy[:, None] - xy[None]).T) + 9 * np.tri(len(xy))
    xy = xy[(away > 0.0015).all(axis=0)]
    rivers = [
        [shape.boundary.interpolate(end).coords[0] for end in ends] for ends in lines if abs(ends[0] - ends[1]) > 1
    ]
    divided_to_a_hair(shape, xy, barriers=barriers(*rivers) if rivers else None)
