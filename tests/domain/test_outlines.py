import geopandas as gpd
import pytest
import shapely

from mapgrid.outlines import bordering_pairs, inner_borders, neighbours_of, surroundings

# Three squares of 100 m in a row, and one that touches the last at a corner only:
#              | d |
#  | a | b | c |
DRAWN = gpd.GeoDataFrame(
    {"code": list("abcd")},
    geometry=[shapely.box(x, y, x + 100, y + 100) for x, y in ((0, 0), (100, 0), (200, 0), (300, 100))],
)


def test_two_areas_border_when_they_share_a_line_and_not_a_corner():
    left, right = bordering_pairs(DRAWN.geometry)
    assert list(zip(left, right, strict=True)) == [(0, 1), (1, 2)]
    assert neighbours_of(DRAWN) == {"a": {"b"}, "b": {"a", "c"}, "c": {"b"}, "d": set()}


def test_an_inner_border_is_drawn_once():
    borders = inner_borders(DRAWN.geometry)
    assert borders.length == pytest.approx(200.0)
    assert borders.equals(shapely.multilinestrings([[[100, 0], [100, 100]], [[200, 0], [200, 100]]]))


def test_a_single_area_has_no_inner_border():
    assert inner_borders(DRAWN.geometry.iloc[:1]).is_empty


def test_the_surroundings_are_the_box_without_the_area():
    area = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)])
    around = surroundings(area, reach=5)
    assert around.area == pytest.approx(40 * 20 - 200)
    assert not around.contains(shapely.Point(5, 5))


def test_villages_that_miss_each_other_by_a_step_are_neighbours_within_reach():
    apart = gpd.GeoDataFrame(
        {"code": ["a", "b"]}, geometry=[shapely.box(0, 0, 100, 100), shapely.box(101, 0, 200, 100)]
    )
    assert neighbours_of(apart) == {"a": set(), "b": set()}
    assert neighbours_of(apart, reach=5) == {"a": {"b"}, "b": {"a"}}
