"""`mapgrid partition-all`, called as other programs call it."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import psutil
import pytest
import shapely
from click.testing import CliRunner
from distributed import LocalCluster
from drawn_land import lattice, plots
from generated_land import generate
from shapely import LineString, Point, box

from mapgrid.crs import wgs84_to_gcj02
from mapgrid.village import Limits
from web.actions.district_crew import divide_all, local_crew
from web.actions.divide_district import file_names
from web.actions.divide_files import Wanted
from web.actions.divide_parcel import Order, Outcome, Parcel, Rows, take_rows
from web.actions.division_inputs import Sources
from web.commands.partition_all import partition_all

_CHECKOUT = Path(__file__).parent.parent.parent


def in_degrees(shape):
    """Lay drawn metres on the earth, about true to scale."""
    return shapely.transform(shape, lambda xy: (117.0, 25.0) + xy * 1e-5)


def write(path, shapes, **columns):
    placed = [None if shape is None else in_degrees(shape) for shape in shapes]
    gpd.GeoDataFrame(columns, geometry=placed, crs=4326).to_file(path, driver="GPKG")
    return str(path)


def squares(count, households=60, apart=400):
    """Villages of 200 m side by side, and their households."""
    land = [plots(10, 10, west=apart * number) for number in range(count)]
    points = [Point(xy) for number in range(count) for xy in lattice(10, 10, west=apart * number)[:households]]
    return land, points


def command(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(_CHECKOUT)}
    words = [sys.executable, "-m", "web", "partition-all", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, env=environment, **pipes, **options)


def summary_of(directory):
    with (directory / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        return {line["village"]: line for line in csv.DictReader(file)}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call the command in this process; return its exit code and what it said on stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        done = CliRunner().invoke(partition_all, [str(argument) for argument in arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stderr

    return call


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    """Return the directory of a district of seven villages, divided once, with what the command said."""
    place = tmp_path_factory.mktemp("乡镇 一")
    land, points = squares(7)
    names = ["甲村", "=乙/村", "丙村", "丁村", "戊村", "己村", "庚村"]
    del points[360:]  # nobody lives in 庚村
    del points[180:230]  # ten households are left in 丁村
    points += [Point(350, 100), None]
    own = [None] * len(points)
    own[70] = "甲村"  # stands in 乙村
    villages = write(place / "villages.gpkg", land, 村名=names)
    households = write(place / "households.gpkg", points, 村名=own, 户=range(len(points)))
    running = command(
        villages, "--households", households, "--village-column", "村名", "--out", "plans", "--report", "all.json",
        "--workers", "2", cwd=place,
    )  # fmt: skip
    said = running.communicate()
    return place, running.returncode, said


def test_each_village_gets_a_plan_and_a_report_of_its_own_households(district):
    place, _, _ = district
    files = {path.name for path in (place / "plans").iterdir()}
    assert {"丙村.gpkg", "丙村.json", "summary.csv"} <= files
    assert {path for path in files if path.startswith(".")} == {".lock"}
    placed = gpd.read_file(place / "plans" / "丙村.gpkg", layer="households")
    assert placed["户"].tolist() == list(range(120, 180))
    assert json.loads((place / "plans" / "丙村.json").read_text())["households"] == 60


def test_the_summary_has_one_line_for_each_village_and_says_how_it_came_out(district):
    place, code, (said, told) = district
    lines = summary_of(place / "plans")
    assert {name: line["outcome"] for name, line in lines.items()} == {
        "甲村": "refused",
        "'=乙/村": "divided",
        "丙村": "divided",
        "丁村": "reasons",
        "戊村": "divided",
        "己村": "divided",
        "庚村": "empty",
    }
    assert "households.gpkg, layer households, row 71" in lines["甲村"]["fault"]
    assert lines["丁村"]["reasons"] == "VILLAGE_UNDER_MIN 1"
    assert (lines["丙村"]["households"], lines["丙村"]["grids"]) == ("60", "1")
    assert "7 villages (4 divided, 1 reasons, 1 empty, 1 refused)" in said
    assert "Traceback" not in told
    assert code == 4


def test_a_name_that_is_no_file_name_becomes_one(district):
    place, _, _ = district
    file = summary_of(place / "plans")["'=乙/村"]["file"]
    assert file.startswith("_乙_村-")
    assert (place / "plans" / file).exists()


def test_households_of_no_village_are_reported_with_their_rows(district):
    place, _, (_, told) = district
    assert "household in row 311: stands in no village" in told
    assert "household in row 312: no geometry" in told
    rows = [each["row"] for each in json.loads((place / "all.json").read_text())["unplaced_households"]]
    assert rows == [311, 312]


def test_files_stay_apart_where_upper_case_is_none_and_long_names_fit():
    names = file_names(["A", "a", "b", "a/b", "a b", "..", "村" * 300])
    assert len({name.casefold() for name in names}) == 7
    assert names[2] == "b"
    assert not any(name.startswith(".") or "/" in name for name in names)
    assert max(len(f"{name}.gpkg".encode()) for name in names) <= 255


def test_what_is_done_is_left_alone_and_what_changed_is_done_again(run, tmp_path):
    land, points = squares(2)
    villages = write(tmp_path / "v.gpkg", land, code=[1.0, 2.0])
    arguments = [villages, "--village-column", "code", "--out", "out", "--workers", "1", "--quiet"]
    households = ["--households", write(tmp_path / "h.gpkg", points)]
    assert run(*arguments, *households) == (0, "")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("?.*")}
    assert sorted(before) == ["1.gpkg", "1.json", "2.gpkg", "2.json"]
    assert run(*arguments, *households) == (0, "")
    write(tmp_path / "h.gpkg", points[:-1])
    assert run(*arguments, *households) == (0, "")
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("?.*")}
    assert {name for name in before if before[name] != after[name]} == {"2.gpkg", "2.json"}
    kept = {village: line["kept"] for village, line in summary_of(tmp_path / "out").items()}
    assert kept == {"1": "True", "2": "False"}


def slow_district(place, count, size):
    """Write a district whose villages take about a second each at full effort."""
    drawn = generate(size)
    shapes, points, codes = [], [], []
    for number in range(count):
        shapes.append(drawn.village.geometry.translate(5000.0 * number).iloc[0])
        points += drawn.households.geometry.translate(5000.0 * number).tolist()
        codes += [f"{number}"] * size
    crs = drawn.village.crs
    gpd.GeoDataFrame({"code": range(count)}, geometry=shapes, crs=crs).to_file(place / "v.gpkg")
    gpd.GeoDataFrame({"code": codes}, geometry=points, crs=crs).to_file(place / "h.gpkg")
    return [place / "v.gpkg", "--households", place / "h.gpkg", "--village-column", "code", "--out", place / "out"]


def workers_of(process):
    """Return the processes that divide: children that are no helper of Python itself."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_a_worker_that_is_killed_costs_no_village(tmp_path):
    running = command(*slow_district(tmp_path, 8, 200), "--workers", "2")
    first = running.stderr.readline()
    workers_of(running)[0].kill()
    _, told = running.communicate()
    assert running.returncode == 0, first + told
    lines = summary_of(tmp_path / "out")
    assert [lines[str(number)]["outcome"] for number in range(8)] == ["divided"] * 8
    assert list((tmp_path / "out").glob(".mapgrid-*")) == []


