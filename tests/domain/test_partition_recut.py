"""Land cut anew along new borders: small villages by hand, then villages drawn by chance."""

import numpy as np
import pytest
import shapely
from drawn_land import lattice, plots
from generated_land import generate
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Polygon, box

from mapgrid.coverage import measure
from mapgrid.partition.cells.land import Touch, components, cut_land, touching_pairs
from mapgrid.partition.cells.outlines import cell_polygons, merge
from mapgrid.partition.cells.recut import recut
from mapgrid.partition.points import distinct_points

NO_LINES = np.empty(0, dtype=object)


def lines(*shapes):
    return np.array([LineString(shape) for shape in shapes], dtype=object)


def cells_of(land):
    return cell_polygons(land.faces, land.cell_of_face, len(land.area_m2))


def assert_consistent(land, xy, village):
    """Check that the cells tile the village, hold their households, and are what the land says of them."""
    cells = cells_of(land)
    tiling = measure(cells, village)
    assert max(tiling.gap_m2, tiling.overlap_m2, tiling.outside_m2) <= 1e-9 * village.area
    assert tiling.is_matched
    assert shapely.is_valid(cells).all()
    assert shapely.intersects(cells, shapely.points(xy)).all()
    assert (land.cell_of_face[land.home_face] == np.arange(len(xy))).all()
    np.testing.assert_allclose(land.area_m2, shapely.area(cells), rtol=1e-9)
    np.testing.assert_allclose(land.outline_m, shapely.length(cells), rtol=1e-9)
    one, other = cells[land.pairs[:, 0]], cells[land.pairs[:, 1]]
    np.testing.assert_allclose(land.border_m, shapely.length(shapely.intersection(one, other)), rtol=1e-6, atol=1e-6)


def two_rows():
    """Two rows of three plots of 20 m, the border between them straight at y = 20."""
    xy = lattice(3, 2)
    return cut_land(plots(3, 2), xy, NO_LINES)[0], xy


def test_a_line_between_two_grids_becomes_their_border():
    land, xy = two_rows()
    label = np.array([0, 0, 0, 1, 1, 1])
    slanted = recut(land, xy, label, lines([(0, 17), (60, 23)]))
    south, north = merge(cells_of(slanted), label, 2)
    assert south.equals(Polygon([(0, 0), (60, 0), (60, 23), (0, 17)]))
    assert north.equals(Polygon([(0, 17), (60, 23), (60, 40), (0, 40)]))
    assert_consistent(slanted, xy, plots(3, 2))


def test_a_line_that_ends_where_it_begins_to_a_hair_changes_nothing():
    land, xy = two_rows()
    label = np.array([0, 0, 0, 1, 1, 1])
    same = recut(land, xy, label, lines([(20 - 4e-6, 20), (20 + 4e-6, 20)]))
    south, north = merge(cells_of(same), label, 2)
    assert south.equals(box(0, 0, 60, 20))
    assert north.equals(box(0, 20, 60, 40))
    assert_consistent(same, xy, plots(3, 2))


def test_a_line_through_one_grid_divides_it_and_leaves_the_other_as_it_was():
    land, xy = two_rows()
    # The line leaves the south-west household below and the other two above; the north row is another grid.
    label = np.array([0, 2, 2, 1, 1, 1])
    cut = recut(land, xy, label, lines([(15, -5), (25, 25)]), within=np.array([0, 1, 2]))
    first, north, second = merge(cells_of(cut), label, 3)
    assert north.equals(box(0, 20, 60, 40))
    assert first.area == pytest.approx(20 * 20)
    assert first.intersection(second).length == pytest.approx(np.hypot(20, 20 / 3))
    assert_consistent(cut, xy, plots(3, 2))


def test_cells_that_the_line_does_not_touch_keep_their_outline_to_the_last_bit():
    xy = lattice(9, 9)
    xy = xy + np.random.default_rng(4).uniform(-4, 4, xy.shape)
    land, _ = cut_land(plots(9, 9), xy, NO_LINES)
    label = (xy[:, 1] > 90).astype(np.int64)
    cut = recut(land, xy, label, lines([(-10, 90), (190, 90)]))
    far = np.abs(xy[:, 1] - 90) > 45
    before, after = shapely.normalize(cells_of(land)[far]), shapely.normalize(cells_of(cut)[far])
    assert far.sum() > 20
    assert shapely.equals_exact(before, after, tolerance=0).all()


def test_a_line_that_separates_nothing_changes_no_cell():
    land, xy = two_rows()
    label = np.zeros(6, dtype=np.int64)
    same = recut(land, xy, label, lines([(5, 3), (33, 31)], [(-30, -30), (-20, -20)]))
    assert shapely.equals(cells_of(same), cells_of(land)).all()
    assert_consistent(same, xy, plots(3, 2))


def test_a_line_that_leaves_two_labels_together_keeps_their_borders():
    land, xy = two_rows()
    label = np.array([0, 0, 0, 1, 1, 1])
    half = recut(land, xy, label, lines([(0, 17), (30, 17)]))
    south, _ = merge(cells_of(half), label, 2)
    assert south.equals(box(0, 0, 60, 20))


def test_a_line_that_goes_through_nodes_and_along_edges_gives_one_node_for_each():
    land, xy = two_rows()
    label = np.array([0, 0, 1, 0, 1, 1])
    # Along the border of the plots, a corner cut between two of them.
    cut = recut(land, xy, label, lines([(40, -5), (40, 20), (20, 20), (20, 45)]))
    assert len(cut.faces.nodes) == len(land.faces.nodes)
    assert shapely.equals(cells_of(cut), cells_of(land)).all()


