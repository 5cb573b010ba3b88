"""Borders along preferred lines: small villages by hand, then villages drawn by chance."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawn_land import CRS, assert_lawful, barriers, households, lattice, plots, village
from generated_land import generate
from hypothesis import given, settings
from hypothesis import strategies as st
from real_land import load
from shapely import LineString, Point, box
from test_partition_borders import border, two_rows_facing
from test_partition_recut import NO_LINES, assert_consistent, cells_of, lines

from mapgrid.errors import NotMetricError
from mapgrid.partition import divide
from mapgrid.partition.cells.land import cut_land
from mapgrid.partition.cells.outlines import merge
from mapgrid.partition.straight import prefer
from mapgrid.partition.straight.borders import straighten
from mapgrid.partition.straight.prefer import preferred_lines, share_along
from mapgrid.village import Limits


def led(land, xy, grid, *preferred):
    """Return the grids with borders led along preferred lines, and the share of border along them."""
    xy, grid = np.asarray(xy, dtype=float), np.asarray(grid)
    given = preferred_lines(lines(*preferred))
    cells, _ = cut_land(land, xy, NO_LINES)
    straight = straighten(cells, xy, grid, None, given)
    assert_consistent(straight, xy, land)
    grids = merge(cells_of(straight), grid, grid.max() + 1)
    assert shapely.intersects(grids[grid], shapely.points(xy)).all()
    return grids, share_along(straight, grid, given)


def test_a_road_between_two_rows_of_houses_attracts_their_border():
    xy, grid = two_rows_facing(0)
    road = [(-10, 44), (60, 44), (110, 56), (210, 56)]
    grids, share = led(box(0, 0, 200, 100), xy, grid, road)
    assert share > 95
    assert border(grids).difference(LineString(road).buffer(0.01)).length < 10


def test_a_road_in_two_pieces_is_followed_across_their_joint():
    xy, grid = two_rows_facing(0)
    _, share = led(box(0, 0, 200, 100), xy, grid, [(-10, 44), (100, 46)], [(100, 46), (210, 44)])
    assert share > 95


def test_a_road_that_winds_more_than_a_quarter_is_not_followed():
    xy, grid = two_rows_facing(0)
    winding = [(x, 36.0 if k % 2 else 64.0) for k, x in enumerate(np.arange(-10.0, 215.0, 10.0))]
    grids, _ = led(box(0, 0, 200, 100), xy, grid, winding)
    assert border(grids).length < 215


def test_a_road_behind_the_houses_is_not_followed_and_no_household_changes_its_grid():
    xy, grid = two_rows_facing(0)
    grids, share = led(box(0, 0, 200, 100), xy, grid, [(-10, 20), (210, 20)])
    assert share == 0
    assert border(grids).length == pytest.approx(200, abs=0.5)


def test_a_house_that_stands_on_the_road_is_not_cut_off():
    xy, grid = two_rows_facing(0)
    xy = np.concatenate([xy, [(100.0, 44.2)]])
    grids, _ = led(box(0, 0, 200, 100), xy, [*grid, 1], [(-10, 44), (210, 44)])
    assert grids[1].boundary.distance(Point(100, 44.2)) > 0.4


def test_the_rings_of_preferred_areas_are_preferred_lines():
    both = preferred_lines(
        np.array([box(0, 0, 10, 10), LineString([(20, 0), (30, 0)]), None, Point(1, 1)], dtype=object)
    )
    assert shapely.length(both.lines).sum() == pytest.approx(50)
    assert preferred_lines(np.array([Point(1, 1)], dtype=object)) is None


def test_the_share_along_preferred_lines_is_counted_by_hand():
    xy, grid = two_rows_facing(0)
    cells, _ = cut_land(box(0, 0, 200, 100), xy, NO_LINES)
    # The border is y = 50 from 0 to 200; the line runs 4 m beside it from 40 to 140, and reaches 3 m further.
    assert share_along(cells, np.array(grid), preferred_lines(lines([(40, 54), (140, 54)]))) == pytest.approx(53, abs=1)


def test_a_division_follows_the_road_that_it_may_and_says_how_much():
    land = village(plots(20, 10))
    rows = households(lattice(20, 10) + np.random.default_rng(2).uniform(-3, 3, (200, 2)))
    road = barriers([(212, -10), (212, 210)])
    plan = divide(land, rows, prefer=road, limits=Limits(min=80, max=120, target=100))
    assert_lawful(plan, land)
    without = divide(land, rows, limits=Limits(min=80, max=120, target=100))
    assert without.scorecard.preferred_border_pct is None
    assert plan.scorecard.preferred_border_pct > 80


def test_preferred_lines_in_degrees_are_refused():
    land = village(plots(10, 10))
    road = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (1, 1)])], crs=4326)
    with pytest.raises(NotMetricError):
        divide(land, households(lattice(10, 10)), prefer=road)


def test_the_order_of_preferred_lines_changes_nothing():
    drawn = generate(200, 3)
    rows = drawn.households.drop(columns="unit")
    one = divide(drawn.village, rows, prefer=drawn.roads)
    two = divide(drawn.village, rows, prefer=drawn.roads.iloc[::-1])
    assert one.grids.geometry.geom_equals_exact(two.grids.geometry, tolerance=0).all()
    assert drawn.roads.crs == CRS


def test_more_of_the_borders_of_a_real_village_follow_its_roads_and_water():
    boundary, rows, roads = load("ruggell", barriers="roads")
    water = load("ruggell", barriers="waterways")[2]
    prefer = gpd.GeoDataFrame(geometry=[*roads.geometry, *water.geometry], crs=roads.crs)
    plan, without = divide(boundary, rows, prefer=prefer), divide(boundary, rows)
    assert_lawful(plan, boundary)
    made = without.division
    before = share_along(made.land, made.grid, plan.division.preferred)
    assert plan.scorecard.preferred_border_pct > before + 10
    assert plan.scorecard.in_range_pct == 100


@given(st.integers(0, 2**31), st.booleans())
@settings(deadline=None, max_examples=20, derandomize=True)
def test_no_household_changes_its_grid_for_a_preferred_line(seed, with_river):
    drawn = generate(150 + seed % 100, seed % 60)
    xy = shapely.get_coordinates(drawn.households.geometry.to_numpy())
    xy = xy[np.lexsort(xy.T[::-1])]
    rng = np.random.default_rng(seed)
    centres = xy[rng.choice(len(xy), 5, replace=False)]
    grid = ((xy[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    river = drawn.river.geometry.to_numpy() if with_river else NO_LINES
    shape = drawn.village.geometry.iloc[0]
    given_lines = preferred_lines(np.concatenate([drawn.roads.geometry.to_numpy(), drawn.units.geometry.to_numpy()]))
    land, _ = cut_land(shape, xy, river)
    plain, along = straighten(land, xy, grid), straighten(land, xy, grid, None, given_lines)
    assert_consistent(along, xy, shape)
    grids = merge(cells_of(along), grid, grid.max() + 1)
    assert shapely.is_valid(grids).all()
    assert shapely.intersects(grids[grid], shapely.points(xy)).all()
    assert share_along(along, grid, given_lines) >= share_along(plain, grid, given_lines) - 3


def test_a_string_that_meets_a_gate_twice_or_runs_along_it_has_one_place_at_each():
    string = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 20.0)])
    gates = np.array([[(5.0, -5.0), (5.0, 15.0)], [(2.0, 10.0), (8.0, 10.0)], [(50.0, 0.0), (60.0, 0.0)]])
    layers = prefer._layers(string, np.arange(3), gates, {})
    assert [len(places) for places in layers] == [1, 1, 1, 1, 1]
    along = [places[0].along_m for places in layers]
    assert along == sorted(along)
    assert along[1] == 5.0
    assert 22.0 <= along[2] <= 28.0