def test_an_interrupted_run_keeps_what_is_done_and_goes_on_from_there(tmp_path):
    arguments = slow_district(tmp_path, 8, 200)
    running = command(*arguments, "--workers", "1", start_new_session=True)
    line = running.stderr.readline()
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    _, told = running.communicate()
    assert running.returncode == 130, line + told
    assert told.strip().splitlines()[-1] == "interrupted; the villages that were done are kept, call again to go on"
    assert "Traceback" not in told
    done = {path.stem for path in (tmp_path / "out").glob("*.json")}
    assert 1 <= len(done) < 8
    again = command(*arguments, "--workers", "1")
    said, told = again.communicate()
    assert again.returncode == 0, told
    assert f"{len(done)} of them from before" in said


class Deadly(Rows):
    """Rows that kill the process that looks at them."""

    def frame(self):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_village_that_kills_three_workers_is_given_up_and_the_others_are_divided(tmp_path):
    land, points = squares(1)
    frames = [gpd.GeoDataFrame(geometry=[in_degrees(shape) for shape in shapes], crs=4326) for shapes in (land, points)]
    for frame in frames:
        frame.attrs = {"file": "drawn", "layer": None, "notes": []}
    boundary, households = (take_rows(frame, range(len(frame))) for frame in frames)
    deadly = Deadly(boundary.shapes, boundary.columns, boundary.place)
    parcels = [Parcel(name, name, deadly if name == "b" else boundary, households, {}) for name in "abcd"]
    order = Order(Wanted(Limits(), "balanced", 0, "quick"), Sources("h", "v"), str(tmp_path))
    with local_crew(2) as client:
        lines = {line.village: line for line in divide_all(client, parcels, order)}
    assert {name: line.outcome for name, line in lines.items()} == {
        "a": Outcome.DIVIDED,
        "b": Outcome.FAILED,
        "c": Outcome.DIVIDED,
        "d": Outcome.DIVIDED,
    }
    assert "killed 3 workers" in lines["b"].fault


