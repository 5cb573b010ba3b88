"""Letting oneself into a village for three hours: within one's town, with a reason, announced, logged, and over."""

from datetime import timedelta

import pytest
from filling import with_many_villages
from many_villages import CLOCK, VILLAGES, household
from signed_in import sign_in
from sqlalchemy import text

from geodata.database import open_web_engine
from mapgrid.roles import Role

OWN, NEXT, OTHER_TOWN, OTHER_DISTRICT = VILLAGES
REASON = "flood: the dike broke above the school"
NOT_FOUND = "No village of your town has this name or code"


@pytest.fixture
def template(filled):
    return filled("many_villages", with_many_villages)


@pytest.fixture
def people(app, session):
    """Store the villages, a worker, leaders and administrators, all signed in."""
    app.config["CLOCK"] = lambda: CLOCK
    app.config["WTF_CSRF_ENABLED"] = False
    numbers = {
        "worker": sign_in(session, "worker", (Role.WORKER, f"{OWN}001")),
        "leader": sign_in(session, "leader", (Role.VILLAGE_LEADER, NEXT)),
        "own-leader": sign_in(session, "own-leader", (Role.VILLAGE_LEADER, OWN)),
        "town": sign_in(session, "town", (Role.TOWN_LEADER, OWN[:9])),
        "admin": sign_in(session, "admin", (Role.ADMINISTRATOR, OWN)),
        "planner": sign_in(session, "planner", (Role.PLANNER, OWN[:9])),
    }
    session.execute(text("UPDATE account SET totp_confirmed_at = '2026-01-01'"))
    session.commit()
    return numbers


@pytest.fixture
def browser(app, people):
    """Return a function that gives the browser in which somebody is signed in."""

    def of(login):
        client = app.test_client()
        client.set_cookie("mapgrid", login)
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return client

    return of


def _open(client, village=NEXT, reason=REASON):
    return client.post("/emergency", data={"village": village, "reason": reason})


def _person_page(village):
    return f"/api/households/{household(village, 0)}"


def test_a_village_of_the_town_is_open_to_be_seen_and_not_to_be_changed(browser):
    worker = browser("worker")
    assert worker.get(f"/map/{NEXT}").status_code == 404
    assert worker.get(_person_page(NEXT)).status_code == 404
    answer = _open(worker)
    assert (answer.status_code, answer.location) == (302, f"/map/{NEXT}")
    assert worker.get(f"/map/{NEXT}").status_code == 200
    assert worker.get(_person_page(NEXT)).status_code == 200
    assert worker.post("/api/plans", json={"village": NEXT}).status_code == 404
    assert worker.get(_person_page(OTHER_TOWN)).status_code == 404


def test_it_is_found_by_its_name_too(browser, session):
    name = session.scalar(text("SELECT name FROM area WHERE code = :code"), {"code": NEXT})
    assert _open(browser("worker"), f" {name} ").location == f"/map/{NEXT}"


@pytest.mark.parametrize("village", [OTHER_TOWN, OTHER_DISTRICT, NEXT[:9], "990101101299", "nowhere", ""])
def test_what_is_not_a_village_of_the_town_is_refused_like_what_does_not_exist(browser, session, village):
    answer = _open(browser("worker"), village)
    assert answer.status_code == 422
    assert NOT_FOUND in answer.text
    assert session.scalar(text("SELECT count(*) FROM emergency_access")) == 0


def test_two_villages_of_one_name_are_told_apart_by_their_codes(browser, session):
    session.execute(text("UPDATE area SET name = 'Twin' WHERE code = ANY (:codes)"), {"codes": [OWN, NEXT]})
    session.commit()
    assert NOT_FOUND in _open(browser("worker"), "Twin").text
    assert _open(browser("worker")).status_code == 302


@pytest.mark.parametrize("reason", ["", "help", " . ".join("a b"), "x" * 501])
def test_without_a_reason_nothing_opens(browser, reason):
    worker = browser("worker")
    assert _open(worker, reason=reason).status_code == 422
    assert worker.get(f"/map/{NEXT}").status_code == 404


def test_it_ends_after_three_hours_and_when_its_holder_ends_it(browser, session):
    worker = browser("worker")
    for _ in range(2):
        assert _open(worker).status_code == 302
    lasts = "SELECT ends_at - began_at FROM emergency_access"
    assert session.scalars(text(lasts)).all() == [timedelta(hours=3)]  # what is open is not opened again
    session.execute(text("UPDATE emergency_access SET began_at = now() - interval '3 hours', ends_at = now()"))
    session.commit()
    assert worker.get(f"/map/{NEXT}").status_code == 404
    _open(worker)
    assert worker.get(f"/map/{NEXT}").status_code == 200
    assert worker.post("/emergency/end").status_code == 302
    assert worker.get(f"/map/{NEXT}").status_code == 404
    assert worker.get(f"/map/{OWN}001").status_code == 200


def test_it_is_announced_to_its_holder_and_to_who_oversees_the_village(browser):
    worker = browser("worker")
    _open(worker, reason="<b>flood</b> at ${1+1} school")
    assert "is open to you until" in worker.get("/account").text
    for who, village in (("leader", NEXT), ("town", NEXT), ("town", NEXT[:9])):
        page = browser(who).get(f"/map/{village}").text
        assert "&lt;b&gt;flood&lt;/b&gt; at ${1+1} school" in page
    for who, village in (("own-leader", OWN), ("planner", NEXT), ("worker", NEXT)):
        assert "school" not in browser(who).get(f"/map/{village}").text


