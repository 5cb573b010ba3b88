"""Straight borders: small villages by hand, then villages drawn by chance."""

import numpy as np
import pytest
import shapely
from drawn_land import lattice, plots
from generated_land import generate
from hypothesis import given, settings
from hypothesis import strategies as st
from real_land import load
from shapely import Point, Polygon, box
from test_partition_recut import NO_LINES, assert_consistent, cells_of, lines

from mapgrid.partition import divide
from mapgrid.partition.cells.land import cut_land
from mapgrid.partition.cells.outlines import merge
from mapgrid.partition.points import distinct_points
from mapgrid.partition.straight.borders import straighten
from mapgrid.partition.straight.laying import lay, pegs_round, stand
from mapgrid.partition.straight.ledger import count_up, open_ledger
from mapgrid.partition.straight.network import border_network


def straightened(village, xy, grid, barriers=NO_LINES):
    """Return the grids before and after their borders are straightened, checked to be a true land."""
    xy, grid = np.asarray(xy, dtype=float), np.asarray(grid)
    land, _ = cut_land(village, xy, barriers)
    straight = straighten(land, xy, grid)
    assert_consistent(straight, xy, village)
    grids = merge(cells_of(straight), grid, grid.max() + 1)
    assert shapely.is_valid(grids).all()
    assert shapely.intersects(grids[grid], shapely.points(xy)).all()
    return merge(cells_of(land), grid, grid.max() + 1), grids


def border(grids, one=0, other=1):
    """Return the border of two grids as lines without needless nodes."""
    shared = shapely.line_merge(grids[one].intersection(grids[other]))
    return shapely.simplify(shared, 1e-4)


def two_rows_facing(depth):
    """Two rows of houses along a street from west to east, every second one `depth` metres further from it."""
    x = np.arange(10.0, 200.0, 20.0)
    south = np.stack([x, np.where(np.arange(10) % 2 == 0, 30.0, 30.0 - depth)], axis=1)
    north = np.stack([x, np.where(np.arange(10) % 2 == 0, 70.0 + depth, 70.0)], axis=1)
    return np.concatenate([south, north]), [0] * 10 + [1] * 10


def test_a_zig_zag_between_two_rows_becomes_one_straight_stroke():
    xy, grid = two_rows_facing(16)
    before, after = straightened(box(0, 0, 200, 100), xy, grid)
    assert border(before).length > 205
    assert len(border(before).coords) > 10
    assert border(after).length == pytest.approx(200, abs=0.5)
    assert len(border(after).coords) == 2


def test_a_house_in_the_way_bends_the_string_and_keeps_its_distance():
    xy, grid = two_rows_facing(0)
    xy = np.concatenate([xy, [(100.0, 60.0)]])
    _, after = straightened(box(0, 0, 200, 100), xy, [*grid, 0])
    line = border(after)
    assert 3.3 < line.distance(Point(100, 60)) < 5
    assert 200 < line.length < 202.5
    assert 2 <= len(line.coords) <= 4


def test_three_borders_from_three_notches_meet_at_the_point_of_fermat():
    # Notches point at a triangle around (30, -20); each border starts at the tip of its notch.
    turns = np.radians([90, 210, 330])
    unit = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    tips = (30.0, -20.0) + 100 * unit
    aside = np.stack([-unit[:, 1], unit[:, 0]], axis=1)
    notches = [
        Polygon([tip, tip + 900 * out + 90 * by, tip + 900 * out - 90 * by])
        for tip, out, by in zip(tips, unit, aside, strict=True)
    ]
    land = Point(30, -20).buffer(400).difference(shapely.union_all(notches))
    xy = (30.0, -20.0) - np.array([[140.0], [210.0], [260.0]]) * unit
    _, after = straightened(land, xy, [0, 1, 2])
    fork = shapely.get_coordinates(shapely.intersection_all(after))
    assert fork == pytest.approx(np.array([[30.0, -20.0]]), abs=5.0)
    assert sum(border(after, *pair).length for pair in ((0, 1), (1, 2), (0, 2))) == pytest.approx(300, abs=0.3)


def test_a_slanted_border_turns_to_meet_the_outline_at_right_angles():
    xy = [(80.0, 40.0), (120.0, 60.0)]
    before, after = straightened(box(0, 0, 200, 100), xy, [0, 1])
    assert border(before).length > 110
    assert border(after).length == pytest.approx(100, abs=0.5)


def test_a_border_along_a_river_stays_on_the_river():
    river = lines([(-5, 52), (60, 47), (140, 55), (205, 49)])
    xy, grid = two_rows_facing(10)
    before, after = straightened(box(0, 0, 200, 100), xy, grid, river)
    assert shapely.equals(before, after).all()
    assert border(after).difference(river[0].buffer(1e-3)).length == 0


def test_an_enclave_stays_an_enclave_with_all_its_households():
    xy = lattice(9, 9)
    inside = (np.abs(xy - 90) < 35).all(axis=1)
    before, after = straightened(plots(9, 9), xy, inside.astype(int))
    assert len(after[0].interiors) == 1
    assert after[1].area == pytest.approx(-Polygon(after[0].interiors[0]).area + 2 * after[1].area)
    assert after[1].length < before[1].length


def test_no_border_leaves_the_land_at_a_notch_or_a_hole():
    land = plots(12, 6).difference(box(100, 40, 140, 120)).difference(box(40, 40, 60, 60))
    xy = np.array([point for point in lattice(12, 6) if land.buffer(-1).covers(Point(point))])
    grid = ((xy[:, 1] > 60) & (xy[:, 0] < 120)).astype(int) + 2 * (xy[:, 0] > 120)
    _, after = straightened(land, xy, grid)
    assert shapely.union_all(after).symmetric_difference(land).area < 1e-6


