"""`mapgrid partition`: where coordinates come from, and what is refused."""

import json
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from drawn_land import lattice, plots
from real_land import file_of
from shapely import LineString, Point, Polygon, box
from village_files import DEGREES_PER_M, SOUTH_WEST, in_degrees, refused, write

from mapgrid.crs import wgs84_to_gcj02
from web.commands.partition import partition


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        (Polygon([(0, 0), (300, 200), (300, 0), (0, 200)]), "Self-intersection"),
        (LineString([(0, 0), (300, 200)]), "a LineString"),
        (Polygon(), "expected a geometry"),
        (plots(15, 10).difference(box(100, 60, 200, 140)), "in a hole of the boundary"),
    ],
)
def test_a_boundary_that_is_unsound_is_refused(run, tmp_path, households, shape, found):
    village = write(tmp_path / "unsound.gpkg", [shape])
    code, said = run(households, "--village", village, "--out", "plan.gpkg")
    assert code == 2
    assert found in said
    assert not Path("plan.gpkg").exists()


def test_a_star_of_1500_vertices_that_crosses_itself_is_refused_quickly(run, tmp_path, households):
    turns = np.arange(1500) * (2 * np.pi * 701 / 1500)
    star = Polygon(np.stack([1000 * np.cos(turns), 1000 * np.sin(turns)], axis=1))
    village = write(tmp_path / "star.gpkg", [star])
    began = time.monotonic()
    line = refused(run, households, "--village", village, "--out", "plan.gpkg")
    assert "Self-intersection" in line
    assert time.monotonic() - began < 30


def test_an_empty_layer_of_households_is_refused(run, tmp_path, village):
    rows = write(tmp_path / "none.gpkg", [])
    assert "at least one household" in refused(run, rows, "--village", village, "--out", "plan.gpkg")


def test_exchanged_longitude_and_latitude_are_recognised(run, tmp_path, village):
    points = [shapely.transform(in_degrees(Point(xy)), lambda lonlat: lonlat[:, ::-1]) for xy in lattice(15, 10)]
    gpd.GeoDataFrame(geometry=points, crs=4326).to_file(tmp_path / "swapped.gpkg")
    code, said = run(tmp_path / "swapped.gpkg", "--village", village, "--out", "plan.gpkg")
    assert code == 2
    assert "swapped longitude/latitude" in said


def table_of(path, xy, header="经度,纬度"):
    """Write a CSV of 150 households on the plots of the village, as degrees or as `xy` has them."""
    Path(path).write_text("\n".join([header, *(f"{x:.9f},{y:.9f}" for x, y in xy)]) + "\n", encoding="utf-8")
    return path


PLACES = SOUTH_WEST + lattice(15, 10) * DEGREES_PER_M


def test_shapefiles_in_metres_without_prj_are_placed_by_crs_and_a_table_of_degrees_beside_them_stays(run):
    outline = gpd.GeoSeries([in_degrees(plots(15, 10))], crs=4326).to_crs(4548)
    outline.to_file("v.shp")
    Path("v.prj").unlink()
    call = (table_of("h.csv", PLACES), "--village", "v.shp", "--out", "plan.gpkg", "--report", "report.json")
    assert "--crs 4534" in refused(run, *call)
    code, said = run(*call, "--crs", "EPSG:4548")
    assert code == 0, said
    drawn = gpd.read_file("plan.gpkg", layer="grids").union_all()
    assert drawn.symmetric_difference(in_degrees(plots(15, 10))).area < 1e-5 * drawn.area
    assert json.loads(Path("report.json").read_text())["parameters"]["crs"] == "EPSG:4548"


def test_a_table_in_metres_is_placed_by_crs_and_a_village_that_names_its_system_stays(run, village):
    metres = gpd.GeoSeries(shapely.points(PLACES), crs=4326).to_crs(4548)
    table = table_of("h.csv", shapely.get_coordinates(metres.to_numpy()), "x,y")
    code, said = run(table, "--village", village, "--crs", "4548", "--out", "plan.gpkg")
    assert code == 0, said
    placed = shapely.get_coordinates(gpd.read_file("plan.gpkg", layer="households").geometry.to_numpy())
    assert np.abs(placed - PLACES).max() < 1e-7


