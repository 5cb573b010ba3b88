"""The trail: written with what it tells of, chained, only ever added to, read by auditors."""

import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from drawn_village import NOW, VILLAGE, household, save_drawn_village
from signed_in import sign_in
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geodata import audit
from geodata.database import open_web_engine, session_maker
from geodata.scoping import bind
from mapgrid.roles import Role
from web import labels
from web.cli import main


@pytest.fixture
def village(app, session):
    app.config["CLOCK"] = lambda: NOW
    app.config["WTF_CSRF_ENABLED"] = False
    save_drawn_village(session)
    sign_in(session, "auditor", (Role.AUDITOR, ""))
    sign_in(session, "leader", (Role.VILLAGE_LEADER, VILLAGE))
    session.commit()
    return VILLAGE


@pytest.fixture
def leader(app, village):
    browser = app.test_client()
    browser.set_cookie("mapgrid", "leader")
    return browser


@pytest.fixture
def auditor(app, village):
    browser = app.test_client()
    browser.set_cookie("mapgrid", "auditor")
    return browser


@pytest.fixture
def mapgrid(database_url):
    def run(*arguments, ends_with=0):
        done = CliRunner(env={"MAPGRID_DATABASE_URL": database_url}).invoke(main, list(arguments))
        assert done.exit_code == ends_with, done.output
        return done.output

    return run


def _entries(session):
    session.rollback()
    return session.execute(text("SELECT * FROM audit_entry ORDER BY id")).mappings().all()


def test_a_look_at_a_household_is_kept_with_who_when_where_and_the_request(leader, session):
    leader.get(f"/api/households/{household(0)}")
    (entry,) = _entries(session)
    assert (entry["action"], entry["subject"], entry["login"]) == ("household.read", household(0), "leader")
    assert (entry["area_code"], entry["is_success"], entry["address"]) == (f"{VILLAGE}001", True, "127.0.0.1")
    assert entry["at"] == NOW
    assert re.fullmatch("[0-9a-f]{12}", entry["request_id"])


def test_a_household_in_full_needs_a_purpose_and_leaves_a_trace_without_names(leader, session):
    address = f"/api/households/{household(0)}/unmask"
    assert leader.post(address, json={}).status_code == 422
    assert leader.post(address, json={"purpose": "curiosity"}).status_code == 422
    assert _entries(session) == []
    full = leader.post(address, json={"purpose": "visit"}).json
    assert full["members"][0]["name"] == "张伟"
    assert full["members"][0]["phone"] == "00012345678"
    (entry,) = _entries(session)
    assert (entry["action"], entry["detail"]) == ("household.unmask", {"purpose": "visit"})
    assert "张伟" not in str(dict(entry))


def test_what_is_undone_leaves_no_entry(session):
    audit.record(session, "plan.publish", VILLAGE)
    session.execute(text("SELECT 1"))
    session.rollback()
    session.execute(text("SELECT 1"))
    session.commit()
    assert _entries(session) == []


def test_a_refused_sign_in_is_kept_as_such(app, village, session):
    app.test_client().post("/sign-in", data={"login": "leader", "password": "wrong"})
    (entry,) = _entries(session)
    assert (entry["action"], entry["login"], entry["is_success"]) == ("sign_in", "leader", False)


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit_entry SET login = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
)
def test_nobody_changes_the_trail_not_even_the_owner(leader, session, change):
    leader.get(f"/api/households/{household(0)}")
    with pytest.raises(DBAPIError, match="only ever added to"):
        session.execute(text(change))


def test_an_entry_in_somebody_else_s_name_is_refused(app, village, database_url, session):
    other = session.scalar(text("SELECT id FROM account WHERE login = 'auditor'"))
    engine = open_web_engine(database_url)
    with engine.connect() as connection:
        connection.execute(text("SELECT mapgrid_enter(1, NULL, NULL)"))
        with pytest.raises(DBAPIError, match="row-level security"):
            connection.execute(
                text(
                    "INSERT INTO audit_entry (id, at, account_id, action, is_success, detail, previous_hash, hash)"
                    " VALUES (0, now(), :other, 'x', true, '{}', '', '')"
                ),
                {"other": other + 99},
            )
    engine.dispose()


