"""One vocabulary of verdicts, whatever is imported: what each word promises, and what is in the store afterwards."""

import pytest
from given import HEADER, LAND, VILLAGE, count, report_of, write, write_ledger
from shapely import LineString, Polygon, box

from mapgrid.errors import Fault
from mapgrid.verdicts import Verdict, rows_refused, verdict_of

SPIKED = Polygon(
    [(117.0, 25.0), (117.0, 25.1), (117.05, 25.1), (117.05, 25.1001), (117.05, 25.1), (117.1, 25.1), (117.1, 25.0)]
)


def test_a_verdict_follows_from_the_faults_alone():
    bad, mended, whole = Fault("a", "b", row=2), Fault("a", "b", row=2, fix="c"), Fault("a", "b")
    assert verdict_of(3, []) is Verdict.ACCEPTED
    assert verdict_of(3, [mended]) is Verdict.FIXED
    assert verdict_of(3, [mended, bad]) is Verdict.ROWS_REFUSED
    assert verdict_of(1, [bad]) is Verdict.REFUSED
    assert verdict_of(3, [whole]) is Verdict.REFUSED
    assert rows_refused([bad, bad, mended]) == 1


def test_a_fault_says_a_code_and_a_fix_only_where_there_is_one():
    assert "fix" not in Fault("a", "b").as_record()
    record = Fault("a", "b", row=1, code="OVERLAP", fix="cut off").as_record()
    assert (record["code"], record["fix"]) == ("OVERLAP", "cut off")
    assert str(Fault("a", "b", fix="cut off")) == "expected a, found b; fixed: cut off"


def test_what_was_mended_is_named_with_what_was_done(mapgrid, session, tmp_path):
    write(tmp_path / "v.geojson", SPIKED)
    arguments = ["import", "village", tmp_path / "v.geojson", "--code", VILLAGE]
    report = report_of(mapgrid, tmp_path, *arguments, ends_with=0)
    assert (report["verdict"], report["stored"], report["rows_in"], report["rows_ok"]) == ("fixed", True, 1, 1)
    (fault,) = report["faults"]
    assert (fault["row"], fault["column"]) == (1, "geometry")
    assert fault["found"].startswith(("Self-intersection", "Ring Self-intersection"))
    assert fault["fix"] == "mended, area kept"


def test_every_import_of_the_same_file_again_changes_nothing_and_says_so(mapgrid, village, session, tmp_path):
    halves = (box(117, 25, 117.05, 25.1), box(117.05, 25, 117.1, 25.1))
    write(tmp_path / "land.gpkg", LAND)
    write(tmp_path / "units.gpkg", *halves, name=["一组", "二组"])
    write(tmp_path / "river.gpkg", LineString([(117, 25), (117.1, 25.1)]), name=["溪"])
    ledger = write_ledger(tmp_path, "1,甲,13800001234,117.01,25.01", "2,乙,,117.02,25.02")
    for first, *arguments in (
        ("2 added", "units", tmp_path / "units.gpkg", "--village", village),
        ("1 added", "barriers", tmp_path / "river.gpkg", "--village", village, "--kind", "waterway"),
        ("2 added", "households", ledger, "--village", village),
        ("0 added", "village", tmp_path / "land.gpkg", "--code", village),
    ):
        assert first in mapgrid("import", *arguments).stdout
        again = mapgrid("import", *arguments).stdout
        assert "0 added, 0 changed" in again
        assert "nothing changed" in again


def test_a_changed_telephone_alone_is_counted(mapgrid, village, tmp_path):
    mapgrid("import", "households", write_ledger(tmp_path, "1,甲,13800001234,117.01,25.01"), "--village", village)
    ledger = write_ledger(tmp_path, "1,甲,13800004321,117.01,25.01")
    report = report_of(mapgrid, tmp_path, "import", "households", ledger, "--village", village, ends_with=0)
    assert (report["changed"], report["people"]) == (0, 1)


def test_a_dry_run_counts_what_would_change_and_changes_nothing(mapgrid, village, session, tmp_path):
    ledger = write_ledger(tmp_path, "1,甲,13800001234,117.01,25.01", "2,乙,,117.02,25.02")
    done = mapgrid("import", "households", ledger, "--village", village, "--dry-run")
    assert "2 added, 0 changed" in done.stderr
    assert "nothing was stored" in done.stderr
    assert count(session, "household") == 0


@pytest.mark.parametrize("option", ["--accept-rows", "--accept-rest"])
def test_sound_rows_are_stored_alone_only_when_that_was_asked_for(mapgrid, village, session, tmp_path, option):
    ledger = write_ledger(tmp_path, "1,甲,,117.01,25.01", "2,乙,,0,0")
    arguments = ["import", "households", ledger, "--village", village]
    report = report_of(mapgrid, tmp_path, *arguments, ends_with=3)
    assert (report["verdict"], report["stored"], report["rows_in"], report["rows_ok"]) == ("rows_refused", False, 2, 1)
    assert count(session, "household") == 0
    assert report_of(mapgrid, tmp_path, *arguments, option, ends_with=3)["stored"]
    assert count(session, "household") == 1


def test_one_bad_row_of_a_hundred_thousand_leaves_the_store_as_it_was(mapgrid, village, session, tmp_path):
    rows = [f"{n},甲,,117.{n % 99 + 1:03d},25.05" for n in range(1, 100_001)]
    rows[99_998] = "99999,甲,,117.05,not a latitude"
    target = write_ledger(tmp_path, *rows, header=HEADER)
    report = report_of(mapgrid, tmp_path, "import", "households", target, "--village", village, ends_with=3)
    assert (report["rows_in"], report["rows_ok"], report["stored"]) == (100_000, 99_999, False)
    (fault,) = report["faults"]
    assert (fault["row"], fault["column"]) == (100_000, "纬度")
    assert count(session, "household") == 0
    assert count(session, "person") == 0


def test_a_report_that_cannot_be_written_is_said_before_anything_is_read(mapgrid, tmp_path):
    write(tmp_path / "v.geojson", LAND)
    target = tmp_path / "no" / "r.json"
    mapgrid("import", "village", tmp_path / "v.geojson", "--code", VILLAGE, "--report", target, ends_with=2)
    assert not target.parent.exists()
