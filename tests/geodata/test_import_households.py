"""`mapgrid import households` into a real PostGIS: accepted, refused by row, refused whole."""

from concurrent.futures import ThreadPoolExecutor

import openpyxl
import pytest
from given import VILLAGE, count, report_of, write, write_ledger
from shapely import LineString, Point, box
from sqlalchemy import text

from geodata import households, villages
from geodata.database import session_maker
from mapgrid import crs
from web.actions.import_households import import_households
from web.actions.import_reports import ImportOptions


def test_a_ledger_in_gbk_is_imported_with_people_units_and_tiers(mapgrid, session, village, tmp_path):
    header = "举溪村台账,,,,,,,,\n户号,户主姓名,户主联系方式,村民小组,户数,三色等级,定级原因,经度,纬度\n"
    rows = ["1,欧阳娜,13800001234,一组,1,红色,高龄独居重病,117.01,25.01", "2,王芳,,二组,3,绿,,117.02,25.02"]
    mapgrid("import", "households", write_ledger(tmp_path, *rows, header=header, encoding="gbk"), "--village", village)
    kept = households.load_households(session, VILLAGE)
    assert kept["code"].tolist() == [f"{VILLAGE}000001", f"{VILLAGE}000002"]
    assert kept["tier"].tolist() == ["red", "green"]
    assert kept["reasons"].tolist() == [["ill_alone_80"], []]
    assert kept["weight"].tolist() == [1, 3]
    assert kept["unit"].tolist() == [f"{VILLAGE}01", f"{VILLAGE}02"]
    assert villages.load_units(session, VILLAGE)["name"].tolist() == ["一组", "二组"]
    heads = session.execute(text("SELECT full_name, phone, is_head FROM person ORDER BY household_code")).all()
    assert [tuple(head) for head in heads] == [("欧阳娜", "13800001234", True), ("王芳", None, True)]


def test_a_ledger_with_one_row_per_person_makes_one_household_of_each_code(mapgrid, session, village, tmp_path):
    header = "户号,户主姓名,姓名,与户主关系,性别,出生日期,经度,纬度\n"
    rows = [
        "1,甲,乙,子,男,2001-02-03,,",
        "1,甲,甲,户主,女,1970/5/6,117.01,25.01",
        "2,丙,丙,户主,男,19800101,117.02,25.02",
    ]
    for added in (2, 0):
        done = mapgrid("import", "households", write_ledger(tmp_path, *rows, header=header), "--village", village)
        assert f"{added} added" in done.stdout
    people = session.execute(
        text("SELECT household_code, full_name, gender, born_on::text, is_head FROM person ORDER BY 1, 2")
    ).all()
    assert sorted(tuple(person)[1:] for person in people) == [
        ("丙", "M", "1980-01-01", True),
        ("乙", "M", "2001-02-03", False),
        ("甲", "F", "1970-05-06", True),
    ]


def test_the_same_file_again_changes_nothing(mapgrid, session, village, tmp_path):
    ledger = write_ledger(tmp_path, "1,甲,13800001234,117.01,25.01", "2,乙,,117.02,25.02")
    mapgrid("import", "households", ledger, "--village", village)
    rows = "SELECT h.xmin, h.updated_at, p.xmin FROM household h JOIN person p ON household_code = code ORDER BY code"
    before = session.execute(text(rows)).all()
    done = mapgrid("import", "households", ledger, "--village", village)
    assert "0 added, 0 changed, 2 unchanged" in done.stdout
    session.rollback()
    assert session.execute(text(rows)).all() == before


def test_households_without_codes_are_numbered_in_file_order_and_recognised_by_their_place(
    mapgrid, session, village, tmp_path
):
    rows = ["117.01,25.01", "117.02,25.02", "117.01,25.01"]
    mapgrid("import", "households", write_ledger(tmp_path, *rows, header="lon,lat\n"), "--village", village)
    done = mapgrid(
        "import", "households", write_ledger(tmp_path, "117.03,25.03", *rows, header="lon,lat\n"), "--village", village
    )
    assert "1 added, 0 changed, 3 unchanged" in done.stdout
    kept = households.load_households(session, VILLAGE)
    assert kept["code"].str[-2:].tolist() == ["01", "02", "03", "04"]
    assert kept.geometry.x.tolist() == [117.01, 117.02, 117.01, 117.03]