def _some_entries(leader, count=5):
    for number in range(count):
        leader.get(f"/api/households/{household(number)}")


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit_entry SET subject = 'x' WHERE id = 3", {3}),
        ("UPDATE audit_entry SET at = at + interval '1 second' WHERE id = 2", {2}),
        ("DELETE FROM audit_entry WHERE id = 3", {4}),
        ("DELETE FROM audit_entry WHERE id = 1", {2}),
        ('UPDATE audit_entry SET detail = \'{"purpose": "case"}\' WHERE id = 5', {5}),
    ],
)
def test_a_trail_that_somebody_with_all_rights_tampered_with_is_found_broken(leader, session, mapgrid, change, broken):
    _some_entries(leader)
    assert "whole; head 5:" in mapgrid("audit", "verify")
    session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
    session.execute(text(change))
    session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))
    session.commit()
    assert {found.id for found in audit.find_breaks(session)} == broken
    mapgrid("audit", "verify", ends_with=1)


def test_a_trail_cut_off_at_its_end_is_found_by_the_head_noted_before(leader, session, mapgrid):
    _some_entries(leader)
    head = mapgrid("audit", "verify").split("head ")[1].strip()
    session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
    session.execute(text("DELETE FROM audit_entry WHERE id = 5"))
    session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))
    session.commit()
    mapgrid("audit", "verify")
    mapgrid("audit", "verify", "--head", head, ends_with=1)


def test_old_entries_leave_after_184_days_at_the_earliest_and_the_rest_stays_whole(session, mapgrid):
    for age in (400, 300, 190, 180, 0):
        audit.describe_request(session, at=NOW.replace(year=2026), request_id=None, address=None)
        session.info["request"]["at"] = session.scalar(text("SELECT now() - make_interval(days => :age)"), {"age": age})
        audit.record(session, "test", str(age))
        session.commit()
    mapgrid("audit", "prune", "--days", "100", ends_with=2)
    assert "removed 1 " in mapgrid("audit", "prune")
    assert "removed 2 " in mapgrid("audit", "prune", "--days", "184")
    assert [entry["subject"] for entry in _entries(session)] == ["180", "0"]
    assert "whole; head 5:" in mapgrid("audit", "verify")


def test_the_chain_has_one_end_however_many_write_at_once(village, database_url, session):
    engine = open_web_engine(database_url, pool_size=8)
    sessions = session_maker(engine)

    def write(number):
        with sessions() as writer:
            bind(writer, None, NOW.date())
            audit.record(writer, "test", str(number))
            writer.execute(text("SELECT 1"))
            writer.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    engine.dispose()
    assert [entry["id"] for entry in _entries(session)] == list(range(1, 81))
    assert audit.find_breaks(session) == []


def test_the_auditor_filters_checks_and_exports(auditor, leader, session):
    _some_entries(leader)
    leader.post(f"/api/households/{household(0)}/unmask", json={"purpose": "visit"})
    page = auditor.get("/audit?q=household.unmask&check=1", headers={"Accept-Language": "en"})
    assert page.text.count("<tr") == 2
    assert "The trail is whole" in page.text
    export = auditor.get("/audit.csv?q=household")
    rows = list(csv.DictReader(io.StringIO(export.text.lstrip("\ufeff"))))
    assert [row["action"] for row in rows] == ["household.read"] * 5 + ["household.unmask"]
    assert auditor.get("/audit?since=yesterday").status_code == 400
    assert _entries(session)[-1]["action"] == "audit.export"


def test_a_cell_that_a_spreadsheet_would_compute_is_exported_as_text(app, auditor):
    app.test_client().post("/sign-in", data={"login": "=HYPERLINK(1)", "password": "x"})
    rows = list(csv.DictReader(io.StringIO(auditor.get("/audit.csv").text.lstrip("\ufeff"))))
    assert rows[0]["login"] == "'=hyperlink(1)"


def test_an_auditor_of_one_area_sees_what_belongs_to_it(app, leader, session):
    leader.get(f"/api/households/{household(0)}")
    for login, area, seen in (("here", VILLAGE, True), ("elsewhere", "990102", False)):
        sign_in(session, login, (Role.AUDITOR, area))
        session.commit()
        browser = app.test_client()
        browser.set_cookie("mapgrid", login)
        assert (household(0) in browser.get("/audit").text) is seen


@pytest.mark.parametrize(("tag", "said"), [("zh", "用途: 走访或电话联系"), ("en", "purpose: a visit or a call")])
def test_details_are_told_in_the_reader_s_language(app, tag, said):
    with app.test_request_context(headers={"Accept-Language": tag}):
        assert labels.audit_detail("purpose", "visit") == said
        assert labels.audit_detail("rows_in", 3) == "rows_in: 3"
