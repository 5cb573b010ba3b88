"""Files brought in through the pages: looked at first, matched, stored only then; and the same as JSON."""

import csv
import io
import os
import re
import shutil
import threading
import time
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
from filling import with_many_villages
from many_villages import CLOCK, VILLAGES
from shapely import box
from signed_in import sign_in
from sqlalchemy import text

from geodata.audit import load_entries
from mapgrid.exports import harmless_cell
from mapgrid.roles import Role

VILLAGE = VILLAGES[0]
NEW = f"{VILLAGE[:9]}288"
LAND = box(117.0, 25.0, 117.1, 25.1)
LEDGER = "户号,户主姓名,户主联系方式,经度,纬度\n1,甲,13800001234,117.01,25.01\n2,乙,,117.02,25.02\n"


@pytest.fixture
def template(filled):
    return filled("many_villages", with_many_villages)


@pytest.fixture
def planner(app, session, tmp_path):
    """Return the browser of a planner of a town in which a village of ten kilometres has just been founded."""
    app.config.update(CLOCK=lambda: CLOCK, WTF_CSRF_ENABLED=False)
    sign_in(session, "planner", (Role.PLANNER, VILLAGE[:9]))
    sign_in(session, "other", (Role.PLANNER, VILLAGE[:9]))
    sign_in(session, "worker", (Role.WORKER, f"{VILLAGE}001"))
    session.commit()
    browser = _browser(app, "planner")
    gpd.GeoDataFrame({"name": ["新村"]}, geometry=[LAND], crs=4326).to_file(tmp_path / "land.gpkg")
    answer = _api(browser, (tmp_path / "land.gpkg").read_bytes(), "land.gpkg", kind="village", dry_run="no")
    assert answer.status_code == 200, answer.text
    yield browser
    shutil.rmtree(_uploads(app), ignore_errors=True)


def _browser(app, login):
    browser = app.test_client()
    browser.set_cookie("mapgrid", login)
    browser.set_cookie("language", "en")
    return browser


def _uploads(app):
    return Path(app.config["SETTINGS"].home) / "uploads"


def _api(browser, content, name, *, code=NEW, **form):
    data = {"file": (io.BytesIO(content), name), **form}
    return browser.post(f"/api/villages/{code}/imports", data=data, content_type="multipart/form-data")