def test_a_cluster_that_runs_already_is_used_by_its_address(run, tmp_path):
    land, points = squares(2)
    households = write(tmp_path / "h.gpkg", points)
    river = write(tmp_path / "river.gpkg", [LineString([(100, -50), (100, 400)])])
    halves = [box(0, 0, 200, 60), box(0, 60, 200, 200), box(400, 0, 600, 60), box(400, 60, 600, 200)]
    units = write(tmp_path / "units.gpkg", halves, name=["一组", "二组", "一组", "二组"])
    villages = write(tmp_path / "v.gpkg", land, name=["west", "east"])
    with LocalCluster(
        n_workers=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        arguments = ["--households", households, "--village-column", "name", "--barriers", river, "--out", "out"]
        arguments += ["--units", units, "--prefer", river]
        code, said = run(villages, *arguments, "--scheduler", cluster.scheduler_address)
    assert code == 3, said
    lines = summary_of(tmp_path / "out")
    assert lines["west"]["reasons"].startswith("ISOLATED_UNIT")
    assert lines["east"]["reasons"] == ""
    reports = [json.loads((tmp_path / "out" / f"{name}.json").read_text()) for name in ("west", "east")]
    assert [report["units_split"] for report in reports] == [2, 0]
    assert [report["preferred_border_pct"] is None for report in reports] == [False, True]  # it is far from the other


def refusal(run, *arguments):
    code, said = run(*arguments)
    assert code == 2, said
    return said.strip().splitlines()


def test_villages_without_a_key_of_their_own_are_refused_with_every_row(run, tmp_path):
    land, points = squares(4)
    villages = write(tmp_path / "v.gpkg", land, code=["1", "2", "1", None])
    households = write(tmp_path / "h.gpkg", points)
    arguments = [villages, "--households", households, "--out", "out", "--village-column"]
    said = refusal(run, *arguments, "code")
    assert said == [
        "v.gpkg, layer v, row 3, column code: expected a village of its own, found '1', as in row 1",
        "v.gpkg, layer v, row 4, column code: expected the code or name of a village, found an empty cell",
    ]
    assert "found the columns code" in refusal(run, *arguments, "name")[0]
    assert not (tmp_path / "out").exists()


def test_options_that_cannot_be_are_refused_before_anything_is_read(run, tmp_path):
    arguments = ["no.gpkg", "--households", "no.gpkg", "--village-column", "code", "--out", "out"]
    assert "expected one of them" in refusal(run, *arguments, "--workers", "2", "--scheduler", "tcp://x:1")[0]
    assert "expected at least 1" in refusal(run, *arguments, "--workers", "0")[0]
    assert "--max" in refusal(run, *arguments, "--min", "60", "--max", "50")[0]
    assert not (tmp_path / "out").exists()


def test_a_scheduler_that_does_not_answer_is_named_in_one_line(run, tmp_path):
    land, points = squares(1)
    villages = write(tmp_path / "v.gpkg", land, code=["1"])
    arguments = [villages, "--households", write(tmp_path / "h.gpkg", points), "--village-column", "code"]
    (line,) = refusal(run, *arguments, "--out", "out", "--scheduler", "tcp://127.0.0.1:9")
    assert "127.0.0.1:9" in line


def test_a_plan_a_report_or_the_summary_never_takes_the_place_of_an_input(run, tmp_path):
    land, points = squares(2)
    (tmp_path / "out").mkdir()
    villages = write(tmp_path / "out" / "east.gpkg", land, name=["west", "east"])
    households = write(tmp_path / "h.gpkg", points)
    arguments = ["--households", households, "--village-column", "name", "--out", "out", "--workers", "1"]
    before = Path(villages).read_bytes()
    (line,) = refusal(run, villages, *arguments)
    assert line.startswith("--out: expected a file that is no input, found ")
    assert "east.gpkg" in line
    (line,) = refusal(run, villages, *arguments, "--report", households)
    assert line.startswith("--report: expected a file that is no input, found ")
    table = tmp_path / "out" / "summary.csv"
    table.write_text("lon,lat\n117.001,25.001\n", encoding="utf-8")
    (line,) = refusal(run, villages, "--households", table, *arguments[2:])
    assert "summary.csv, which is read" in line
    assert Path(villages).read_bytes() == before


@pytest.mark.parametrize("file", ["out/summary.csv", "out/west.json"])
def test_a_report_of_all_never_takes_the_place_of_what_a_village_gets(run, tmp_path, file):
    land, points = squares(2)
    (tmp_path / "out").mkdir()
    villages = write(tmp_path / "v.gpkg", land, name=["west", "east"])
    households = write(tmp_path / "h.gpkg", points)
    arguments = ["--households", households, "--village-column", "name", "--out", "out", "--report", file]
    (line,) = refusal(run, villages, *arguments)
    assert line.startswith("--report: expected a file of its own")


def test_households_of_a_district_in_gcj02_are_shifted_and_their_columns_can_be_named(run, tmp_path):
    land, points = squares(2)
    villages = write(tmp_path / "v.gpkg", land, name=["west", "east"])
    places = np.array([in_degrees(point).coords[0] for point in points])
    shifted = np.column_stack(wgs84_to_gcj02(*places.T))
    table = tmp_path / "h.csv"
    table.write_text("\n".join(["东,北", *(f"{x:.9f},{y:.9f}" for x, y in shifted)]), encoding="utf-8")
    arguments = [villages, "--households", table, "--village-column", "name", "--out", "out", "--workers", "1"]
    code, said = run(*arguments, "--column", "lon=东", "--column", "lat=北", "--crs", "gcj02")
    assert code == 0, said
    assert {line["outcome"] for line in summary_of(tmp_path / "out").values()} == {"divided"}


def test_a_district_in_which_no_household_stands_is_refused(run, tmp_path):
    land, points = squares(2)
    villages = write(tmp_path / "v.gpkg", land, name=["west", "east"])
    households = write(tmp_path / "h.gpkg", [Point(point.x, point.y + 90_000) for point in points])
    arguments = [villages, "--households", households, "--village-column", "name", "--out", "out"]
    (line,) = refusal(run, *arguments)
    assert "found none of the 120 households stands in any village; check the coordinate systems" in line
    other = write(tmp_path / "o.gpkg", points, name=["north"] * 120)
    (line,) = refusal(run, *[other if word == households else word for word in arguments])
    assert "row 1: expected households of the villages, found none: the first names the village 'north'" in line
    assert not (tmp_path / "out").exists()


def test_a_layer_that_comes_near_no_village_of_a_district_is_noted(run, tmp_path):
    land, points = squares(1)
    villages = write(tmp_path / "v.gpkg", land, name=["west"])
    households = write(tmp_path / "h.gpkg", points)
    far = write(tmp_path / "far.gpkg", [LineString([(50_000, 0), (50_000, 300)])])
    arguments = [villages, "--households", households, "--village-column", "name", "--out", "out", "--workers", "1"]
    code, said = run(*arguments, "--barriers", far)
    assert code == 0, said
    assert "note: far.gpkg: nothing in it comes near the village, so --barriers changes nothing" in said
    assert "west: 60 households in 1 grid, " in said
