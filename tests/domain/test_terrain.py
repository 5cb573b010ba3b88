"""Rivers as barriers, with their bridges."""

import pytest
from geopandas import GeoSeries
from shapely import LineString, MultiLineString

from mapgrid.bridges import cut_bridges
from mapgrid.errors import NotMetricError
from mapgrid.terrain import TerrainKind, kind_of_highway

METRIC = "EPSG:32632"


def _lines(*lines, crs=METRIC, index=None):
    return GeoSeries([LineString(line) for line in lines], crs=crs, index=index)


def test_a_bridge_opens_a_gap_of_the_given_width_in_the_river():
    river = _lines([(0, 0), (1000, 0)], index=["rhine"])
    road = _lines([(400, -50), (400, 50)])
    cut = cut_bridges(river, road, gap_m=20)
    expected = MultiLineString([[(0, 0), (390, 0)], [(410, 0), (1000, 0)]])
    assert list(cut.index) == ["rhine"]
    assert cut.crs == river.crs
    assert cut["rhine"].hausdorff_distance(expected) < 0.001


def test_two_bridges_close_together_open_one_gap():
    cut = cut_bridges(_lines([(0, 0), (1000, 0)]), _lines([(400, -5), (400, 5)], [(410, -5), (410, 5)]), gap_m=20)
    assert cut[0].length == pytest.approx(970, abs=0.001)
    assert len(cut[0].geoms) == 2


def test_a_river_no_road_crosses_stays_as_it_is_and_another_ones_bridge_does_not_open_it():
    rivers = _lines([(0, 0), (1000, 0)], [(0, 100), (1000, 100)])
    cut = cut_bridges(rivers, _lines([(400, -50), (400, 50)]), gap_m=20)
    assert cut[1].equals(rivers[1])
    assert cut[0].length == pytest.approx(980, abs=0.001)


def test_a_road_along_a_canal_opens_only_where_it_joins_and_leaves():
    towpath = _lines([(300, -50), (300, 0), (700, 0), (700, 50)])
    cut = cut_bridges(_lines([(0, 0), (1000, 0)]), towpath, gap_m=20)
    assert cut[0].length == pytest.approx(960, abs=0.001)


def test_a_ditch_shorter_than_the_gap_leaves_nothing():
    cut = cut_bridges(_lines([(0, 0), (10, 0)]), _lines([(5, -5), (5, 5)]), gap_m=20)
    assert cut[0].is_empty


def test_without_roads_every_line_is_closed():
    rivers = _lines([(0, 0), (1000, 0)])
    assert cut_bridges(rivers, GeoSeries([], crs=METRIC), gap_m=20)[0].equals(rivers[0])


def test_lines_in_degrees_are_refused():
    with pytest.raises(NotMetricError, match="EPSG:4326"):
        cut_bridges(_lines([(9, 47), (9.1, 47)], crs=4326), _lines([(9.05, 46), (9.05, 48)], crs=4326), gap_m=20)


def test_carriageways_are_roads_and_everything_else_is_a_path():
    assert kind_of_highway("secondary_link") is TerrainKind.ROAD
    assert kind_of_highway("track") is TerrainKind.PATH