def test_a_grid_between_two_borders_keeps_its_way_to_the_outline():
    xy = [(20.0, 50.0), (100.0, 20.0), (180.0, 50.0)]
    _, after = straightened(box(0, 0, 200, 100), xy, [0, 1, 2])
    outline = box(0, 0, 200, 100).exterior
    assert after[1].intersection(outline).length > 5


def test_a_household_on_the_outline_and_one_on_the_border_stay_in_their_grids():
    xy, grid = two_rows_facing(16)
    xy = np.concatenate([xy, [(0.0, 52.0), (200.0, 44.0), (95.0, 49.0)]])
    straightened(box(0, 0, 200, 100), xy, [*grid, 0, 1, 1])


@given(st.integers(0, 2**31), st.booleans())
@settings(deadline=None, max_examples=25, derandomize=True)
def test_borders_grow_shorter_and_no_household_changes_its_grid(seed, with_river):
    drawn = generate(150 + seed % 100, seed % 60)
    barriers = drawn.river.geometry.to_numpy() if with_river else NO_LINES
    xy = distinct_points(drawn.households).xy
    rng = np.random.default_rng(seed)
    centres = xy[rng.choice(len(xy), 5, replace=False)]
    grid = ((xy[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    before, after = straightened(drawn.village.geometry.iloc[0], xy, grid, barriers)
    assert shapely.length(after).sum() <= shapely.length(before).sum()
    assert (shapely.get_num_geometries(after) == shapely.get_num_geometries(before)).all()


def inner_border(land, grid):
    """Return all borders between grids as one geometry."""
    inner = land.faces.edges[land.faces.edges[:, 3] >= 0]
    first, second = land.cell_of_face[inner[:, 2:]].T
    return shapely.union_all(shapely.linestrings(land.faces.nodes[inner[grid[first] != grid[second], :2]]))


@pytest.mark.parametrize("name", ["ruggell", "kathmandu_splitter", "stonetown2"])
def test_the_straight_borders_of_a_real_village_keep_their_distance_from_houses(name):
    village, households, _ = load(name)
    made = divide(village, households).division
    points = shapely.points(made.points.xy)
    before = shapely.distance(
        points, inner_border(cut_land(village.geometry.iloc[0], made.points.xy, NO_LINES)[0], made.grid)
    )
    after = shapely.distance(points, inner_border(made.land, made.grid))
    # Nine tenths of the distance, eight tenths of that where it saves a bend, the edge of an octagon round the house.
    least = 0.9 * 0.8 * np.cos(np.pi / 8)
    assert (after > least * np.minimum(5.0 / 0.9, before) - 1e-6).all()


def test_straightening_twice_changes_little():
    drawn = generate(300, 1)
    plan = divide(drawn.village, drawn.households)
    made = plan.division
    again = straighten(made.land, made.points.xy, made.grid)
    twice = merge(cells_of(again), made.grid, len(plan.grids))
    assert shapely.length(twice).sum() == pytest.approx(plan.grids.length.sum(), rel=0.01)


def compactness(land, grid):
    shapes = merge(cells_of(land), grid, int(grid.max()) + 1)
    return float((4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2).mean())


@pytest.mark.parametrize("name", ["coulibistrie", "dos_d_ane", "planken", "schellenberg"])
def test_few_grids_with_much_outline_are_rounder_after_their_borders_are_pulled_tight(name):
    village, households, _ = load(name)
    points = distinct_points(households)
    grid = divide(village, households[["weight", "geometry"]]).division.grid
    land, _ = cut_land(village.geometry.iloc[0], points.xy, NO_LINES)
    assert compactness(straighten(land, points.xy, grid), grid) > compactness(land, grid) + 0.01


def test_a_border_does_not_end_where_it_is_shortest_but_where_both_grids_are_round():
    # A hall of 200 by 100 m with a wedge cut off its end: the shortest border is at the narrow side.
    xy = [(40.0, 30.0), (40.0, 70.0), (160.0, 30.0), (160.0, 60.0)]
    village = Polygon([(0, 0), (200, 0), (200, 80), (100, 100), (0, 100)])
    before, after = straightened(village, xy, [0, 0, 1, 1])
    rounder = 4 * np.pi * shapely.area(after) / shapely.length(after) ** 2
    assert rounder.sum() > (4 * np.pi * shapely.area(before) / shapely.length(before) ** 2).sum() + 0.005


def test_the_ledger_knows_what_each_grid_measures():
    drawn = generate(200)
    points = distinct_points(drawn.households)
    land, _ = cut_land(drawn.village.geometry.iloc[0], points.xy, drawn.river.geometry.to_numpy())
    grid = (points.xy[:, 0] > np.median(points.xy[:, 0])) + 2 * (points.xy[:, 1] > np.median(points.xy[:, 1]))
    network = border_network(land, grid)
    strings, joints, shore = lay(network, land.faces.nodes, points.xy)
    ledger = open_ledger(land, grid, network)
    pegs = pegs_round(points.xy, np.ones(len(points)), land.faces.nodes[network.is_shore])
    count_up(stand(strings, joints, ledger, shore, pegs))
    shapes = merge(cells_of(land), grid, 4)
    np.testing.assert_allclose(ledger.area_m2, shapely.area(shapes), rtol=1e-9)
    np.testing.assert_allclose(ledger.outline_m, shapely.length(shapes), rtol=1e-9)