def _send(browser, content, name="台账.csv", kind="households", code=NEW):
    data = {"file": (io.BytesIO(content), name), "kind": kind}
    answer = browser.post(f"/import/{code}", data=data, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return answer.location


def _look(browser, place, **form):
    answer = browser.post(place, data={"do": "look", **form})
    assert (answer.status_code, answer.location) == (303, place)
    return browser.get(place).text


def _count(session, table, code=NEW):
    session.rollback()
    return session.scalar(text(f"SELECT count(*) FROM {table} WHERE village_code = :code"), {"code": code})  # noqa: S608


def test_a_file_is_looked_at_then_stored_and_leaves_neither_itself_nor_a_doubt(app, planner, session):
    place = _send(planner, LEDGER.encode("gbk"))
    page = _look(planner, place)
    assert "Accepted as it is" in page
    assert _count(session, "household") == 0
    answer = planner.post(place, data={"do": "store"})
    assert answer.location == f"/import/{NEW}"
    assert "Stored: 2 new" in planner.get(answer.location).text
    assert _count(session, "household") == 2
    assert list(_uploads(app).iterdir()) == []
    assert planner.get(place).status_code == 404
    entry = load_entries(session, words="import.households")[1][0]
    assert (entry.login, entry.subject, entry.area_code) == ("planner", NEW, NEW)
    assert entry.detail["rows_ok"] == 2
    assert "甲" not in str(entry.detail)


def test_the_same_file_again_says_that_nothing_changed(planner):
    for expected in ("Stored: 2 new", "nothing changed"):
        place = _send(planner, LEDGER.encode())
        _look(planner, place)
        assert expected in planner.get(planner.post(place, data={"do": "store"}).location).text


def test_what_was_recognised_is_shown_and_can_be_corrected(planner, session):
    content = "编号,东,北\n1,117.01,25.01\n".encode()
    place = _send(planner, content)
    page = _look(planner, place)
    assert "Refused" in page
    assert '<option value="东">' in page
    page = _look(planner, place, **{"column-x": "东", "column-y": "北", "column-code": "编号"})
    assert "Accepted as it is" in page
    assert '<option value="东" selected>' in page
    planner.post(place, data={"do": "store"})
    assert _count(session, "household") == 1


def test_faults_stand_in_a_table_by_row_with_their_place_on_the_map(planner):
    place = _send(planner, (LEDGER + "3,丙,,118.5,25.01\n4,丁,,x,25.01\n").encode())
    page = _look(planner, place)
    assert "Some rows are refused" in page
    assert 'data-lon="118.5" data-lat="25.01">4</button>' in page
    assert re.search(r'<td data-label="Row">5</td>\s*<td data-label="Column">经度</td>', page)
    assert "folium-map" in page


def test_sound_rows_are_stored_alone_only_on_demand(planner, session):
    place = _send(planner, (LEDGER + "3,丙,,118.5,25.01\n").encode())
    _look(planner, place)
    assert planner.post(place, data={"do": "store"}).location == place
    assert _count(session, "household") == 0
    assert planner.post(place, data={"do": "store", "accept_rows": "yes"}).location == f"/import/{NEW}"
    assert _count(session, "household") == 2


def test_faults_can_be_taken_away_as_a_table_that_computes_nothing(planner):
    place = _send(planner, (LEDGER + '3,丙,,"=1+1",25.01\n').encode())
    _look(planner, place)
    answer = planner.get(f"{place}/faults.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["row"], row["column"]) for row in rows] == [("4", "经度")]
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())


@pytest.mark.parametrize("name", ["=1+1", "+86", "-x", "@x", "\tx", "＝x", "'x", "'=x", "plain"])
def test_what_an_export_guards_comes_back_as_it_was(planner, session, name):
    text_of = io.StringIO()
    rows = [["户号", "户主姓名", "经度", "纬度"], ["1", harmless_cell(name), "117.01", "25.01"]]
    csv.writer(text_of).writerows(rows)
    answer = _api(planner, text_of.getvalue().encode(), "h.csv", kind="households", dry_run="no")
    assert answer.json["stored"], answer.json
    kept = session.scalar(text("SELECT full_name FROM person WHERE household_code = :code"), {"code": f"{NEW}000001"})
    assert kept == name


def test_the_api_gives_the_report_of_the_command_line(planner, session):
    answer = _api(planner, (LEDGER + "3,丙,,118.5,25.01\n").encode(), "台账.csv", kind="households")
    assert answer.status_code == 200
    report = answer.json
    assert (report["verdict"], report["stored"], report["rows_in"], report["rows_ok"]) == ("rows_refused", False, 3, 2)
    (fault,) = report["faults"]
    assert (fault["file"], fault["row"], fault["column"]) == ("台账.csv", 4, "经度, 纬度")
    assert _api(planner, LEDGER.encode(), "h.csv", kind="households").json["added"] == 2
    refused = _api(planner, b"\x7fELF\x00\x00", "h.gpkg", kind="grids", dry_run="no")
    assert (refused.status_code, refused.json["verdict"]) == (422, "refused")
    assert _count(session, "household") == 0


def test_grids_come_in_as_a_draft_plan(planner, session, tmp_path):
    _api(planner, LEDGER.encode(), "h.csv", kind="households", dry_run="no")
    gpd.GeoDataFrame(geometry=[LAND], crs=4326).to_file(tmp_path / "g.gpkg")
    answer = _api(planner, (tmp_path / "g.gpkg").read_bytes(), "旧网格.gpkg", kind="grids", dry_run="no")
    assert answer.json["stored"], answer.json
    session.rollback()
    plans = session.execute(text("SELECT name, state FROM plan WHERE village_code = :code"), {"code": NEW}).all()
    assert [tuple(plan) for plan in plans] == [("旧网格", "draft")]


def test_another_planner_a_worker_and_another_village_do_not_find_the_file(app, planner):
    place = _send(planner, LEDGER.encode())
    token = place.rpartition("/")[2]
    assert _browser(app, "other").get(place).status_code == 404
    assert _browser(app, "worker").get(place).status_code == 404
    assert planner.get(f"/import/{VILLAGE}/{token}").status_code == 404
    assert planner.get(f"/import/{NEW}/..%2f..%2fsecret.key").status_code == 404
    assert planner.get(f"/import/990201101201/{token}").status_code == 404


def test_a_village_outside_of_the_scope_is_not_to_be_founded(planner, session):
    answer = _api(planner, LEDGER.encode(), "h.csv", code="990201101201", kind="village", dry_run="no")
    assert answer.status_code == 404


def test_a_file_too_large_is_refused_with_the_limit(app, planner, monkeypatch):
    monkeypatch.setattr(app.view_functions["imports.upload"], "longest_body", 1000)
    data = {"file": (io.BytesIO(b"x" * 5000), "h.csv"), "kind": "households"}
    answer = planner.post(f"/import/{NEW}", data=data, content_type="multipart/form-data")
    assert answer.status_code == 413
    assert "64 MiB" in answer.text
    assert not _uploads(app).exists() or list(_uploads(app).iterdir()) == []


def test_without_a_file_the_page_asks_again(planner):
    answer = planner.post(f"/import/{NEW}", data={"kind": "households"}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "Choose a file" in answer.text


def test_files_are_private_and_old_ones_go(app, planner):
    place = _send(planner, LEDGER.encode(), name="../../etc/台账\u202e.csv")
    (directory,) = _uploads(app).iterdir()
    assert directory.stat().st_mode & 0o077 == 0
    assert _uploads(app).stat().st_mode & 0o077 == 0
    assert [path.name for path in (directory / "file").iterdir()] == ["台账.csv"]
    hour_ago = time.time() - 4000
    os.utime(directory, (hour_ago, hour_ago))
    _send(planner, LEDGER.encode())
    assert planner.get(place).status_code == 404
    assert not directory.exists()


def test_a_file_can_be_removed_unused(app, planner):
    place = _send(planner, LEDGER.encode())
    assert planner.post(f"{place}/drop").status_code == 303
    assert list(_uploads(app).iterdir()) == []


def test_long_work_says_what_it_does_and_can_be_given_up(app, planner, session):
    rows = "".join(f"{n},甲,,117.{n % 99 + 1:03d},25.05\n" for n in range(1, 9_001))
    place = _send(planner, (LEDGER.splitlines()[0] + "\n" + rows).encode())
    api = f"/api/villages/{NEW}/imports/{place.rpartition('/')[2]}"
    asked = _browser(app, "planner")
    answers = []
    work = threading.Thread(target=lambda: answers.append(planner.post(place, data={"do": "look"})))
    began = time.monotonic()
    work.start()
    while asked.get(api).json["stage"] is None and time.monotonic() - began < 20:
        time.sleep(0.02)
    assert asked.get(api).json["stage"] in {"reading", "checking", "storing"}
    assert asked.post(f"{api}/cancel").json["given_up"]
    work.join()
    assert answers[0].location == place
    assert "Given up" in planner.get(place).text
    assert _count(session, "household") == 0
    assert "Accepted" in _look(planner, _send(planner, LEDGER.encode()))


@pytest.mark.parametrize("kind", ["village", "households", "units", "barriers", "grids"])
def test_templates_are_read_by_the_import_they_are_for(planner, tmp_path, kind):
    answer = planner.get(f"/import/template/{kind}")
    assert answer.status_code == 200
    if kind == "households":
        sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
        sheet.append(["1", "甲", None, None, None, None, None, None, None, 117.01, 25.01])
        assert next(cell.value for cell in sheet[2]) == "户号"
        return
    (tmp_path / "t.gpkg").write_bytes(answer.data)
    empty = gpd.read_file(tmp_path / "t.gpkg")
    assert len(empty) == 0
    report = _api(planner, answer.data, "t.gpkg", kind=kind).json
    assert report["faults"][0]["expected"] in {"at least one row", "a village with households in the store"}


@pytest.mark.parametrize(("language", "word"), [("zh", "全部网格"), ("en", "Import")])
def test_the_page_speaks_both_languages(planner, language, word):
    planner.set_cookie("language", language)
    page = planner.get(f"/import/{NEW}").text
    assert {"zh": "选择文件", "en": "Look at the file"}[language] in page or {"zh": "查看文件", "en": "x"}[
        language
    ] in page


def test_a_fault_is_told_in_the_readers_language(planner):
    planner.set_cookie("language", "zh")
    page = _look(planner, _send(planner, (LEDGER + "3,丙,,x,25.01\n").encode()))
    assert '<td data-label="应为">数字</td>' in page


def test_planners_find_the_import_in_the_bar_and_workers_do_not(app, planner):
    assert 'href="/import"' in planner.get("/import").text
    assert _browser(app, "worker").get("/import").status_code == 404
    assert "新村" in planner.get("/import").text
    assert planner.get(f"/import?code={NEW}").location == f"/import/{NEW}"
    assert "12 digits" in planner.get("/import?code=12").text
