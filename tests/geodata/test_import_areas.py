"""`mapgrid import village|units|barriers` into a real PostGIS: accepted, or refused by name."""

import pytest
from given import LAND, VILLAGE, count, report_of, write, write_ledger
from shapely import LineString, MultiPolygon, Polygon, box
from sqlalchemy import text

from geodata import villages


def test_a_village_is_imported_with_its_names_and_again_without_change(mapgrid, session, tmp_path):
    write(tmp_path / "v.geojson", LAND)
    command = ["import", "village", tmp_path / "v.geojson", "--code", VILLAGE, "--name", "举溪村", "--name-en", "Juxi"]
    command += ["--town-name", "龙涓乡", "--district-name", "安溪县"]
    mapgrid(*command)
    before = session.execute(text("SELECT code, name, name_en, xmin FROM area ORDER BY code")).all()
    mapgrid(*command)
    session.rollback()
    assert [tuple(row)[:3] for row in before] == [
        ("350524", "安溪县", None),
        ("350524102", "龙涓乡", None),
        (VILLAGE, "举溪村", "Juxi"),
    ]
    assert session.execute(text("SELECT code, name, name_en, xmin FROM area ORDER BY code")).all() == before


def test_the_village_of_a_land_survey_layer_is_found_by_its_code_and_joined(mapgrid, session, tmp_path):
    pieces = [box(117.0, 25.0, 117.05, 25.1), box(117.05, 25.0, 117.1, 25.1), box(118, 25, 118.1, 25.1)]
    codes = [f"{VILLAGE}0000000", f"{VILLAGE}0000001", "3505241022020000000"]
    write(tmp_path / "CJDCQ.gpkg", *pieces, ZLDWDM=codes, ZLDWMC=["举溪村", "举溪村", "下村"])
    mapgrid("import", "village", tmp_path / "CJDCQ.gpkg", "--code", VILLAGE)
    frame = villages.load_village(session, VILLAGE)
    assert frame["name"].tolist() == ["举溪村"]
    assert frame.geometry.iloc[0].equals(LAND)
    assert len(frame.geometry.iloc[0].geoms) == 1


def test_a_village_of_a_layer_without_its_code_is_chosen_by_its_name(mapgrid, session, tmp_path):
    write(
        tmp_path / "v.gpkg",
        LAND,
        box(118, 25, 118.1, 25.1),
        VILLCODE=["09020010001", "09020010002"],
        村名=["上村", "下村"],
    )
    done = mapgrid("import", "village", tmp_path / "v.gpkg", "--code", VILLAGE, ends_with=2)
    assert "--name" in done.stderr
    assert "下村" in done.stderr
    done = mapgrid("import", "village", tmp_path / "v.gpkg", "--code", VILLAGE, "--name", "下村")
    assert f"VILLCODE of the file says 09020010002; stored as {VILLAGE}" in done.stderr
    assert villages.load_village(session, VILLAGE).total_bounds.tolist() == [118, 25, 118.1, 25.1]


def test_a_village_of_several_parts_keeps_them(mapgrid, session, tmp_path):
    parts = MultiPolygon([box(117, 25, 117.01, 25.01), box(117.02, 25, 117.03, 25.01)])
    mapgrid("import", "village", write(tmp_path / "v.gpkg", parts), "--code", VILLAGE)
    assert len(villages.load_village(session, VILLAGE).geometry.iloc[0].geoms) == 2


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([Polygon([(117, 25), (118, 26), (118, 25), (117, 26)])], "Self-intersection[117.5 25.5]"),
        ([LineString([(117, 25), (118, 26)])], "expected a polygon, found a LineString"),
        ([Polygon()], "found an empty one"),
        ([], "expected at least one row, found none"),
        ([LAND, box(118, 25, 118.1, 25.1)], "expected one feature, or a column of area codes, found 2 features"),
    ],
)
def test_a_boundary_that_is_none_is_refused_and_nothing_is_stored(mapgrid, session, tmp_path, shapes, said):
    write(tmp_path / "v.gpkg", *shapes)
    done = mapgrid("import", "village", tmp_path / "v.gpkg", "--code", VILLAGE, ends_with=2)
    assert said in done.stderr
    assert count(session, "area") == 0


