"""Every format that planners bring, read into the same frame."""

import contextlib
import sqlite3
import zipfile

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
from given import faults_of
from shapely import MultiPoint, Point, box

from geodata.files import read_features
from mapgrid import crs

HOMES = gpd.GeoDataFrame(
    {"户号": ["0001", "0002", "0003"], "户数": [1, 2, 1]},
    geometry=[Point(117.20, 25.10), Point(117.21, 25.11), Point(117.22, 25.12)],
    crs=4326,
)
PLACES = np.array([[117.20, 25.10], [117.21, 25.11], [117.22, 25.12]])


def places(frame):
    return np.column_stack([frame.geometry.x, frame.geometry.y])


def write_zip(target, folder):
    with zipfile.ZipFile(target, "w") as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, part.name)
    return target


def write_xlsx(target, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(target)
    return target


@pytest.mark.parametrize(("name", "driver"), [("h.gpkg", "GPKG"), ("h.geojson", "GeoJSON"), ("h.kml", "LIBKML")])
def test_points_and_attributes_are_the_same_from_each_format(tmp_path, name, driver):
    HOMES.to_file(tmp_path / name, driver=driver, engine="pyogrio")
    frame = read_features(str(tmp_path / name))
    assert places(frame) == pytest.approx(PLACES, abs=1e-9)
    assert frame["户号"].tolist() == ["0001", "0002", "0003"]
    assert frame["户数"].astype(int).tolist() == [1, 2, 1]
    assert frame.index.tolist() == [1, 2, 3]
    assert frame.crs.to_epsg() == 4326
    assert frame.attrs["file"] == name


def test_a_zipped_shapefile_in_gauss_krueger_metres_comes_back_in_degrees(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    HOMES.to_crs(4548).to_file(folder / "户.shp", encoding="UTF-8")
    frame = read_features(str(write_zip(tmp_path / "h.zip", folder)))
    assert places(frame) == pytest.approx(PLACES, abs=1e-9)
    assert frame["户号"].tolist() == ["0001", "0002", "0003"]
    assert frame.attrs["layer"] == "户"


def test_a_bare_shapefile_is_read_with_its_neighbours(tmp_path):
    HOMES.to_file(tmp_path / "homes.shp", encoding="UTF-8")
    assert len(read_features(str(tmp_path / "homes.shp"))) == 3


@pytest.mark.parametrize("cpg", [None, "UTF-8"])
def test_a_gbk_attribute_table_without_a_truthful_cpg_is_read_as_chinese(tmp_path, cpg):
    HOMES.assign(村名="龙涓乡举溪村").to_file(tmp_path / "h.shp", encoding="GBK")
    (tmp_path / "h.cpg").unlink()
    if cpg:
        (tmp_path / "h.cpg").write_text(cpg)
    frame = read_features(str(tmp_path / "h.shp"))
    assert frame["村名"].tolist() == ["龙涓乡举溪村"] * 3
    assert "户号" in frame.columns


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_csv_is_read_in_each_encoding_that_offices_save(tmp_path, encoding):
    text = "户号,户主姓名,经度,纬度\n0001,欧阳娜,117.20,25.10\n0002,王芳,117.21,25.11\n"
    (tmp_path / "户.csv").write_bytes(text.encode(encoding))
    frame = read_features(str(tmp_path / "户.csv"))
    assert frame["户主姓名"].tolist() == ["欧阳娜", "王芳"]
    assert frame["户号"].tolist() == ["0001", "0002"]
    assert places(frame) == pytest.approx(PLACES[:2])


def test_a_gbk_csv_with_a_title_above_its_header_keeps_the_row_numbers_of_the_file(tmp_path):
    text = "举溪村住户台账（2026年）,,,\r\n户号,户主,经度(°),纬度(°)\r\n1,甲,117.20,25.10\r\n\r\n2,乙,abc,25.11\r\n"
    (tmp_path / "h.csv").write_bytes(text.encode("gbk"))
    (fault,) = faults_of(tmp_path / "h.csv")
    assert (fault.row, fault.column, fault.expected, fault.found) == (5, "经度(°)", "a number", "'abc'")


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_another_delimiter_is_noticed(tmp_path, delimiter):
    rows = [["code", "lon", "lat"], ["a", "117.20", "25.10"], ["b", "117.21", "25.11"]]
    (tmp_path / "h.csv").write_text("\n".join(delimiter.join(row) for row in rows))
    assert read_features(str(tmp_path / "h.csv"))["code"].tolist() == ["a", "b"]


def test_an_xlsx_with_a_title_row_and_empty_sheets_is_read(tmp_path):
    rows = [
        ["住户台账"],
        ["户号", "联系方式", "经度", "纬度"],
        ["0001", 13800001234, 117.2, 25.1],
        ["0002", None, 117.21, 25.11],
    ]
    write_xlsx(tmp_path / "h.xlsx", {"Sheet1": rows, "Sheet2": [], "Sheet3": []})
    frame = read_features(str(tmp_path / "h.xlsx"))
    assert frame.index.tolist() == [3, 4]
    assert frame["户号"].tolist() == ["0001", "0002"]
    assert frame["联系方式"].tolist()[0] == 13800001234
    assert frame.attrs["layer"] == "Sheet1"


def test_columns_without_a_known_name_are_named_by_the_caller(tmp_path):
    (tmp_path / "h.csv").write_text("id,横,竖\n1,117.20,25.10\n")
    (fault,) = faults_of(tmp_path / "h.csv")
    assert fault.expected == "one column with the longitude or x"
    assert fault.found == "id, 横, 竖"
    assert fault.hint == "name it: --column lon=NAME"
    frame = read_features(str(tmp_path / "h.csv"), columns={"lon": "横", "lat": "竖"}, crs="4326")
    assert places(frame) == pytest.approx(PLACES[:1])


def test_two_columns_that_could_be_the_longitude_are_not_chosen_between(tmp_path):
    (tmp_path / "h.csv").write_text("经度,lon,纬度\n117.2,117.3,25.1\n")
    (fault,) = faults_of(tmp_path / "h.csv")
    assert fault.found == "经度, lon"


def test_a_file_with_two_layers_and_none_named_lists_them(tmp_path):
    HOMES.to_file(tmp_path / "two.gpkg", layer="homes")
    HOMES.to_file(tmp_path / "two.gpkg", layer="wells")
    (fault,) = faults_of(tmp_path / "two.gpkg")
    assert fault.found == "2: homes, wells"
    assert fault.hint == "name one: two.gpkg:homes"
    assert len(read_features(f"{tmp_path / 'two.gpkg'}:wells")) == 3
    (fault,) = faults_of(f"{tmp_path / 'two.gpkg'}:roads")
    assert fault.layer == "roads"


def test_two_sheets_with_content_and_none_named_are_listed(tmp_path):
    rows = [["户号", "lon", "lat"], ["1", 117.2, 25.1]]
    write_xlsx(tmp_path / "h.xlsx", {"甲组": rows, "乙组": rows})
    (fault,) = faults_of(tmp_path / "h.xlsx")
    assert fault.found == "2: 甲组, 乙组"
    assert read_features(f"{tmp_path / 'h.xlsx'}:乙组").attrs["layer"] == "乙组"


def test_a_file_whose_name_holds_a_colon_is_the_file(tmp_path):
    HOMES.to_file(tmp_path / "a.gpkg", layer="b")
    (tmp_path / "a.gpkg").rename(tmp_path / "a:b")
    assert read_features(str(tmp_path / "a:b")).attrs["layer"] == "b"
    assert read_features(f"{tmp_path / 'a:b'}:b").attrs["layer"] == "b"


def test_names_that_gdal_would_give_a_meaning_are_only_names(tmp_path):
    odd = tmp_path / "x.zip!村 é.gpkg"
    HOMES.to_file(tmp_path / "plain.gpkg")
    (tmp_path / "plain.gpkg").rename(odd)
    assert len(read_features(str(odd))) == 3


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_points_of_chinese_web_maps_are_moved_back(tmp_path, datum):
    lon, lat = crs.wgs84_to_gcj02(PLACES[:, 0], PLACES[:, 1])
    if datum == "bd09":
        lon, lat = crs._gcj02_to_bd09(lon, lat)
    rows = "\n".join(f"{x!r},{y!r}" for x, y in zip(lon.tolist(), lat.tolist(), strict=True))
    (tmp_path / "h.csv").write_text(f"lon,lat\n{rows}\n")
    assert places(read_features(str(tmp_path / "h.csv"), crs=datum)) == pytest.approx(PLACES, abs=1e-9)


def test_heights_and_measures_are_dropped(tmp_path):
    solid = gpd.GeoDataFrame(geometry=[Point(117.2, 25.1, 300.0)], crs=4326)
    solid.to_file(tmp_path / "z.gpkg")
    assert not read_features(str(tmp_path / "z.gpkg")).geometry.has_z.any()


def test_multipart_shapes_stay_multipart(tmp_path):
    parts = gpd.GeoDataFrame(geometry=[MultiPoint([(117.2, 25.1), (117.3, 25.2)]), box(117, 25, 118, 26)], crs=4326)
    parts.to_file(tmp_path / "m.geojson")
    assert read_features(str(tmp_path / "m.geojson")).geom_type.tolist() == ["MultiPoint", "Polygon"]


def test_a_geopackage_is_read_while_it_is_open_elsewhere_and_nothing_is_left_beside_it(tmp_path):
    HOMES.to_file(tmp_path / "h.gpkg", layer="homes", SPATIAL_INDEX="NO")  # its triggers need GDAL's functions
    with contextlib.closing(sqlite3.connect(tmp_path / "h.gpkg")) as package:
        package.execute("PRAGMA journal_mode=WAL")
        package.execute("UPDATE homes SET 户号 = '9' || 户号")
        package.commit()
        assert read_features(str(tmp_path / "h.gpkg"))["户号"].tolist() == ["90001", "90002", "90003"]
    assert read_features(str(tmp_path / "h.gpkg"))["户号"].tolist() == ["90001", "90002", "90003"]
    assert [path.name for path in tmp_path.iterdir()] == ["h.gpkg"]
