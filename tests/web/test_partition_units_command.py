"""`mapgrid partition` with units, called as other programs call it."""

import json

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner
from drawn_land import lattice, plots
from shapely import LineString, Point, Polygon, box
from village_files import write

from web.commands.partition import partition

BLOCKS = [box(0, 0, 80, 200), box(80, 0, 160, 200), box(160, 0, 240, 200), box(240, 0, 320, 200)]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Divide a village of four units of 40 households in a row, by the options given."""
    monkeypatch.chdir(tmp_path)
    village = write(tmp_path / "village.gpkg", [plots(16, 10)])
    points = [Point(xy) for xy in lattice(16, 10)]
    households = write(tmp_path / "homes.gpkg", points, team=[1 + int(point.x // 80) for point in points])

    def call(*options):
        arguments = [households, "--village", village, "--out", "plan.gpkg", "--report", "report.json", *options]
        done = CliRunner().invoke(partition, [str(argument) for argument in arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stderr

    return call


def report():
    with open("report.json", encoding="utf-8") as text:  # noqa: PTH123
        return json.load(text)


def test_units_in_a_file_stay_whole_and_the_report_says_it_is_proved(run, tmp_path):
    code, _ = run("--units", write(tmp_path / "units.gpkg", BLOCKS, unit=["a", "b", "c", "d"]))
    grids = gpd.read_file("plan.gpkg", layer="grids")
    assert code == 0
    assert grids["weight"].tolist() == [80, 80]
    assert (report()["units_split"], report()["units_proved"], report()["units"]) == (0, True, [])
    assert report()["parameters"]["units"].endswith("units.gpkg")


def test_units_in_a_column_stay_whole(run):
    code, _ = run("--unit-column", "team")
    assert code == 0
    assert report()["units_split"] == 0
    assert report()["parameters"]["unit_column"] == "team"


def test_a_broken_unit_is_named_on_stderr_and_in_the_report_and_ends_with_3(run, tmp_path):
    code, said = run("--units", write(tmp_path / "units.gpkg", [shapely.union_all(BLOCKS)], unit=["all"]))
    assert code == 3
    assert "UNIT_OVER_MAX: unit all is in grids 001, 002: its 160 households are over the maximum of 100" in said
    (unit,) = report()["units"]
    assert (unit["name"], unit["households"]) == ("all", 160)
    assert report()["reasons"][0]["code"] == "UNIT_OVER_MAX"


def test_a_layer_of_units_is_named_like_any_other(run, tmp_path):
    path = write(tmp_path / "units.gpkg", BLOCKS, layer="teams", unit=["a", "b", "c", "d"])
    write(tmp_path / "units.gpkg", BLOCKS[:1], layer="other", unit=["x"])
    code, _ = run("--units", f"{path}:teams")
    assert code == 0
    assert report()["units_split"] == 0


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        ({"Name": ["a", "b", "c", "d"]}, "units.gpkg: no column 'unit': units are named by the column 'Name'"),
        ({"CODE": [1, 2, 3, 4]}, "units.gpkg: no column 'unit': units are named by the column 'CODE'"),
        ({"id_": [7, 7, 7, 7]}, "units.gpkg: no column 'unit': units are named by the row numbers"),
    ],
)
def test_names_of_units_come_from_the_first_column_that_has_them_else_from_the_rows(run, tmp_path, columns, note):
    code, said = run("--units", write(tmp_path / "units.gpkg", BLOCKS, **columns))
    assert code == 0
    assert f"note: {note}" in said


@pytest.mark.parametrize(
    ("shapes", "names", "line"),
    [
        (
            BLOCKS,
            ["a", "b", "a", "d"],
            (
                "units.gpkg, layer units, row 3, column unit: expected a name that no other unit has, "
                "found 'a', which row 1 has too; join the parts of a unit to one feature, "
                "or give them names of their own"
            ),
        ),
        (
            BLOCKS,
            ["a", None, "c", "d"],
            "units.gpkg, layer units, row 2, column unit: expected the name of a unit, found nothing",
        ),
        (
            [*BLOCKS[:3], LineString([(0, 0), (9, 9)])],
            ["a", "b", "c", "d"],
            (
                "units.gpkg, layer units, row 4, column geometry: expected a polygon, the land of a unit, "
                "found a LineString"
            ),
        ),
        (
            [box(5000, 0, 5100, 100)],
            ["a"],
            "units.gpkg, layer units: expected units on the land of the village, found 1, all of them outside",
        ),
    ],
)
def test_unfit_units_are_refused_with_file_layer_row_and_column(run, tmp_path, shapes, names, line):
    code, said = run("--units", write(tmp_path / "units.gpkg", shapes, unit=names))
    assert (code, said.strip()) == (2, line)


def test_an_empty_layer_of_units_is_refused(run, tmp_path):
    code, said = run("--units", write(tmp_path / "units.gpkg", [], unit=[]))
    assert code == 2
    assert "units.gpkg" in said


def test_a_unit_column_that_is_not_there_is_refused_naming_the_columns(run):
    code, said = run("--unit-column", "group")
    assert code == 2
    assert "expected a column 'group' (--unit-column), found the columns team" in said


def test_a_unit_column_without_any_name_is_refused(run, tmp_path):
    homes = write(tmp_path / "homes2.gpkg", [Point(xy) for xy in lattice(16, 10)], team=[None] * 160)
    done = CliRunner().invoke(
        partition, [homes, "--village", "village.gpkg", "--out", "plan.gpkg", "--unit-column", "team"]
    )
    assert done.exit_code == 2
    assert "column team: expected the name of at least one unit, found no name at all" in done.stderr


def test_overlapping_units_are_noted(run, tmp_path):
    shapes = [box(0, 0, 90, 200), *BLOCKS[1:]]
    code, said = run("--units", write(tmp_path / "units.gpkg", shapes, unit=["a", "b", "c", "d"]))
    assert code == 0
    assert "note: unit b: overlaps unit a by" in said
    assert report()["units"][0]["name"] == "b"


def test_an_outline_of_a_unit_that_crosses_itself_is_mended_and_noted(run, tmp_path):
    knot = Polygon([(0, 0), (80, 0), (80, 200), (0, 200), (0, 100), (-1, 99), (-1, 101), (0, 100)])
    code, said = run("--units", write(tmp_path / "units.gpkg", [knot, *BLOCKS[1:]], unit=["a", "b", "c", "d"]))
    assert code == 0
    assert "units.gpkg" in said
    assert report()["units_split"] == 0
