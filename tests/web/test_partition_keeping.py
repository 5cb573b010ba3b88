"""`mapgrid partition --base` and `--locked`, called as other programs call them."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from click.testing import CliRunner
from real_land import file_of

from web.commands.partition import partition

FILE = file_of("ruggell")
VILLAGE = f"{FILE}:village"


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """A plan of nine tenths of the houses, and one file with two of its grids."""
    folder = tmp_path_factory.mktemp("plans")
    houses = gpd.read_file(FILE, layer="households")
    some = houses[np.random.default_rng(1).permutation(len(houses)) >= len(houses) // 10]
    some.to_file(folder / "some.gpkg")
    arguments = [folder / "some.gpkg", "--village", VILLAGE, "--out", folder / "base.gpkg", "--quiet"]
    assert CliRunner().invoke(partition, [str(argument) for argument in arguments]).exit_code == 0
    for layer in ("grids", "households"):
        rows = gpd.read_file(folder / "base.gpkg", layer=layer)
        rows[rows["grid"].isin(["002", "005"])].to_file(folder / "locked.gpkg", layer=layer)
    return folder


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        done = CliRunner().invoke(partition, [str(argument) for argument in arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stderr

    return call


def grids_of(file):
    return gpd.read_file(file, layer="grids").set_index("grid").geometry


def is_a_tiling(grids):
    village = gpd.read_file(FILE, layer="village")
    metric = village.estimate_utm_crs()
    shape, union = village.to_crs(metric).geometry.iloc[0], grids.to_crs(metric).union_all()
    return shapely.coverage_is_valid(grids.to_numpy()) and shape.symmetric_difference(union).area <= 1e-6 * shape.area


def grids_with_the_households_of_their_land(former, file):
    """Return the grids of a plan that hold just the households that stand in the land they had before."""
    rows = gpd.read_file(file, layer="households")
    house, place = shapely.STRtree(former.to_numpy()).query(rows.geometry.to_numpy(), "intersects")
    stays = former.index[place] == rows["grid"].to_numpy()[house]
    changed = {*former.index[place[~stays]], *rows["grid"].to_numpy()[house[~stays]]}
    return sorted(set(former.index) - changed)


def test_a_village_that_grew_keeps_its_plan_and_the_report_says_what_moved(run, plans):
    base = plans / "base.gpkg"
    houses = f"{FILE}:households"
    code, said = run(houses, "--village", VILLAGE, "--base", base, "--out", "p.gpkg", "--report", "r.json", "--quiet")
    assert (code, said) == (0, "")
    former, grids = grids_of(base), grids_of("p.gpkg")
    assert set(former.index) <= set(grids.index)
    assert is_a_tiling(grids)
    kept = grids_with_the_households_of_their_land(former, "p.gpkg")
    assert kept
    assert all(shapely.equals_exact(former[grid], grids[grid], 0.0) for grid in kept)
    report = json.loads(Path("r.json").read_text(encoding="utf-8"))
    old = gpd.read_file(base, layer="households").set_index("geometry")["grid"]
    new = gpd.read_file("p.gpkg", layer="households").set_index("geometry")["grid"]
    moved = int((new.loc[old.index] != old).sum())
    assert report["moved_households"] == report["moves"]["moved_households"] == moved
    assert moved <= report["moves"]["unavoidable_households"] + 0.01 * len(new)
    assert report["moves"]["new_households"] == 93
    assert report["alternatives"][0]["moved_households"] == moved
    assert len(report["alternatives"]) <= 3
    assert report["parameters"]["base"] == str(base)


@pytest.mark.parametrize("with_base", [False, True])
def test_locked_grids_are_in_the_file_to_the_bit_with_the_same_households(run, plans, with_base):
    locked = plans / "locked.gpkg"
    base = ["--base", plans / "base.gpkg"] if with_base else []
    houses = plans / "some.gpkg"
    code, said = run(houses, "--village", VILLAGE, "--locked", locked, *base, "--out", "p.gpkg", "--report", "r.json")
    assert code == 0, said
    former, grids = grids_of(locked), grids_of("p.gpkg")
    assert all(shapely.equals_exact(former[grid], grids[grid], 0.0) for grid in former.index)
    assert is_a_tiling(grids)
    placed = gpd.read_file("p.gpkg", layer="households")
    was = gpd.read_file(locked, layer="households")
    for grid in ("002", "005"):
        mine = placed[placed["grid"] == grid]
        assert set(mine.geometry) == set(was[was["grid"] == grid].geometry)
        assert mine["group"].tolist() == was[was["grid"] == grid]["group"].tolist()
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["locked"] == ["002", "005"]


def test_the_name_of_an_ended_grid_is_never_used_again_in_plans_made_from_the_file(run, plans):
    houses = gpd.read_file(FILE, layer="households")
    west = houses.to_crs(2056).geometry.x
    houses[west > west.median()].to_file("east.gpkg")
    arguments = ["--village", VILLAGE, "--report", "r.json", "--quiet"]
    code, said = run("east.gpkg", *arguments, "--base", plans / "base.gpkg", "--out", "less.gpkg")
    assert code in {0, 3}, said
    ended = set(grids_of(plans / "base.gpkg").index) - set(grids_of("less.gpkg").index)
    assert ended
    assert set(gpd.read_file("less.gpkg", layer="ended")["grid"]) >= ended
    code, said = run(f"{FILE}:households", *arguments, "--base", "less.gpkg", "--out", "again.gpkg")
    assert code in {0, 3}, said
    assert not ended & set(grids_of("again.gpkg").index)
    assert set(gpd.read_file("again.gpkg", layer="ended")["grid"]) >= ended


def test_a_fresh_plan_has_the_two_layers_alone(plans):
    assert [name for name, _ in pyogrio.list_layers(plans / "base.gpkg")] == ["grids", "households"]


@pytest.mark.parametrize("option", ["--base", "--locked"])
def test_a_text_file_in_the_place_of_a_plan_is_refused_saying_so(run, option):
    Path("notes.txt").write_text("grid;households\n001;75\n", encoding="utf-8")
    code, said = run(f"{FILE}:households", "--village", VILLAGE, option, "notes.txt", "--out", "p.gpkg")
    assert code == 2
    expected = "expected a plan: a GeoPackage with the layers grids and households, found a text file or CSV"
    assert said == f"notes.txt: {expected}; give a file that mapgrid partition --out wrote\n"


@pytest.mark.parametrize("option", ["--base", "--locked"])
def test_a_plan_of_another_village_is_refused_before_anything_is_divided(run, plans, option):
    other = file_of("schellenberg")
    code, said = run(
        f"{other}:households", "--village", f"{other}:village", option, plans / "locked.gpkg", "--out", "p.gpkg"
    )
    theirs = len(gpd.read_file(plans / "locked.gpkg", layer="households"))
    assert code == 2
    assert said == (
        f"locked.gpkg: expected a plan of this village ({option}), found none of its {theirs} households among those "
        "given; give the plan that was made of this village's households\n"
    )
    assert not Path("p.gpkg").exists()


@pytest.mark.parametrize("option", ["--base", "--locked"])
def test_a_file_that_is_no_plan_is_refused_naming_the_layer_it_has_not(run, plans, option):
    houses = f"{FILE}:households"
    code, said = run(houses, "--village", VILLAGE, option, plans / "some.gpkg", "--out", "p.gpkg")
    assert code == 2
    assert "some.gpkg, layer grids: expected the layer that was named, found no layer 'grids'" in said
    assert not Path("p.gpkg").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.drop(columns="grid"), "column grid: expected a column 'grid' of a plan, found the columns"),
        (lambda rows: rows.assign(grid="A"), "row 1, column grid: expected a name that ends in three digits"),
        (lambda rows: rows.set_geometry(rows.centroid), "column geometry: expected polygons, the grids of a plan"),
    ],
)
@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
def test_a_plan_that_lacks_something_is_refused_naming_file_layer_and_column(run, plans, tmp_path, change, said):
    broken = tmp_path / "broken.gpkg"
    change(gpd.read_file(plans / "locked.gpkg", layer="grids")).to_file(broken, layer="grids")
    gpd.read_file(plans / "locked.gpkg", layer="households").to_file(broken, layer="households")
    code, line = run(f"{FILE}:households", "--village", VILLAGE, "--base", broken, "--out", "p.gpkg")
    assert code == 2
    assert line.startswith("broken.gpkg, layer grids")
    assert said in line