def test_every_fault_is_reported_with_its_place_and_nothing_is_stored(mapgrid, session, village, tmp_path):
    header = "户号,户数,三色等级,经度,纬度\n"
    rows = [
        "1,1,绿,117.01,25.01",
        "1,1,绿,117.02,25.02",
        "3,许多,绿,117.03,25.03",
        "4,1,紫,117.04,25.04",
        "350524102202000001,1,绿,117.05,25.05",
        "6,1,绿,,25.05",
        "7,1,绿,25.05,117.05",
        "8,1,绿,117.3,25.05",
        ",1,绿,117.06,25.05",
    ]
    ledger = write_ledger(tmp_path, *rows, header=header)
    arguments = ["import", "households", ledger, "--village", village]
    report = report_of(mapgrid, tmp_path, *arguments, ends_with=3)
    assert report["verdict"] == "rows_refused"
    assert (report["rows_in"], report["rows_ok"], report["stored"]) == (9, 1, False)
    assert [(fault["row"], fault["column"]) for fault in report["faults"]] == [
        (3, "户号"), (4, "户数"), (5, "三色等级"), (6, "户号"), (7, "经度"),
        (8, "经度, 纬度"), (9, "经度, 纬度"), (10, "户号"),
    ]  # fmt: skip
    assert {fault["file"] for fault in report["faults"]} == {"户.csv"}
    assert report["faults"][0]["found"] == f"{VILLAGE}000001 again, first in row 2"
    assert report["faults"][1]["expected"].startswith("a whole number of households")
    assert report["faults"][5]["hint"] == "looks like swapped longitude/latitude"
    assert "km outside" in report["faults"][6]["found"]
    assert count(session, "household") == 0
    assert report_of(mapgrid, tmp_path, *arguments, "--accept-rows", ends_with=3)["stored"]
    assert count(session, "household") == 1


def test_a_dry_run_says_what_would_happen_and_stores_nothing(mapgrid, session, village, tmp_path):
    ledger = write_ledger(tmp_path, "1,甲,,117.01,25.01")
    report = report_of(
        mapgrid, tmp_path, "import", "households", ledger, "--village", village, "--dry-run", ends_with=0
    )
    assert (report["verdict"], report["stored"], report["rows_ok"]) == ("accepted", False, 1)
    assert count(session, "household") == 0


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_points_of_a_web_map_taken_for_wgs84_are_named_and_accepted_once_told(
    mapgrid, session, village, tmp_path, datum
):
    home = (117.0999, 25.0005)  # by the eastern border: the shift carries it out
    lon, lat = crs.wgs84_to_gcj02(*([value] for value in home))
    if datum == "bd09":
        lon, lat = crs._gcj02_to_bd09(lon, lat)
    ledger = write_ledger(tmp_path, f"1,甲,,{lon[0]},{lat[0]}", f"2,乙,,{lon[0]},{lat[0]}")
    report = report_of(mapgrid, tmp_path, "import", "households", ledger, "--village", village, ends_with=2)
    assert datum in report["faults"][0]["hint"]
    assert any(note.startswith("2 rows: looks like") for note in report["notes"])
    mapgrid("import", "households", ledger, "--village", village, "--crs", datum)
    kept = households.load_households(session, VILLAGE).geometry.iloc[0]
    assert kept.distance(Point(home)) < 1e-9


def test_a_household_in_another_village_or_in_a_hole_is_told_where_it_stands(mapgrid, village, tmp_path):
    ring = box(117.1, 25.0, 117.2, 25.1).difference(box(117.14, 25.04, 117.16, 25.06))
    mapgrid("import", "village", write(tmp_path / "n.gpkg", ring), "--code", "350524102202", "--name", "下村")
    ledger = write_ledger(tmp_path, "1,甲,,117.15,25.05", "2,乙,,117.05,25.05", "3,丙,,117.11,25.05")
    report = report_of(mapgrid, tmp_path, "import", "households", ledger, "--village", "350524102202", ends_with=3)
    assert [fault["found"] for fault in report["faults"]] == ["in a hole of its boundary", f"in 举溪村 ({VILLAGE})"]


def test_a_household_exactly_on_the_border_belongs_to_the_village(mapgrid, village, tmp_path):
    mapgrid("import", "households", write_ledger(tmp_path, "1,甲,,117.1,25.05"), "--village", village)


def test_a_code_that_another_household_has_is_refused_unless_it_replaces(mapgrid, session, village, tmp_path):
    mapgrid("import", "households", write_ledger(tmp_path, "1,甲,,117.01,25.01"), "--village", village)
    moved = write_ledger(tmp_path, "1,甲,,117.05,25.05")
    mapgrid("import", "households", moved, "--village", village)
    other = write_ledger(tmp_path, "1,乙,,117.05,25.05")
    report = report_of(mapgrid, tmp_path, "import", "households", other, "--village", village, ends_with=2)
    assert report["faults"][0]["expected"] == "a code that is free"
    mapgrid("import", "households", other, "--village", village, "--replace")
    assert households.load_head_names(session, VILLAGE) == {f"{VILLAGE}000001": "乙"}


def test_an_unknown_village_a_missing_file_and_a_bad_option_are_refused_whole(mapgrid, village, tmp_path):
    ledger = write_ledger(tmp_path, "1,甲,,117.01,25.01")
    for arguments, said in (
        ([ledger, "--village", "350524102299"], "no village 350524102299"),
        ([tmp_path / "none.csv", "--village", village], "nothing there"),
        ([ledger, "--village", village, "--crs", "mars"], "gcj02"),
        ([ledger, "--village", village, "--column", "colour=红"], "ROLE=NAME"),
        ([ledger, "--village", village, "--column", "lon=东"], "expected the column '东'"),
    ):
        done = mapgrid("import", "households", *arguments, ends_with=2)
        assert said in done.stderr
        assert "Traceback" not in done.output


