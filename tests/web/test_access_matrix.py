"""Everybody on every route, against the table in tests/data/access.txt; then the fences one by one."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest
from access_table import HIDDEN, PLACES, RELATIONS, address_of, ask, names_the_area, routes, store, table
from flask import g
from many_villages import GRIDS, VILLAGES, WORDS, case, household
from sqlalchemy import text

from geodata import scoping
from geodata.database import open_web_engine, session_maker
from geodata.tables import Case, Grid, Household, Person
from mapgrid.roles import GIVEN_ROLES, ROLES, Actor, Permission, reaches
from web import database

TABLE = Path(__file__).parent.parent / "data" / "access.txt"
PLAN_DAY = date(2026, 3, 5)
FORM_TOKEN = re.compile(r'name="csrf.token" (value|content)="[^"]+"')
REQUEST_NUMBER = re.compile(r"\b[0-9a-f]{12}\b")


@pytest.fixture
def guarded(database_url):
    with store(database_url) as (app, accounts):
        yield app, accounts


@pytest.mark.timeout(300)
def test_everybody_gets_on_every_route_what_the_table_says(guarded):
    app, accounts = guarded
    assert list(table(app, accounts)) == TABLE.read_text().splitlines()


def test_every_route_says_who_may_call_it(app):
    unguarded = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not hasattr(app.view_functions[rule.endpoint], "guard")
    ]
    assert unguarded == []


def test_what_is_not_theirs_is_answered_like_what_is_nowhere(guarded):
    """Status, headers and body are those of a place that does not exist."""
    app, accounts = guarded
    leaks = []
    for route, method, rule in routes(app):
        if rule.arguments.isdisjoint({"code", "number", "account_id", "plan"}):
            continue
        for who, places in PLACES.items():
            nowhere = _seen(app, who, method, address_of(rule, places[RELATIONS.index("nonexistent")], accounts))
            for relation in HIDDEN:
                area = places[RELATIONS.index(relation)]
                if area.startswith(places[0]) or (relation == "parent" and not names_the_area(rule)):
                    continue  # the place itself, or the first village of what is above: their own
                got = _seen(app, who, method, address_of(rule, area, accounts))
                if got != nowhere:
                    leaks.append(f"{who} {method} {route} {relation}: {got} instead of {nowhere}")
    assert not leaks, leaks[:2]


def _seen(app, who, method, address):
    answer = ask(app, who, method, address)
    headers = {
        name: re.sub(r"nonce-[\w-]+", "nonce", value)
        for name, value in answer.headers.items()
        if name not in {"Date", "Content-Length", "Set-Cookie", "X-Request-Id"}
    }
    body = FORM_TOKEN.sub("", answer.text)
    for written in (quote(address, safe=""), quote(address), address):
        body = body.replace(written, "ADDRESS")
    body = REQUEST_NUMBER.sub("N", body)
    location = headers.pop("Location", "")
    return answer.status_code, headers, body, location.split("?")[0]


@pytest.mark.parametrize("who", [who for who in PLACES if who != "anonymous"])
def test_nothing_somebody_can_fetch_carries_a_word_of_a_foreign_area(guarded, who):
    app, accounts = guarded
    area = PLACES[who][0]
    seen = "\n".join(ask(app, who, "GET", address).text for address in _all_addresses(app, accounts))
    foreign = [word for word in WORDS if word.text in seen and not _may_read(who, area, word)]
    assert foreign == []
    expected = [word for word in WORDS if word.kind == "grid" and reaches(area, word.code)]
    if Permission.SEE_PEOPLE in ROLES[who].permissions:
        assert [word for word in expected if word.text not in seen] == []


def _all_addresses(app, accounts):
    places = {*VILLAGES, *GRIDS, *(village[:digits] for village in VILLAGES for digits in (6, 9))}
    for _route, method, rule in routes(app):
        if method != "GET" or rule.endpoint == "account.sign_out":
            continue
        if not rule.arguments:
            yield rule.rule
        elif rule.arguments <= {"code", "number", "account_id", "plan"}:
            for place in sorted(places):
                yield address_of(rule, place, accounts)
    for village in VILLAGES:
        yield from (f"/api/households/{household(village, n)}" for n in range(8))
        yield from (f"/api/cases/{case(village, n)}" for n in range(3))
    for word in WORDS:
        yield f"/api/search?q={word.text}&limit=50"
    yield "/api/search?q=w&limit=50"
    yield "/api/search?q=001&limit=50"


def _may_read(who, area, word):
    permissions = ROLES[who].permissions
    if word.kind == "name":
        is_ours = word.code.startswith(area[: len(word.code)]) and Permission.SEE_MAP in permissions
    elif word.kind == "village":
        is_ours = word.code.startswith(area[:12]) and Permission.SEE_MAP in permissions
    else:
        is_ours = reaches(area, word.code)
    return is_ours


@pytest.mark.parametrize("who", [who for who in PLACES if who != "anonymous"])
def test_the_second_fence_holds_when_the_first_is_away(guarded, who, monkeypatch):
    """With no condition in any query the database still gives no foreign row."""
    app, _accounts = guarded
    monkeypatch.setattr(scoping, "_condition", lambda *_asked: scoping.true())
    area = PLACES[who][0]
    with app.test_request_context("/", headers={"Cookie": f"mapgrid={who}"}):
        session = database.session()
        assert g.sign_in.actor.areas(Permission.SEE_MAP) in {(area,), ()}
        codes = set(session.scalars(scoping.select(Household.code)))
        people = set(session.scalars(scoping.select(Person.household_code)))
        grids = set(session.scalars(scoping.select(Grid.code)))
        cases = set(session.scalars(scoping.select(Case.number)))
        session.rollback()
    permissions = ROLES[who].permissions
    ours = {
        household(village, n)
        for village in VILLAGES
        for n in range(8)
        if reaches(area, household(village, n)) or reaches(area, f"{village}{'001' if n % 4 < 2 else '002'}")
    }
    sees = permissions & {Permission.SEE_HOUSEHOLDS, Permission.IMPORT}
    assert codes == (ours if sees else set())
    assert people == (ours if permissions & {Permission.SEE_PEOPLE, Permission.IMPORT} else set())
    assert grids == {grid for grid in GRIDS if reaches(area, grid) and Permission.SEE_MAP in permissions}
    our_cases = {
        case(village, n)
        for village in VILLAGES
        for n in range(3)
        if reaches(area, village) or reaches(area, f"{village}{'001' if n < 2 else '002'}")
    }
    assert cases == (our_cases if Permission.SEE_CASES in permissions else set())


def test_a_thousand_readers_taking_turns_over_four_connections_never_see_each_others_rows(guarded, database_url):
    """Whoever asks in turn over a pool of four connections; a transaction's asker ends with it."""
    assert guarded
    engine = open_web_engine(database_url, pool_size=4)
    sessions = session_maker(engine)
    with sessions() as session:
        ids = dict(session.execute(text("SELECT login, id FROM account")).all())
    workers = {grid: ids[f"managed-{grid}"] for grid in GRIDS if f"managed-{grid}" in ids}
    villages = {village: ids[f"managed-{village}"] for village in VILLAGES if f"managed-{village}" in ids}
    everybody = [*workers.items(), *villages.items()]
    assert len(everybody) >= 4

    def look(turn):
        area, account = everybody[turn % len(everybody)]
        with sessions() as session:
            scoping.bind(session, Actor(account, "x", "x", ()), PLAN_DAY)
            session.info.pop(scoping._CRITERIA)
            seen = set(session.scalars(text("SELECT code FROM grid")))
            if turn % 3 == 0:
                session.commit()
        if turn % 50 == 0:  # a connection that comes back has forgotten who asked
            with engine.connect() as bare:
                assert bare.execute(text("SELECT count(*) FROM household")).scalar_one() == 0
        return {grid for grid in seen if not reaches(area, grid)}

    with ThreadPoolExecutor(8) as pool:
        foreign = set().union(*pool.map(look, range(1000)))
    engine.dispose()
    assert foreign == set()


def test_the_application_s_role_owns_nothing_and_may_not_write_the_trail_anew(guarded):
    app, _accounts = guarded
    with app.extensions["engine"].connect() as connection:
        user = connection.execute(text("SELECT session_user")).scalar_one()
        owned = connection.execute(
            text("SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = session_user")
        ).scalar_one()
        can = {
            right: connection.execute(
                text("SELECT has_table_privilege('audit_entry', :right)"), {"right": right}
            ).scalar_one()
            for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
        }
    assert (user, owned) == ("mapgrid_web", 0)
    assert can == {"INSERT": True, "UPDATE": False, "DELETE": False, "TRUNCATE": False}


def test_every_table_with_rows_of_ours_has_a_fence(guarded):
    app, _accounts = guarded
    with app.extensions["engine"].connect() as connection:
        readable = set(
            connection.scalars(
                text(
                    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                    " AND has_table_privilege(oid, 'SELECT') AND NOT (relrowsecurity AND relforcerowsecurity)"
                )
            )
        )
    assert readable == {"spatial_ref_sys", "alembic_version"}


def test_every_role_is_asked_for():
    assert set(PLACES) == {"anonymous", *GIVEN_ROLES}
