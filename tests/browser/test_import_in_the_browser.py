"""Bringing files in, in a real browser, on a desk and on a phone."""

import csv
import io
import shutil
from pathlib import Path

import geopandas as gpd
import pytest
from drawn_village import VILLAGE
from playwright.sync_api import expect
from shapely import box
from sqlalchemy import text
from test_hostile_text import PAYLOADS


@pytest.fixture(autouse=True)
def no_upload_is_left(app):
    yield
    shutil.rmtree(Path(app.config["SETTINGS"].home) / "uploads", ignore_errors=True)


def _places(session):
    rows = session.execute(text("SELECT ST_X(place), ST_Y(place) FROM household ORDER BY code")).all()
    session.rollback()
    return [tuple(row) for row in rows]


def _ledger(*rows, header=("户号", "户主姓名", "经度", "纬度")):
    target = io.StringIO()
    csv.writer(target).writerows([header, *rows])
    return target.getvalue().encode()


def _send(page, live_url, content, name="台账.csv", kind="households"):
    page.goto(f"{live_url}/import/{VILLAGE}")
    page.locator("select[name=kind]").select_option(kind)
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.locator("form.fields button").click()
    page.wait_for_selector(".verdict")


def _is_as_wide_as_the_screen(page):
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_ledger_is_sent_looked_at_and_stored(drawn, watched, live_url, session, width, language):
    watched.set_viewport_size({"width": width, "height": 844})
    (x, y), *_ = _places(session)
    _send(watched, live_url, _ledger(["101", "甲", x, y], ["102", "乙", 118, 25], ["103", "丙", "x", y]))
    watched.wait_for_selector("html[data-map=ready]")
    expect(watched.locator(".faults tbody tr")).to_have_count(2)
    assert _is_as_wide_as_the_screen(watched)
    watched.locator("button.place").click()
    expect(watched.locator(".leaflet-selection-pane path")).to_have_count(1)
    assert session.scalar(text("SELECT count(*) FROM household")) == 8
    session.rollback()
    watched.locator("input[name=accept_rows]").check()
    watched.locator("form.work.actions button").click()
    watched.wait_for_selector(".told")
    assert session.scalar(text("SELECT count(*) FROM household")) == 9
    assert _is_as_wide_as_the_screen(watched)
    assert watched.faults == []


def test_columns_are_matched_by_hand_and_looked_at_again(drawn, watched, live_url, session):
    (x, y), *_ = _places(session)
    _send(watched, live_url, _ledger(["101", x, y], header=("编号", "东", "北")))
    expect(watched.locator(".verdict.refused")).to_be_visible()
    watched.locator("select[name=crs]").select_option("4326")
    for role, column in (("x", "东"), ("y", "北"), ("code", "编号")):
        watched.locator(f"select[name=column-{role}]").select_option(column)
    watched.locator("form.look > button").click()
    expect(watched.locator(".verdict.accepted")).to_be_visible(timeout=30_000)
    expect(watched.locator("select[name=column-x]")).to_have_value("东")
    assert watched.faults == []


def test_hostile_text_of_a_file_runs_nowhere(drawn, watched, live_url, session):
    (x, y), *_ = _places(session)
    rows = [[str(n), payload, x, "x"] for n, payload in enumerate(PAYLOADS, start=101)]
    header = ("户号", "户主姓名", "经度", PAYLOADS[0])
    rows = [[*row[:3], y] for row in rows] + [["x" + payload, "甲", x, y] for payload in PAYLOADS]
    _send(watched, live_url, _ledger(*rows, header=header), name="<img src=x onerror=alert(1)>${1+1}.csv")
    watched.locator("select[name=crs]").select_option("4326")
    watched.locator("select[name=column-y]").select_option(PAYLOADS[0].strip())
    watched.locator("form.look > button").click()
    expect(watched.locator(".faults tbody tr").first).to_be_visible()
    watched.wait_for_selector("html[data-map=ready]")
    assert watched.evaluate("window.X === undefined && window.hacked === undefined")
    assert watched.faults == []


def test_grids_show_on_the_map_before_they_are_stored_as_a_draft(drawn, watched, live_url, session, tmp_path):
    west, south, east, north = session.execute(
        text("SELECT ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b) FROM (SELECT boundary::box3d b FROM area"
             " WHERE boundary IS NOT NULL) AS boxes")
    ).one()  # fmt: skip
    session.rollback()
    middle = (west + east) / 2
    halves = [box(west, south, middle, north), box(middle, south, east, north)]
    gpd.GeoDataFrame({"grid": ["011", "012"]}, geometry=halves, crs=4326).to_file(tmp_path / "g.gpkg")
    _send(watched, live_url, (tmp_path / "g.gpkg").read_bytes(), name="旧网格.gpkg", kind="grids")
    watched.wait_for_selector("html[data-map=ready]")
    expect(watched.locator(".grid-shape")).to_have_count(2)
    watched.locator("form.work.actions button").click()
    watched.wait_for_selector(".told")
    assert session.execute(text("SELECT name, state FROM plan WHERE state = 'draft'")).all() == [("旧网格", "draft")]
    # The file is gone once it is stored; a question about it that was on its way then finds nothing.
    assert [fault for fault in watched.faults if "404" not in fault] == []


def test_the_import_is_reached_by_keyboard_alone(drawn, watched, live_url, session):
    watched.goto(f"{live_url}/import")
    reached = set()
    for _ in range(30):
        watched.keyboard.press("Tab")
        reached.add(watched.evaluate("document.activeElement.getAttribute('href') ?? document.activeElement.name"))
    assert {f"/import/{VILLAGE}", "code"} <= reached