def test_the_codes_of_a_file_can_be_left_out(mapgrid, session, village, tmp_path):
    ledger = write_ledger(tmp_path, "JX-甲-7,甲,,117.01,25.01")
    done = mapgrid("import", "households", ledger, "--village", village, ends_with=2)
    assert "--column code=" in done.stderr
    mapgrid("import", "households", ledger, "--village", village, "--column", "code=")
    assert households.load_households(session, VILLAGE)["code"].tolist() == [f"{VILLAGE}000001"]


def test_a_code_that_excel_made_a_number_says_to_format_it_as_text(mapgrid, village, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["户号", "经度", "纬度"])
    book.active.append([350524102201000001, 117.01, 25.01])
    book.save(tmp_path / "h.xlsx")
    done = mapgrid("import", "households", tmp_path / "h.xlsx", "--village", village, ends_with=2)
    assert "format the column as text" in done.stderr


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("${window.X=1}", "${window.X=1}"),
        ("`", "`"),
        ("C:\\path\\2019", "C:\\path\\2019"),
        ("=1+1", "=1+1"),
        ("'=1+1", "=1+1"),
    ],
)
def test_names_are_stored_as_they_stand_and_a_neutralised_formula_as_it_was(
    mapgrid, session, village, tmp_path, written, kept
):
    mapgrid("import", "households", write_ledger(tmp_path, f"1,{written},,117.01,25.01"), "--village", village)
    assert households.load_head_names(session, VILLAGE) == {f"{VILLAGE}000001": kept}


def test_a_name_of_a_thousand_characters_is_refused(mapgrid, village, tmp_path):
    done = mapgrid(
        "import",
        "households",
        write_ledger(tmp_path, f"1,{'长' * 1000},,117.01,25.01"),
        "--village",
        village,
        ends_with=2,
    )
    assert "column 户主姓名: expected at most 500 characters, found 1000" in done.stderr


def test_house_outlines_are_taken_by_a_point_inside_and_lines_are_refused(mapgrid, session, village, tmp_path):
    house = box(117.01, 25.01, 117.0101, 25.0101)
    write(tmp_path / "h.geojson", house, LineString([(117.02, 25.02), (117.03, 25.03)]))
    done = mapgrid("import", "households", tmp_path / "h.geojson", "--village", village, "--accept-rows", ends_with=3)
    assert "found a LineString" in done.stderr
    assert house.contains(households.load_households(session, VILLAGE).geometry.iloc[0])


def test_five_households_twenty_kilometres_away_are_named(mapgrid, village, tmp_path):
    near = [f"{n},甲{n},,117.0{n},25.05" for n in range(1, 6)]
    far = [f"{n},乙{n},,117.3{n - 6},25.05" for n in range(6, 11)]
    report = report_of(
        mapgrid,
        tmp_path,
        "import",
        "households",
        write_ledger(tmp_path, *near, *far),
        "--village",
        village,
        ends_with=3,
    )
    assert [fault["row"] for fault in report["faults"]] == [7, 8, 9, 10, 11]
    assert report["faults"][0]["found"] == "20.2 km outside"


def test_a_filled_template_is_imported_as_it_is(mapgrid, session, village, tmp_path):
    mapgrid("import", "template", "--out", tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    book.active["A3"], book.active["B3"], book.active["C3"] = "1", "甲", "13800001234"
    book.active["E3"], book.active["H3"], book.active["J3"], book.active["K3"] = "一组", "红", 117.01, 25.01
    book.save(tmp_path / "filled.xlsx")
    done = mapgrid("import", "households", tmp_path / "filled.xlsx", "--village", village)
    assert "Stored 1 of 1 rows: 1 added" in done.stdout
    assert households.load_households(session, VILLAGE)["tier"].tolist() == ["red"]
    mapgrid("import", "template", "--out", tmp_path / "t.xlsx", ends_with=2)


def test_a_column_of_codes_that_is_empty_throughout_numbers_the_households(mapgrid, session, village, tmp_path):
    done = mapgrid("import", "households", write_ledger(tmp_path, ",甲,,117.01,25.01"), "--village", village)
    assert "户号 is empty: households are numbered" in done.stderr
    assert households.load_households(session, VILLAGE)["code"].tolist() == [f"{VILLAGE}000001"]


def test_an_empty_template_has_no_row(mapgrid, village, tmp_path):
    mapgrid("import", "template", "--out", tmp_path / "t.xlsx")
    done = mapgrid("import", "households", tmp_path / "t.xlsx", "--village", village, ends_with=2)
    assert "expected at least one row, found none" in done.stderr


def test_two_imports_of_one_file_at_once_end_with_one_set_of_households(mapgrid, engine, session, village, tmp_path):
    ledger = write_ledger(tmp_path, *(f"117.0{n},25.0{n}" for n in range(1, 9)), header="lon,lat\n")

    def run(_number):
        with session_maker(engine).begin() as own:
            return import_households(own, str(ledger), village, ImportOptions()).counts["added"]

    with ThreadPoolExecutor(4) as pool:
        added = sorted(pool.map(run, range(4)))
    assert added == [0, 0, 0, 8]
    assert count(session, "household") == 8