def test_it_is_in_the_trail(browser, session):
    worker = browser("worker")
    _open(worker)
    worker.post("/emergency/end")
    query = text("SELECT action, login, area_code, detail FROM audit_entry WHERE action LIKE 'emergency%' ORDER BY id")
    assert session.execute(query).all() == [
        ("emergency.open", "worker", NEXT, {"reason": REASON}),
        ("emergency.end", "worker", NEXT, {}),
    ]


def test_what_is_refused_is_in_the_trail_too(browser, session):
    _open(browser("worker"), OTHER_TOWN)
    query = text("SELECT is_success, login, area_code FROM audit_entry WHERE action = 'emergency.open'")
    assert session.execute(query).all() == [(False, "worker", None)]


def test_it_is_for_who_serves_or_oversees_and_not_for_who_looks_with_their_eyes(browser, people):
    for who in ("admin", "planner"):
        assert browser(who).get("/emergency").status_code == 404
        assert _open(browser(who)).status_code == 404
    admin = browser("admin")
    assert admin.post(f"/people/{people['worker']}/look").status_code == 302
    assert _open(admin).status_code == 403
    assert browser("worker").get(f"/map/{NEXT}").status_code == 404


def test_who_let_themselves_in_elsewhere_can_still_be_disabled_at_home(browser, people):
    worker = browser("worker")
    _open(worker)
    assert browser("admin").post(f"/people/{people['worker']}/disable").status_code == 302
    assert worker.get(f"/map/{NEXT}").status_code == 302


@pytest.mark.parametrize(
    "ending",
    [
        "UPDATE account_scope SET ends_on = '2026-03-05' WHERE account_id = :id",
        "UPDATE account SET disabled_at = now() WHERE id = :id",
        "UPDATE account SET password_hash = 'new' WHERE id = :id",
        "UPDATE account SET totp_confirmed_at = NULL WHERE id = :id",
    ],
)
def test_it_ends_with_what_it_rests_on(browser, people, session, database_url, ending):
    _open(browser("worker"))
    session.execute(text(ending), {"id": people["worker"]})
    session.execute(text("UPDATE account SET disabled_at = NULL, totp_confirmed_at = '2026-01-01'"))
    session.commit()
    assert browser("worker").get(f"/map/{NEXT}").status_code == 404
    engine = open_web_engine(database_url, pool_size=0)
    with engine.begin() as connection:
        entered = {"account": people["worker"], "today": CLOCK.date()}
        connection.execute(text("SELECT mapgrid_enter(:account, NULL, :today)"), entered)
        assert connection.scalar(text("SELECT count(*) FROM household WHERE village_code = :v"), {"v": NEXT}) == 0
    engine.dispose()


@pytest.mark.parametrize("since", [None, CLOCK - timedelta(hours=23)])
def test_it_takes_a_second_factor_older_than_a_day(browser, people, session, since):
    session.execute(text("UPDATE account SET totp_confirmed_at = :since"), {"since": since})
    session.commit()
    worker = browser("worker")
    assert "at least a day ago" in worker.get("/emergency").text
    assert _open(worker).status_code == 403
    assert worker.get(f"/map/{NEXT}").status_code == 404


def test_it_takes_a_sign_in_with_the_second_factor(app, people, session):
    number = sign_in(session, "by-password", (Role.WORKER, f"{OWN}001"), used_second_factor=False)
    session.execute(text("UPDATE account SET totp_confirmed_at = '2026-01-01' WHERE id = :id"), {"id": number})
    session.commit()
    client = app.test_client()
    client.set_cookie("mapgrid", "by-password")
    assert _open(client).status_code == 302
    assert session.scalar(text("SELECT count(*) FROM emergency_access")) == 0


def test_one_s_own_village_is_no_emergency(browser, session):
    assert NOT_FOUND in _open(browser("leader")).text
    assert session.scalar(text("SELECT count(*) FROM emergency_access")) == 0


def test_who_looks_with_their_eyes_does_not_see_it(browser, people):
    _open(browser("worker"))
    admin = browser("admin")
    admin.post(f"/people/{people['worker']}/look")
    assert admin.get(f"/map/{OWN}001").status_code == 200
    assert admin.get(f"/map/{NEXT}").status_code == 404
    assert admin.get(_person_page(NEXT)).status_code == 404


def test_a_letter_that_the_database_does_not_know_is_refused(browser):
    assert _open(browser("worker"), "a\x00b").status_code == 400
    assert browser("worker").get("/api/search?q=a%00b").status_code == 400


def test_the_role_is_given_to_nobody(browser, people):
    form = {"role": "emergency", "area": OWN}
    answer = browser("admin").post(f"/people/{people['worker']}/scope", data=form)
    assert answer.status_code == 422
    assert 'value="emergency"' not in browser("admin").get(f"/people/{people['worker']}").text


def test_the_database_fences_it_by_itself(browser, people, database_url):
    """Without any condition in the query, and whatever the program would ask for."""
    engine = open_web_engine(database_url, pool_size=0)
    enter = text("SELECT mapgrid_enter(:account, NULL, :today)")
    count = text("SELECT count(*) FROM household WHERE village_code = :village")

    def seen(village):
        with engine.begin() as connection:
            connection.execute(enter, {"account": people["worker"], "today": CLOCK.date()})
            return connection.scalar(count, {"village": village})

    assert seen(NEXT) == 0
    _open(browser("worker"))
    assert seen(NEXT) == 8
    assert seen(OTHER_TOWN) == 0
    with engine.begin() as connection:
        connection.execute(enter, {"account": people["worker"], "today": CLOCK.date()})
        opened = text("SELECT * FROM mapgrid_open_in_emergency(:village, :reason)")
        assert connection.execute(opened, {"village": OTHER_TOWN, "reason": REASON}).all() == []
    engine.dispose()