def test_a_geojson_of_metres_is_placed_by_crs_though_its_format_says_degrees(run, households):
    village = {"type": "Feature", "properties": {}, "geometry": None}
    outline = gpd.GeoSeries([in_degrees(plots(15, 10))], crs=4326).to_crs(4548)
    village["geometry"] = shapely.geometry.mapping(outline.iloc[0])
    Path("v.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [village]}))
    code, said = run(households, "--village", "v.geojson", "--crs", "4548", "--out", "plan.gpkg")
    assert code == 0, said


def test_households_in_gcj02_are_recognised_and_shifted_when_asked(run, village):
    shifted = np.column_stack(wgs84_to_gcj02(*PLACES.T))
    call = (table_of("h.csv", shifted), "--village", village, "--out", "plan.gpkg")
    assert refused(run, *call).endswith("looks like GCJ-02: --crs gcj02")
    code, said = run(*call, "--crs", "gcj02")
    assert code == 0, said
    placed = shapely.get_coordinates(gpd.read_file("plan.gpkg", layer="households").geometry.to_numpy())
    assert np.abs(placed - PLACES).max() < 1e-7


def test_households_that_are_not_in_gcj02_are_recognised_when_shifted(run, village):
    call = (table_of("h.csv", PLACES), "--village", village, "--out", "plan.gpkg", "--crs", "gcj02")
    assert refused(run, *call).endswith("leave out --crs gcj02")


def test_columns_of_the_coordinates_can_be_named(run, village):
    call = (table_of("h.csv", PLACES, "东边,北边"), "--village", village, "--out", "plan.gpkg")
    assert refused(run, *call).endswith("name it: --column lon=NAME")
    code, said = run(*call, "--column", "lon=东边", "--column", "lat=北边")
    assert code == 0, said


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--crs", "mars"), "expected for --crs an EPSG code such as 4490, or gcj02"),
        (("--column", "weight=n"), "expected for --column ROLE=NAME with a role out of lat, lon, found 'weight=n'"),
    ],
)
def test_a_crs_or_a_column_that_cannot_be_is_refused(run, village, households, options, found):
    assert refused(run, households, "--village", village, "--out", "plan.gpkg", *options).startswith(found)


def test_a_household_far_outside_is_named_with_file_layer_row_and_distance(run, tmp_path, village):
    rows = write(tmp_path / "far.gpkg", [*(Point(xy) for xy in lattice(15, 10)), Point(150, 12_200)])
    line = refused(run, rows, "--village", village, "--out", "plan.gpkg")
    assert line.startswith("far.gpkg, layer far, row 151, column geometry: expected a household inside the village")
    assert "km outside" in line


def test_coordinates_that_are_infinite_are_refused_with_their_row(run, tmp_path, village):
    points = [in_degrees(Point(xy)) for xy in lattice(15, 10)]
    points[6] = Point(np.inf, 25.0)
    gpd.GeoDataFrame(geometry=points, crs=4326).to_file(tmp_path / "inf.gpkg")
    assert "row 7" in refused(run, tmp_path / "inf.gpkg", "--village", village, "--out", "plan.gpkg")


def test_a_weight_that_is_no_number_is_refused_with_the_column_it_stands_in(run, tmp_path, village):
    rows = write(tmp_path / "rows.gpkg", [Point(150, 100), Point(170, 100)], homes=["60", "many"])
    line = refused(run, rows, "--village", village, "--weight-column", "homes", "--out", "plan.gpkg")
    assert line.startswith("rows.gpkg, layer rows, row 2, column homes: expected a whole number of households")


def test_a_weight_column_that_is_not_there_is_refused_naming_the_columns(run, village, households):
    line = refused(run, households, "--village", village, "--weight-column", "homes", "--out", "plan.gpkg")
    assert line.endswith("expected a column 'homes' (--weight-column), found the columns name")


def test_a_file_with_two_layers_and_none_named_is_refused_naming_them(run, households):
    line = refused(run, households, "--village", file_of("stonetown2"), "--out", "plan.gpkg")
    assert "village" in line
    assert "households" in line


def test_a_directory_that_does_not_exist_is_refused(run, village, households):
    assert "existing directory" in refused(run, households, "--village", village, "--out", "nowhere/plan.gpkg")


@pytest.mark.parametrize("option", ["--out", "--report", "--map"])
@pytest.mark.parametrize("spelling", ["plain", "absolute", "linked", "hard"])
def test_a_file_to_write_that_is_an_input_is_refused_and_the_input_stays(run, households, village, option, spelling):
    file = Path(households)
    names = {"plain": file.name, "absolute": file, "linked": "linked.gpkg", "hard": "hard.gpkg"}
    Path("linked.gpkg").symlink_to(file)
    Path("hard.gpkg").hardlink_to(file)
    before = file.read_bytes()
    others = () if option == "--out" else ("--out", "plan.gpkg")
    line = refused(run, households, "--village", village, *others, option, names[spelling])
    assert line.startswith(f"{option}: expected a file that is no input, found ")
    assert file.read_bytes() == before


@pytest.mark.parametrize("option", ["--village", "--barriers", "--units", "--base", "--locked"])
def test_a_plan_never_takes_the_place_of_any_input(run, tmp_path, households, village, option):
    other = write(tmp_path / "other.gpkg", [plots(15, 10)], name=["一组"])
    options = [] if option == "--village" else ["--village", village]
    line = refused(run, households, *options, option, f"{other}:other", "--out", other)
    assert "no input" in line


