"""`mapgrid import grids` into a real PostGIS: grids drawn elsewhere become a draft plan, or are refused by place."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from given import VILLAGE, count, report_of, write
from shapely import LineString, Point, box
from sqlalchemy import text

from geodata import plans
from mapgrid.plans import PlanState

LAND = box(117.0, 25.0, 117.02, 25.01)  # about 2 km by 1.1 km
WEST, EAST = box(117.0, 25.0, 117.01, 25.01), box(117.01, 25.0, 117.02, 25.01)
A_METRE = 1e-5  # of longitude here, within a hundredth


@pytest.fixture
def land(mapgrid, tmp_path):
    """Import a village with 160 households, 80 in each half, and return its code."""
    write(tmp_path / "land.gpkg", LAND)
    mapgrid("import", "village", tmp_path / "land.gpkg", "--code", VILLAGE, "--name", "举溪村")
    x, y = np.meshgrid(117.0 + 0.00062 + np.arange(16) * 0.00125, 25.0 + 0.0005 + np.arange(10) * 0.001)
    write(tmp_path / "homes.gpkg", *(Point(*place) for place in zip(x.ravel(), y.ravel(), strict=True)))
    mapgrid("import", "households", tmp_path / "homes.gpkg", "--village", VILLAGE)
    return VILLAGE


def drawn(tmp_path, *shapes, name="grids.gpkg", **columns):
    return write(tmp_path / name, *shapes, **columns)


def grids_report(mapgrid, tmp_path, target, *options, ends_with):
    command = ["import", "grids", target, "--village", VILLAGE, *options]
    return report_of(mapgrid, tmp_path, *command, ends_with=ends_with)


def stored(session, name="grids"):
    session.rollback()
    plan = plans.load_plan_named(session, VILLAGE, name)
    return plan, plans.load_grids(session, plan.id)


def test_grids_become_a_draft_plan_that_covers_the_village(mapgrid, land, session, tmp_path):
    target = drawn(tmp_path, WEST, EAST, 网格编码=[f"{VILLAGE}005", f"{VILLAGE}002"])
    report = grids_report(mapgrid, tmp_path, target, ends_with=0)
    assert (report["verdict"], report["stored"], report["rows_ok"], report["added"]) == ("accepted", True, 2, 2)
    plan, grids = stored(session)
    assert plan.state is PlanState.DRAFT
    assert grids["code"].tolist() == [f"{VILLAGE}002", f"{VILLAGE}005"]
    assert grids["households"].tolist() == [80, 80]
    assert plans.load_assignments(session, plan.id)["grid"].value_counts().tolist() == [80, 80]
    groups = plans.load_groups(session, plan.id)
    assert groups["households"].between(8, 15).all()
    gap, outside = session.execute(
        text(
            "SELECT ST_Area(ST_Difference(boundary, whole)) / ST_Area(boundary),"
            " ST_Area(ST_Difference(whole, boundary)) / ST_Area(boundary)"
            " FROM area, (SELECT ST_Union(outline) AS whole FROM grid) AS u WHERE code = :code"
        ),
        {"code": VILLAGE},
    ).one()
    assert max(gap, outside) < 1e-6


def test_the_same_grids_again_change_nothing_and_other_grids_need_another_name(mapgrid, land, session, tmp_path):
    target = drawn(tmp_path, WEST, EAST)
    mapgrid("import", "grids", target, "--village", VILLAGE)
    again = mapgrid("import", "grids", target, "--village", VILLAGE)
    assert "0 added, 0 changed, 2 unchanged" in again.stdout
    assert "nothing changed" in again.stdout
    other = drawn(tmp_path, LAND, name="other.gpkg")
    refused = mapgrid("import", "grids", other, "--village", VILLAGE, "--name", "grids", ends_with=2)
    assert "--name" in refused.stderr
    assert count(session, "plan") == 1
    mapgrid("import", "grids", other, "--village", VILLAGE)
    assert count(session, "plan") == 2


def test_grids_outside_the_limits_are_named_and_taken(mapgrid, land, session, tmp_path):
    report = grids_report(mapgrid, tmp_path, drawn(tmp_path, LAND), ends_with=0)
    assert report["verdict"] == "accepted"
    assert "grid 001: 160 households in the grid as drawn; the limits are 50–100" in report["notes"]
    assert stored(session)[1]["reason"].tolist() == ["BY_HAND"]


def test_slivers_are_closed_and_each_is_named_with_its_area(mapgrid, land, session, tmp_path):
    sides = box(117.0, 25.0, 117.01 - 0.6 * A_METRE, 25.01), EAST
    report = grids_report(mapgrid, tmp_path, drawn(tmp_path, *sides), ends_with=0)
    assert (report["verdict"], report["stored"]) == ("fixed", True)
    (fault,) = report["faults"]
    assert (fault["code"], fault["row"], fault["fix"]) == ("GAP", 1, "given to this grid")
    assert 600 < float(fault["found"].split(" m²")[0]) < 700  # 0.6 m by 1,108 m
    assert stored(session)[1]["households"].tolist() == [80, 80]


@pytest.mark.parametrize(
    ("shapes", "code", "row", "square_metres"),
    [
        ((box(117.0, 25.0, 117.012, 25.01), EAST), "OVERLAP", 1, 223_000),
        ((box(117.0, 25.0, 117.008, 25.01), EAST), "GAP", 1, 223_000),
        ((box(116.999, 25.0, 117.01, 25.01), EAST), "OUTSIDE", 1, 112_000),
        ((WEST, box(117.01, 25.0, 117.02, 25.011)), "OUTSIDE", 2, 112_000),
    ],
)
def test_wide_overlaps_gaps_and_pieces_outside_are_refused_by_row_with_their_area(
    mapgrid, land, session, tmp_path, shapes, code, row, square_metres
):
    report = grids_report(mapgrid, tmp_path, drawn(tmp_path, *shapes), ends_with=2)
    assert (report["verdict"], report["stored"]) == ("refused", False)
    fault = next(fault for fault in report["faults"] if fault["code"] == code)
    assert fault["row"] == row
    assert float(fault["found"].split(" m²")[0]) == pytest.approx(square_metres, rel=0.02)
    assert count(session, "plan") == 0


def test_households_in_no_grid_and_in_two_are_named_one_by_one(mapgrid, land, tmp_path):
    shapes = box(117.0, 25.0, 117.0115, 25.01), box(117.0095, 25.0, 117.018, 25.01)
    faults = grids_report(mapgrid, tmp_path, drawn(tmp_path, *shapes), ends_with=2)["faults"]
    in_none = [fault for fault in faults if fault["code"] == "HOUSEHOLD_IN_NO_GRID"]
    in_two = [fault for fault in faults if fault["code"] == "HOUSEHOLD_IN_TWO_GRIDS"]
    assert (len(in_none), len(in_two)) == (20, 10)
    assert f"household {VILLAGE}0000" in in_none[0]["expected"]
    assert in_two[0]["found"] == "rows 1 and 2"


def test_a_household_in_a_sliver_is_named_with_the_grid_it_is_in_now(mapgrid, land, tmp_path):
    write(tmp_path / "one.gpkg", Point(117.01, 25.005))
    mapgrid("import", "households", tmp_path / "one.gpkg", "--village", VILLAGE)
    sides = box(117.0, 25.0, 117.01 - 0.3 * A_METRE, 25.01), box(117.01 + 0.3 * A_METRE, 25.0, 117.02, 25.01)
    report = grids_report(mapgrid, tmp_path, drawn(tmp_path, *sides), ends_with=0)
    (fault,) = [fault for fault in report["faults"] if fault["code"] == "HOUSEHOLD_IN_NO_GRID"]
    assert fault["fix"].startswith(f"it is in grid {VILLAGE}00")


def test_a_code_that_comes_twice_is_refused_and_a_foreign_one_is_numbered(mapgrid, land, session, tmp_path):
    twice = drawn(tmp_path, WEST, EAST, grid=["003", "003"])
    (fault,) = grids_report(mapgrid, tmp_path, twice, ends_with=2)["faults"]
    assert (fault["row"], fault["column"]) == (2, "grid")
    assert "again, first in row 1" in fault["found"]
    foreign = drawn(tmp_path, WEST, EAST, name="foreign.gpkg", grid=["003", "110101001001001"])
    report = grids_report(mapgrid, tmp_path, foreign, ends_with=0)
    (fault,) = report["faults"]
    assert (report["verdict"], fault["code"], fault["row"]) == ("fixed", "CODE_INVALID", 2)
    assert fault["fix"] == f"numbered {VILLAGE}004"
    assert stored(session, "foreign")[1]["code"].tolist() == [f"{VILLAGE}003", f"{VILLAGE}004"]


def test_a_new_grid_never_gets_a_code_that_any_plan_of_the_village_has(mapgrid, land, session, tmp_path):
    mapgrid("import", "grids", drawn(tmp_path, WEST, EAST, grid=["1", "7"]), "--village", VILLAGE)
    halves = box(117.0, 25.0, 117.02, 25.005), box(117.0, 25.005, 117.02, 25.01)
    mapgrid("import", "grids", drawn(tmp_path, *halves, name="later.gpkg"), "--village", VILLAGE)
    assert stored(session, "later")[1]["code"].tolist() == [f"{VILLAGE}008", f"{VILLAGE}009"]
    named = drawn(tmp_path, *halves, name="named.gpkg", grid=["7", None])
    mapgrid("import", "grids", named, "--village", VILLAGE)
    assert stored(session, "named")[1]["code"].tolist() == [f"{VILLAGE}007", f"{VILLAGE}010"]


def test_grids_without_households_and_pieces_without_are_refused_by_row(mapgrid, land, session, tmp_path):
    corner = box(117.0, 25.0, 117.0003, 25.0003)
    faults = grids_report(mapgrid, tmp_path, drawn(tmp_path, LAND.difference(corner), corner), ends_with=2)["faults"]
    assert [(fault["row"], fault["code"]) for fault in faults] == [(2, "NO_HOUSEHOLDS")]
    assert count(session, "plan") == 0


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ((LineString([(117, 25), (117.02, 25.01)]),), "a LineString"),
        ((Point(117.01, 25.005),), "a Point"),
        ((box(-170, -80, 170, 80),), "one that lies elsewhere"),
        ((box(118, 25, 118.1, 25.1),), "one that lies elsewhere"),
    ],
)
def test_what_is_no_grid_of_the_village_is_refused(mapgrid, land, session, tmp_path, shapes, said):
    report = grids_report(mapgrid, tmp_path, drawn(tmp_path, *shapes), ends_with=2)
    assert said in report["faults"][0]["found"]
    assert report["faults"][0]["row"] == 1


def test_grids_before_their_households_are_refused_with_what_to_do(mapgrid, village, tmp_path):
    done = mapgrid("import", "grids", drawn(tmp_path, LAND), "--village", VILLAGE, ends_with=2)
    assert f"mapgrid import households FILE --village {VILLAGE}" in done.stderr


def test_a_dry_run_of_grids_stores_no_plan(mapgrid, land, session, tmp_path):
    report = grids_report(mapgrid, tmp_path, drawn(tmp_path, WEST, EAST), "--dry-run", ends_with=0)
    assert (report["stored"], report["added"]) == (False, 2)
    assert count(session, "plan") == 0


def test_grids_drawn_in_metres_of_a_zone_are_brought_home(mapgrid, land, session, tmp_path):
    gpd.GeoDataFrame(geometry=[WEST, EAST], crs=4326).to_crs(4548).to_file(tmp_path / "grids.shp")
    report = grids_report(mapgrid, tmp_path, tmp_path / "grids.shp", ends_with=0)
    assert report["verdict"] in {"accepted", "fixed"}
    assert stored(session)[1]["households"].tolist() == [80, 80]


def test_the_grids_that_the_program_made_itself_are_accepted_as_they_are(mapgrid, land, session, tmp_path):
    mapgrid("divide", VILLAGE, "--from", "2026-01-01")
    grids = gpd.GeoDataFrame(
        plans.load_grids(session, session.scalar(text("SELECT id FROM plan")))[["code", "geometry"]]
    )
    grids.to_file(tmp_path / "exported.gpkg")
    report = grids_report(mapgrid, tmp_path, tmp_path / "exported.gpkg", ends_with=0)
    assert report["verdict"] == "accepted"
    kept = stored(session, "exported")[1].geometry.to_numpy()
    apart = shapely.area(shapely.symmetric_difference(kept, grids.geometry.to_numpy()))
    assert (apart / shapely.area(kept) < 1e-6).all()
