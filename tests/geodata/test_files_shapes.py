"""Geometry that cannot be used, or not as it is: named by row, mended only when nothing changes."""

import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from given import faults_of, geojson
from shapely import LineString, Polygon

from geodata.files import bounds, read_features


def test_each_unusable_geometry_of_a_layer_is_named_by_its_row(tmp_path):
    point = {"type": "Point", "coordinates": [117.2, 25.1]}
    content = geojson(
        point,
        None,
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": [1e400, 25.1]},
        {"type": "Point", "coordinates": [25.1, 117.2]},
        point,
    )
    (tmp_path / "h.geojson").write_text(content)
    faults = faults_of(tmp_path / "h.geojson")
    assert [fault.row for fault in faults] == [2, 3, 4, 5]
    assert faults[-1].hint == "looks like swapped longitude/latitude"
    assert {fault.column for fault in faults} == {"geometry"}


def test_a_bow_tie_is_refused_with_the_place_where_it_crosses(tmp_path):
    tie = gpd.GeoDataFrame(geometry=[Polygon([(117, 25), (118, 26), (118, 25), (117, 26)])], crs=4326)
    tie.to_file(tmp_path / "v.gpkg")
    (fault,) = faults_of(tmp_path / "v.gpkg")
    assert fault.found == "Self-intersection[117.5 25.5]"


def test_a_hair_of_self_crossing_is_mended_and_noted(tmp_path):
    slip = Polygon(
        [(117, 25), (118, 25), (118, 26), (117.5, 26), (117.49999, 26.00001), (117.50001, 26.00001), (117, 26)]
    )
    assert not slip.is_valid
    gpd.GeoDataFrame(geometry=[slip], crs=4326).to_file(tmp_path / "v.gpkg")
    frame = read_features(str(tmp_path / "v.gpkg"))
    assert frame.geometry.is_valid.all()
    assert shapely.area(frame.geometry.iloc[0]) == pytest.approx(1.0, abs=1e-3)
    assert "mended" in frame.attrs["notes"][0]


def test_a_star_that_crosses_itself_1500_times_is_answered_within_ten_seconds(tmp_path):
    rng = np.random.default_rng(1)
    turns = np.cumsum(np.full(1500, 0.497)) * 2 * np.pi
    radius = rng.uniform(0.5, 1.0, 1500)
    corners = np.column_stack([117 + radius * np.cos(turns), 25 + radius * np.sin(turns)])
    gpd.GeoDataFrame(geometry=[Polygon(corners)], crs=4326).to_file(tmp_path / "star.gpkg")
    began = time.monotonic()
    (fault,) = faults_of(tmp_path / "star.gpkg")
    assert time.monotonic() - began < 10
    assert "elf-intersection" in fault.found


def test_an_outline_with_too_many_vertices_is_refused_before_it_is_checked(tmp_path, monkeypatch):
    turns = np.linspace(0, 2 * np.pi, bounds.MOST_VERTICES_OF_A_FEATURE + 1)
    big = Polygon(np.column_stack([117 + np.cos(turns), 25 + np.sin(turns)]))
    gpd.GeoDataFrame(geometry=[big], crs=4326).to_file(tmp_path / "big.gpkg")
    (fault,) = faults_of(tmp_path / "big.gpkg")
    assert fault.expected == "at most 100000 vertices"


def test_a_line_and_a_polygon_are_still_only_shapes_here(tmp_path):
    line = gpd.GeoDataFrame(geometry=[LineString([(117, 25), (118, 26)])], crs=4326)
    line.to_file(tmp_path / "l.gpkg")
    assert read_features(str(tmp_path / "l.gpkg")).geom_type.tolist() == ["LineString"]