def test_a_report_never_takes_the_place_of_a_part_of_a_shapefile(run, village):
    points = gpd.GeoDataFrame(geometry=[in_degrees(Point(xy)) for xy in lattice(15, 10)], crs=4326)
    points.to_file("rows.shp")
    call = ("rows.shp", "--village", village, "--out", "plan.gpkg", "--report", "rows.dbf")
    assert "no input" in refused(run, *call)


@pytest.mark.parametrize(("option", "file"), [("--report", "plan.gpkg"), ("--map", "./plan.gpkg")])
def test_two_files_to_write_of_one_name_are_refused(run, households, village, option, file):
    line = refused(run, households, "--village", village, "--out", "plan.gpkg", option, file)
    assert line.startswith(f"--out, {option}: expected two files, found plan.gpkg for both")


def test_a_plan_that_is_not_called_a_geopackage_is_refused(run, households, village):
    line = refused(run, households, "--village", village, "--out", "plan.geojson")
    assert line.startswith("--out: expected a file name that ends in .gpkg")
    assert "found plan.geojson" in line


def test_a_page_without_the_map_library_is_refused_before_anything_is_divided(run, monkeypatch, households, village):
    monkeypatch.setattr("web.plan_file._HERE", Path.cwd())
    monkeypatch.setattr("web.commands.partition.read_inputs", lambda _sources: pytest.fail("the work has begun"))
    line = refused(run, households, "--village", village, "--out", "plan.gpkg", "--map", "map.html")
    assert line.startswith("expected the map library at ")


@pytest.mark.parametrize("option", ["--barriers", "--prefer", "--roads"])
def test_points_in_the_place_of_lines_are_refused(run, households, village, option):
    line = refused(run, households, "--village", village, option, households, "--out", "plan.gpkg")
    found = f"expected lines or areas ({option}), found 150 points"
    assert line == f"households.gpkg, layer households: {found}"


def test_points_among_lines_are_left_out_with_a_note(run, tmp_path, households, village):
    river = write(tmp_path / "river.gpkg", [LineString([(150, -50), (150, 300)]), Point(5, 5)])
    code, said = run(households, "--village", village, "--barriers", river, "--out", "plan.gpkg")
    assert code == 0, said
    assert "note: river.gpkg: 1 of 2 features are points and count for nothing as --barriers" in said


@pytest.mark.parametrize("option", ["--barriers", "--prefer", "--roads"])
def test_a_layer_of_which_nothing_comes_near_the_village_is_noted(run, tmp_path, households, village, option):
    far = write(tmp_path / "far.gpkg", [LineString([(5000, 0), (5000, 300)])])
    code, said = run(households, "--village", village, option, far, "--out", "plan.gpkg")
    assert code == 0, said
    assert f"note: far.gpkg: nothing in it comes near the village, so {option} changes nothing" in said


def test_text_called_a_geopackage_is_refused_as_none_and_not_echoed(run, households):
    Path("v.gpkg").write_text("version https://git-lfs.github.com/spec/v1 " + "x" * 5000)
    line = refused(run, households, "--village", "v.gpkg", "--out", "plan.gpkg")
    assert line == "v.gpkg: expected a GeoPackage, found a file that is none"


def test_a_long_cell_is_quoted_by_its_beginning(run, village):
    Path("h.csv").write_text("x" * 5000 + "\n", encoding="utf-8")
    assert len(refused(run, "h.csv", "--village", village, "--out", "plan.gpkg")) < 200


@pytest.mark.parametrize("cells", [["60", ""], ["60", None], [60.0, np.nan]])
def test_an_empty_weight_is_called_an_empty_cell(run, tmp_path, village, cells):
    rows = write(tmp_path / "rows.gpkg", [Point(150, 100), Point(170, 100)], homes=cells)
    line = refused(run, rows, "--village", village, "--weight-column", "homes", "--out", "plan.gpkg")
    assert line.endswith("row 2, column homes: expected a whole number of households, at least 1, found an empty cell")


def test_households_of_another_place_are_refused_in_one_line(run, tmp_path, village):
    rows = write(tmp_path / "far.gpkg", [Point(x, y + 12_200) for x, y in lattice(15, 10)])
    line = refused(run, rows, "--village", village, "--out", "plan.gpkg")
    assert line.startswith("far.gpkg, layer far: expected households inside the village, found all 150 of them outside")
    assert "km away; check that" in line


def test_one_grid_is_told_in_the_singular(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    village = write(tmp_path / "v.gpkg", [plots(10, 6)])
    rows = write(tmp_path / "h.gpkg", [Point(xy) for xy in lattice(10, 6)])
    done = CliRunner().invoke(partition, [rows, "--village", village, "--out", "plan.gpkg"])
    assert done.stdout.startswith("60 households in 1 grid of 60, ")