def test_a_village_code_without_twelve_digits_is_refused(mapgrid, tmp_path):
    done = mapgrid("import", "village", write(tmp_path / "v.gpkg", LAND), "--code", "3505", ends_with=2)
    assert "12 digits" in done.stderr


def test_a_dry_run_of_a_village_stores_nothing(mapgrid, session, tmp_path):
    mapgrid("import", "village", write(tmp_path / "v.gpkg", LAND), "--code", VILLAGE, "--dry-run")
    assert count(session, "area") == 0


def test_a_new_boundary_with_a_hole_around_stored_houses_is_refused(mapgrid, session, village, tmp_path):
    mapgrid("import", "households", write_ledger(tmp_path, "1,甲,,117.05,25.05"), "--village", village)
    holed = LAND.difference(box(117.04, 25.04, 117.06, 25.06))
    done = mapgrid("import", "village", write(tmp_path / "h.gpkg", holed), "--code", village, ends_with=2)
    assert f"1 of them outside, the first {VILLAGE}000001; does it have a hole?" in done.stderr
    assert villages.load_village(session, VILLAGE).geometry.iloc[0].equals(LAND)


def test_units_keep_their_code_when_they_come_again(mapgrid, session, village, tmp_path):
    halves = [box(117.0, 25.0, 117.05, 25.1), box(117.05, 25.0, 117.1, 25.1)]
    write(tmp_path / "u.gpkg", *halves, 组名=["一组", "二组"])
    mapgrid("import", "units", tmp_path / "u.gpkg", "--village", village)
    write(tmp_path / "u2.gpkg", *reversed(halves), 组名=["二组", "一组"])
    mapgrid("import", "units", tmp_path / "u2.gpkg", "--village", village)
    kept = villages.load_units(session, VILLAGE)
    assert kept["code"].tolist() == [f"{VILLAGE}01", f"{VILLAGE}02"]
    assert kept["name"].tolist() == ["一组", "二组"]


def test_units_without_name_area_or_place_in_the_village_are_named(mapgrid, session, village, tmp_path):
    shapes = [box(117, 25, 117.05, 25.1), LineString([(117, 25), (117.1, 25.1)]), box(118, 25, 118.1, 25.1), LAND]
    write(tmp_path / "u.geojson", *shapes, name=["a", "b", "c", None])
    report = report_of(mapgrid, tmp_path, "import", "units", tmp_path / "u.geojson", "--village", village, ends_with=3)
    assert [(fault["row"], fault["column"]) for fault in report["faults"]] == [
        (2, "geometry"),
        (3, "geometry"),
        (4, "name"),
    ]
    assert count(session, "unit") == 0
    write(tmp_path / "n.geojson", LAND, x=[1])
    done = mapgrid("import", "units", tmp_path / "n.geojson", "--village", village, ends_with=2)
    assert "a column with the unit's name" in done.stderr


def test_barriers_are_kept_where_they_meet_the_village_and_again_without_change(mapgrid, session, village, tmp_path):
    river, elsewhere = LineString([(116.9, 25.05), (117.2, 25.05)]), LineString([(118, 25), (118, 26)])
    write(tmp_path / "b.gpkg", river, elsewhere, name=["蓝溪", None])
    for _ in range(2):
        done = mapgrid("import", "barriers", tmp_path / "b.gpkg", "--village", village, "--kind", "waterway")
        assert "1 of 2 features do not meet the village" in done.stderr
        assert session.execute(text("SELECT min(id), count(*) FROM terrain")).one().count == 1
    kept = villages.load_terrain(session, VILLAGE)
    assert (kept["kind"].tolist(), kept["name"].tolist(), kept["is_barrier"].tolist()) == (
        ["waterway"],
        ["蓝溪"],
        [True],
    )


def test_a_kind_of_terrain_that_is_none_is_named_with_those_that_are(mapgrid, village, tmp_path):
    write(tmp_path / "b.gpkg", LineString([(117, 25), (117.1, 25.1)]), kind=["motorway"])
    done = mapgrid("import", "barriers", tmp_path / "b.gpkg", "--village", village, ends_with=2)
    assert "one of building, road" in done.stderr
    assert "--kind road" in done.stderr
