"""`mapgrid partition`, called as other programs call it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from drawn_land import lattice
from real_land import file_of
from shapely import LineString, Point, Polygon
from village_files import DEGREES_PER_M, SOUTH_WEST, refused, write


def test_a_plan_is_written_with_two_layers_and_a_report(run, village, households):
    code, said = run(households, "--village", village, "--out", "plan.gpkg", "--report", "report.json", "--quiet")
    assert (code, said) == (0, "")
    grids, placed = (gpd.read_file("plan.gpkg", layer=layer) for layer in ("grids", "households"))
    assert sorted(name for name, _ in pyogrio.list_layers("plan.gpkg")) == ["grids", "households"]
    assert grids.columns.tolist() == ["grid", "households", "weight", "reason", "geometry"]
    assert placed.columns.tolist() == ["name", "grid", "group", "geometry"]
    assert (grids.crs.to_epsg(), placed.crs.to_epsg()) == (4326, 4326)
    assert placed["name"].tolist() == [f"户{number}" for number in range(150)]
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert report["grids"] == 2
    assert report["in_range_pct"] == 100
    assert (report["reasons"], report["pieces"], report["groups_outside"]) == ([], [], [])
    assert report["parameters"]["min"] == 50
    assert report["parameters"]["households"] == households
    assert sorted(path.name for path in Path().iterdir()) == [
        "households.gpkg",
        "plan.gpkg",
        "report.json",
        "village.gpkg",
    ]


def test_a_real_village_with_layers_named_tiles_to_a_millionth_and_holds_all_its_households(run):
    file = file_of("ruggell")
    code, _ = run(f"{file}:households", "--village", f"{file}:village", "--out", "plan.gpkg", "--quiet")
    assert code == 0
    grids, placed = (gpd.read_file("plan.gpkg", layer=layer) for layer in ("grids", "households"))
    given = gpd.read_file(file, layer="households")
    own = grids.set_index("grid").geometry.loc[placed["grid"]].to_numpy()
    assert shapely.covers(own, given.geometry.to_numpy()).all()
    assert set(given.columns) <= set(placed.columns)
    village = gpd.read_file(file, layer="village")
    metric = village.estimate_utm_crs()
    shape, union = village.to_crs(metric).geometry.iloc[0], grids.to_crs(metric).union_all()
    assert shape.symmetric_difference(union).area <= 1e-6 * shape.area
    assert grids.geometry.is_valid.all()


def test_households_on_the_border_lie_in_their_grid_to_the_last_bit_of_the_file(run, tmp_path):
    outline = Polygon([(0, 0), (200.3, 7.7), (187.1, 151.9), (3.3, 120.2)])
    points = [outline.exterior.interpolate(metres) for metres in np.linspace(1, 600, 40)]
    points += [Point(xy) for xy in lattice(6, 6, west=30, south=15, step=15)]
    files = write(tmp_path / "v.gpkg", [outline]), write(tmp_path / "h.gpkg", points)
    code, said = run(files[1], "--village", files[0], "--out", "plan.gpkg")
    assert code == 0, said
    grids = gpd.read_file("plan.gpkg", layer="grids")
    placed = gpd.read_file("plan.gpkg", layer="households")
    own = grids.set_index("grid").geometry.loc[placed["grid"]].to_numpy()
    assert shapely.covers(own, gpd.read_file(files[1]).geometry.to_numpy()).all()


def test_reasons_end_with_3_and_stand_in_the_plan_and_the_report(run, tmp_path, village, households):
    river = write(tmp_path / "river.gpkg", [LineString([(260, -50), (260, 300)])])
    code, said = run(
        households, "--village", village, "--barriers", river, "--out", "plan.gpkg", "--report", "report.json"
    )
    assert code == 3
    assert "ISOLATED_UNIT: 20 households" in said
    grids = gpd.read_file("plan.gpkg", layer="grids")
    assert grids.loc[grids["reason"].notna(), "weight"].tolist() == [20]
    assert json.loads(Path("report.json").read_text())["reasons"][0]["code"] == "ISOLATED_UNIT"


def test_a_household_without_geometry_is_listed_without_grid_and_ends_with_3(run, tmp_path, village):
    points = [Point(xy) for xy in lattice(15, 10)]
    points[4] = None
    rows = write(tmp_path / "rows.gpkg", points, name=[str(number) for number in range(150)])
    code, said = run(rows, "--village", village, "--out", "plan.gpkg")
    assert code == 3
    assert "NO_GEOMETRY: household in row 5" in said
    placed = gpd.read_file("plan.gpkg", layer="households").set_index("name")
    assert placed["grid"].isna().sum() == 1
    assert placed["grid"].isna()["4"]


def test_a_table_row_without_coordinates_is_listed_without_grid(run, village):
    lines = ["户号,经度,纬度"]
    lines += [f"{n},{x},{y}" for n, (x, y) in enumerate(SOUTH_WEST + lattice(15, 10) * DEGREES_PER_M)]
    Path("rows.csv").write_text("\n".join([*lines, "无坐标,,"]) + "\n", encoding="gbk")
    code, said = run("rows.csv", "--village", village, "--out", "plan.gpkg")
    assert code == 3, said
    assert "NO_GEOMETRY" in said


def test_houses_drawn_as_polygons_are_divided_by_their_inner_points(run, tmp_path, village):
    houses = [Point(xy).buffer(5, cap_style="square") for xy in lattice(15, 10)]
    rows = write(tmp_path / "houses.gpkg", houses)
    assert run(rows, "--village", village, "--out", "plan.gpkg")[0] == 0
    assert set(gpd.read_file("plan.gpkg", layer="households").geom_type) == {"Point"}


def test_a_weight_column_counts_households_at_a_point(run, tmp_path, village):
    rows = write(tmp_path / "rows.gpkg", [Point(150, 100)], homes=[400])
    code, said = run(rows, "--village", village, "--weight-column", "homes", "--out", "plan.gpkg")
    assert code == 3
    assert "UNIT_OVER_MAX: one point of 400 households" in said
    assert gpd.read_file("plan.gpkg", layer="grids")["weight"].tolist() == [400]


def test_borders_follow_a_preferred_line_and_the_report_says_how_much(run, tmp_path, village, households):
    road = write(tmp_path / "road.gpkg", [LineString([(154, -10), (154, 210)])])
    call = (households, "--village", village, "--out", "plan.gpkg", "--report", "report.json", "--quiet")
    code, said = run(*call, "--prefer", road)
    assert code == 0, said
    assert json.loads(Path("report.json").read_text())["preferred_border_pct"] > 80


def test_columns_of_the_input_called_like_ours_are_kept_under_another_name(run, tmp_path, village):
    points = [Point(xy) for xy in lattice(15, 10)]
    rows = write(tmp_path / "rows.gpkg", points, grid=["old"] * 150, GROUP=["old"] * 150)
    assert run(rows, "--village", village, "--out", "plan.gpkg")[0] == 0
    columns = gpd.read_file("plan.gpkg", layer="households").columns.tolist()
    assert columns == ["grid_input", "GROUP_input", "grid", "group", "geometry"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--min", "0"), "--min: expected a whole number of at least 1 household, found 0"),
        (("--min", "60", "--max", "50"), "--max: expected at least --min (60), found 50"),
        (("--max", "many"), "--max: expected a whole number, found 'many'"),
        (("--target", "200"), "--target: expected 50–100 (--min to --max), found 200"),
        (("--group-size", "30"), "--group-size: expected 8–15 households for a ten-household group, found 30"),
        (("--preset", "nice"), "--preset: expected one of balanced, shortest, compact, workload, found 'nice'"),
        (("--effort", "huge"), "--effort: expected one of quick, standard, thorough, found 'huge'"),
        (("--units", "u.gpkg", "--unit-column", "u"), "--units, --unit-column: expected one of the two, found both"),
        (("--max-way", "far"), "--max-way: expected a number of metres above 0, found 'far'"),
        (("--max-way", "-5"), "--max-way: expected a number of metres above 0, found '-5'"),
        (
            ("--roads", "r.gpkg", "--base", "p.gpkg"),
            "--roads: expected without --base and --locked, found with one of them",
        ),
        (("--keep", "least-moves"), "--keep: expected --base PLAN.gpkg beside it, found none"),
        (("--base", "p.gpkg", "--keep", "most"), "--keep: expected least-moves, found 'most'"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_line(run, village, households, options, line):
    assert refused(run, households, "--village", village, "--out", "plan.gpkg", *options) == line


def test_limits_away_from_75_need_no_target(run, village, households):
    code, _ = run(households, "--village", village, "--out", "plan.gpkg", "--min", 20, "--max", 40)
    assert code == 0
    assert gpd.read_file("plan.gpkg", layer="grids")["weight"].between(20, 40).all()


def test_what_stood_there_stays_when_the_input_is_refused(run, tmp_path, village):
    Path("plan.gpkg").write_text("mine")
    rows = write(tmp_path / "none.gpkg", [])
    assert run(rows, "--village", village, "--out", "plan.gpkg")[0] == 2
    assert Path("plan.gpkg").read_text() == "mine"


def test_an_interrupt_ends_with_130_and_leaves_nothing(tmp_path):
    file = file_of("stonetown2")
    arguments = [f"{file}:households", "--village", f"{file}:village", "--out", "plan.gpkg", "--effort", "thorough"]
    root = Path(__file__).resolve().parent.parent.parent
    command = [sys.executable, "-c", "from web.cli import main; print('ready', flush=True); main()", "partition"]
    with subprocess.Popen(
        [*command, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            started.wait(2)
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=60)
    assert started.returncode == 130, said
    assert list(tmp_path.iterdir()) == []


def test_workload_given_in_a_column_is_shared_evenly_and_reported(run, village, tmp_path):
    points = [Point(xy) for xy in lattice(15, 10)]
    visits = [2 if point.x < 100 else 1 for point in points]  # 50 households make as much work as the other 100
    busy = write(tmp_path / "busy.gpkg", points, visits=visits)
    asked = (busy, "--village", village, "--workload-column", "visits", "--report", "report.json", "--out", "plan.gpkg")
    figures = []
    for preset in ("workload", "shortest"):
        code, said = run(*asked, "--preset", preset, "--quiet")
        assert (code, said) == (0, "")
        figures.append(json.loads(Path("report.json").read_text())["workload_cv"])
    assert figures[0] < 0.03 < figures[1]
    assert "column 'work' (--workload-column)" in refused(
        run, busy, "--village", village, "--workload-column", "work", "--out", "other.gpkg"
    )


def test_a_workload_that_is_none_is_refused_with_its_row_and_column(run, village, tmp_path):
    points = [Point(xy) for xy in lattice(15, 10)]
    busy = write(tmp_path / "busy.gpkg", points, visits=[1] * 149 + [-1])
    line = refused(run, busy, "--village", village, "--workload-column", "visits", "--out", "plan.gpkg")
    assert "row 150" in line
    assert "visits" in line


def test_households_beyond_the_longest_way_are_counted_per_grid(run, village, households):
    asked = (households, "--village", village, "--out", "plan.gpkg", "--report", "report.json")
    code, said = run(*asked, "--max-way", "100")
    # 150 households of 20 m plots, two grids: their farthest corners are about 120 m from the middle.
    assert code == 0
    far = json.loads(Path("report.json").read_text())["too_far"]
    assert {each["grid"] for each in far} <= {"001", "002"}
    assert all(each["farthest_m"] > 100 for each in far)
    assert all(f"grid {each['grid']}: {each['households']} households are farther than 100 m" in said for each in far)
    assert far
    run(*asked, "--max-way", "500")
    assert json.loads(Path("report.json").read_text())["too_far"] == []


def test_ways_are_measured_along_roads(run, tmp_path, village, households):
    road = write(tmp_path / "road.gpkg", [LineString([(0, 100), (300, 100)])])
    code, _ = run(households, "--village", village, "--roads", road, "--out", "plan.gpkg", "--report", "report.json")
    assert code == 0
    report = json.loads(Path("report.json").read_text())
    assert report["way_by_road_m"] > report["distance_m"]
    assert report["parameters"]["roads"] == road
