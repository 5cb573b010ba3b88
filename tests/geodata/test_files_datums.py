"""What coordinates are in: said, deduced with a note, or asked for; never silently guessed."""

import geopandas as gpd
import numpy as np
import pytest
from given import faults_of
from shapely import Point

from geodata.files import read_features

HOME = gpd.GeoSeries([Point(117.21, 25.11)], crs=4326)


def write_csv(folder, header, *rows):
    target = folder / "h.csv"
    target.write_text("\n".join([header, *(",".join(map(repr, row)) for row in rows)]), encoding="utf-8")
    return str(target)


def in_metres(epsg):
    point = HOME.to_crs(epsg).iloc[0]
    return point.x, point.y


def test_degrees_without_a_declaration_in_china_are_cgcs2000_and_the_note_says_so(tmp_path):
    gpd.GeoDataFrame(geometry=HOME).to_file(tmp_path / "h.shp")
    (tmp_path / "h.prj").unlink()
    frame = read_features(str(tmp_path / "h.shp"))
    assert frame.geometry.iloc[0].distance(HOME.iloc[0]) < 1e-9
    assert "EPSG:4490" in frame.attrs["notes"][0]


def test_an_easting_with_its_zone_in_front_names_the_zone(tmp_path):
    gpd.GeoDataFrame(geometry=HOME.to_crs(4527)).to_file(tmp_path / "h.shp")
    (tmp_path / "h.prj").unlink()
    frame = read_features(str(tmp_path / "h.shp"))
    assert frame.geometry.iloc[0].distance(HOME.iloc[0]) < 1e-9
    assert "EPSG:4527" in frame.attrs["notes"][0]


def test_an_easting_without_zone_asks_for_the_central_meridian(tmp_path):
    gpd.GeoDataFrame(geometry=HOME.to_crs(4548)).to_file(tmp_path / "h.shp")
    (tmp_path / "h.prj").unlink()
    (fault,) = faults_of(str(tmp_path / "h.shp"))
    assert "central meridian" in fault.hint
    frame = read_features(str(tmp_path / "h.shp"), crs="EPSG:4548")
    assert frame.geometry.iloc[0].distance(HOME.iloc[0]) < 1e-9


def test_degrees_without_a_declaration_elsewhere_are_asked_for(tmp_path):
    gpd.GeoDataFrame(geometry=gpd.GeoSeries([Point(9.5, 47.2)], crs=4326)).to_file(tmp_path / "h.shp")
    (tmp_path / "h.prj").unlink()
    (fault,) = faults_of(str(tmp_path / "h.shp"))
    assert fault.expected == "a declared coordinate system"


def test_surveyors_northing_called_x_is_recognised_by_the_eight_digits_of_the_easting(tmp_path):
    easting, northing = in_metres(4527)
    frame = read_features(write_csv(tmp_path, "X坐标,Y坐标", (northing, easting)))
    assert frame.geometry.iloc[0].distance(HOME.iloc[0]) < 1e-9
    assert "northings" in frame.attrs["notes"][0]


def test_survey_order_under_a_named_zone_is_reported_not_drawn_in_the_sea(tmp_path):
    easting, northing = in_metres(4548)
    (fault,) = faults_of(write_csv(tmp_path, "X坐标,Y坐标", (northing, easting)), crs="4548")
    assert fault.hint == "looks like swapped x and y"
    assert fault.row == 2


def test_swapped_longitude_and_latitude_are_named_by_row(tmp_path):
    (fault,) = faults_of(write_csv(tmp_path, "lon,lat", (117.2, 25.1), (25.11, 117.21), (117.2, 25.1)))
    assert (fault.row, fault.hint) == (3, "looks like swapped longitude/latitude")


@pytest.mark.parametrize(
    ("crs", "row", "hint"),
    [
        ("4548", (117.2, 25.1), "looks like degrees: --crs 4490 for longitude and latitude"),
        ("4490", (500000.0, 2777000.0), "looks like metres: name their coordinate system with --crs"),
        ("gcj02", (9.5, 47.2), None),
    ],
)
def test_a_wrong_datum_is_named_with_what_it_looks_like(tmp_path, crs, row, hint):
    (fault,) = faults_of(write_csv(tmp_path, "lon,lat", row), crs=crs)
    assert fault.hint == hint
    assert fault.column == "lon, lat"


@pytest.mark.parametrize("cell", ["nan", "inf", "", "12 34", "=1+1", "１１７，２"])
def test_a_cell_that_is_no_coordinate_is_named(tmp_path, cell):
    (tmp_path / "h.csv").write_text(f"lon,lat\n117.2,25.1\n{cell},25.1\n", encoding="utf-8")
    (fault,) = faults_of(str(tmp_path / "h.csv"))
    assert (fault.row, fault.column, fault.expected) == (3, "lon", "a number")


def test_degrees_minutes_and_seconds_and_full_width_digits_are_numbers(tmp_path):
    (tmp_path / "h.csv").write_text(
        '经度,纬度\n"117°12\'36""",25°6′36.0″\n１１７．２１,25度6分36秒\n', encoding="utf-8"
    )
    frame = read_features(str(tmp_path / "h.csv"))
    assert np.allclose([frame.geometry.x, frame.geometry.y], [[117.21, 117.21], [25.11, 25.11]])


@pytest.mark.parametrize("word", ["mars", "EPSG:999999", "", "gcj-2"])
def test_an_unknown_datum_says_which_are_known(tmp_path, word):
    path = write_csv(tmp_path, "lon,lat", (117.2, 25.1))
    if not word:
        assert len(read_features(path, crs=word)) == 1
        return
    (fault,) = faults_of(path, crs=word)
    assert "gcj02" in fault.expected


@pytest.mark.parametrize("word", ["epsg:4490", "CGCS2000", "WGS84", "4326", "GCJ-02"])
def test_the_usual_spellings_of_a_datum_are_known(tmp_path, word):
    assert len(read_features(write_csv(tmp_path, "lon,lat", (117.2, 25.1)), crs=word)) == 1