def test_a_piece_on_the_wrong_side_goes_to_its_own_grid_also_when_its_cell_is_cut_in_two():
    land, xy = two_rows()
    label = np.array([0, 0, 0, 1, 1, 1])
    # A spike of the south grid reaches up beside the middle household of the north row, past its cell's top third.
    spike = lines([(0, 20), (22, 20), (24, 38), (26, 20), (60, 20)])
    cut = recut(land, xy, label, spike)
    south, north = merge(cells_of(cut), label, 2)
    assert south.area == pytest.approx(60 * 20 + 4 * 18 / 2)
    assert north.is_valid
    assert_consistent(cut, xy, plots(3, 2))


def test_a_wall_stays_a_wall_and_land_cut_anew_beside_it_touches_only_through_the_wall():
    xy = lattice(4, 2)
    walls = lines([(-5, 20), (85, 20)])
    land, _ = cut_land(plots(4, 2), xy, walls)
    label = np.array([0, 0, 1, 1, 2, 2, 2, 2])
    cut = recut(land, xy, label, lines([(33, -5), (47, 20)]))
    assert_consistent(cut, xy, plots(4, 2))
    across = cut.touch[(cut.pairs[:, 0] < 4) & (cut.pairs[:, 1] >= 4)]
    assert (across == Touch.WALL).all()
    assert cut.faces.edge_length()[cut.faces.is_wall].sum() == pytest.approx(80)


@given(st.integers(0, 2**31), st.booleans())
@settings(deadline=None, max_examples=25, derandomize=True)
def test_any_line_through_a_village_gives_a_true_land_with_every_household_in_its_cell(seed, with_river):
    drawn = generate(120 + seed % 80, seed % 50)
    village = drawn.village.geometry.iloc[0]
    xy = distinct_points(drawn.households).xy
    land, _ = cut_land(village, xy, drawn.river.geometry.to_numpy() if with_river else NO_LINES)
    rng = np.random.default_rng(seed)
    middle, turn = xy[rng.integers(len(xy))] + rng.uniform(-20, 20, 2), rng.uniform(0, np.pi)
    along, up = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    path = middle + 5000 * np.array([[-1.0], [0.0], [1.0]]) * along + np.array([[0.0], [300.0], [0.0]]) * up
    side = shapely.contains_xy(Polygon([*path, path[2] + 9000 * up, path[0] + 9000 * up]), xy).astype(np.int64)
    cut = recut(land, xy, side, lines(path))
    assert_consistent(cut, xy, village)
    cells = cells_of(cut)
    away = shapely.distance(shapely.Point(*middle), cells)
    assert (shapely.get_num_geometries(cells) <= shapely.get_num_geometries(cells_of(land)))[away < 500].all()
    shore = shapely.LineString(path)
    both = shapely.intersection(*merge(cells, side, 2)) if 0 < side.sum() < len(side) else LineString()
    on_wall = shapely.buffer(shapely.union_all(land.walls.lines()), 1e-3) if with_river else Polygon()
    assert both.difference(shore.buffer(1e-3)).difference(on_wall).length <= 1e-3


@given(st.integers(0, 2**31), st.booleans())
@settings(deadline=None, max_examples=25, derandomize=True)
def test_a_line_through_one_grid_changes_no_other_cell_to_the_last_bit(seed, with_river):
    drawn = generate(120 + seed % 80, seed % 50)
    village = drawn.village.geometry.iloc[0]
    xy = distinct_points(drawn.households).xy
    land, _ = cut_land(village, xy, drawn.river.geometry.to_numpy() if with_river else NO_LINES)
    rng = np.random.default_rng(seed)
    grid = ((xy[:, None] - xy[rng.choice(len(xy), 4, replace=False)]) ** 2).sum(axis=2).argmin(axis=1)
    inside = np.flatnonzero(grid == grid[0])
    area = merge(cells_of(land), grid, 4)[grid[0]]
    ends = np.array(area.bounds).reshape(2, 2) + rng.uniform(-50, 50, (2, 2))
    label = grid.copy()
    way = ends[1] - ends[0]
    offset = xy[inside] - ends[0]
    label[inside[way[0] * offset[:, 1] > way[1] * offset[:, 0]]] = 4
    drawn_line = shapely.get_parts(shapely.intersection(LineString(ends), area.buffer(rng.choice([-1.0, 0.0, 5.0]))))
    cut = recut(land, xy, label, drawn_line[shapely.get_dimensions(drawn_line) == 1], inside)
    assert_consistent(cut, xy, village)
    others = np.flatnonzero(grid != grid[0])
    before, after = (shapely.normalize(cells_of(one)[others]) for one in (land, cut))
    same = shapely.equals_exact(before, after, 0.0)
    # A line that reaches over the border of the grid leaves a node where it crosses that.
    beside = np.isin(others, land.pairs[np.isin(land.pairs, inside).any(axis=1)])
    assert same[~beside].all()
    faces = cut.faces
    inner = faces.edges[:, 3] >= 0
    free = inner & ~faces.is_wall
    region = components(len(cut.cell_of_face), *faces.edges[free, 2:].T)
    pairs, border_m, touch = touching_pairs(cut.cell_of_face, region, cut.home_face, inner, faces, xy, cut.walls)
    assert (pairs == cut.pairs).all()
    assert (touch == cut.touch).all()
    np.testing.assert_allclose(border_m, cut.border_m)
