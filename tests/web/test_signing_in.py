"""Signing in and out as a browser does it, with the tokens of forms."""

import re
import statistics
import time
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from signed_in import sign_in
from sqlalchemy import text

from mapgrid.roles import Role
from web import passwords
from web.app import create_app
from web.settings import Settings

RIGHT = "Bamboo-brook-417"
VILLAGE = "990101101201"


@pytest.fixture
def clock(app):
    """Return a clock that the test moves."""
    state = {"now": datetime(2026, 3, 5, 6, tzinfo=UTC)}
    app.config["CLOCK"] = lambda: state["now"]
    return state


@pytest.fixture
def account(session, clock):
    """Store an account with a password and return a maker of more."""

    def make(login, role=Role.WORKER, area=f"{VILLAGE}001", **columns):
        number = sign_in(session, login, (role, area), token=f"unused {login}")
        values = {"password_hash": passwords.hash_password(RIGHT), **columns}
        settings = ", ".join(f"{name} = :{name}" for name in values)
        session.execute(text(f"UPDATE account SET {settings} WHERE id = :id"), {**values, "id": number})  # noqa: S608
        session.commit()
        return number

    return make


def _token(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]


def _sign_in(browser, login, password, **form):
    token = _token(browser.get("/sign-in"))
    return browser.post("/sign-in", data={"csrf_token": token, "login": login, "password": password, **form})


def test_who_signs_in_lands_where_they_wanted_to_go(stranger, account):
    account("li")
    asked = stranger.get("/account")
    assert asked.status_code == 302
    assert asked.location == "/sign-in?next=/account"
    answer = _sign_in(stranger, "LI ", RIGHT, next="/account")
    assert (answer.status_code, answer.location) == (302, "/account")
    assert stranger.get("/account").status_code == 200


@pytest.mark.parametrize("back", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "/\n/x"])
def test_signing_in_never_leads_to_another_site(stranger, account, back):
    account("li")
    assert _sign_in(stranger, "li", RIGHT, next=back).location == "/"


def test_unknown_wrong_disabled_locked_and_demo_are_told_alike(app, account):
    now = datetime(2026, 3, 5, 6, tzinfo=UTC)
    account("li")
    account("disabled", disabled_at=now)
    account("locked", locked_until=now + timedelta(minutes=5))
    account("demo", is_demo=True)
    account("invited", password_hash=None)
    answers = [
        _sign_in(app.test_client(), login, password)
        for login, password in (
            ("li", "Wrong-word-1"),
            ("nobody", RIGHT),
            ("disabled", RIGHT),
            ("locked", RIGHT),
            ("demo", RIGHT),
            ("invited", RIGHT),
        )
    ]
    assert {answer.status_code for answer in answers} == {422}
    bodies = {re.sub(r'value="[^"]*"|nonce-[\w-]+', "", answer.text) for answer in answers}
    assert len(bodies) == 1
    assert all("mapgrid=" not in answer.headers.get("Set-Cookie", "").split(";")[0] for answer in answers)


def test_a_known_and_an_unknown_login_take_the_same_time(app, account, session):
    """Medians of refused sign-ins lie within 20 ms; the hash takes 50 to 250 ms."""
    account("li")
    took = {"li": [], "nobody": []}
    browser = app.test_client()
    token = _token(browser.get("/sign-in"))
    for _turn in range(7):
        for login, times in took.items():
            session.execute(text("TRUNCATE rate_limit"))
            session.execute(text("UPDATE account SET tries = 0, locked_until = NULL"))
            session.commit()
            began = time.thread_time()  # the server runs in this thread; what else the machine does is not ours
            browser.post("/sign-in", data={"csrf_token": token, "login": login, "password": "Wrong-word-1"})
            times.append(time.thread_time() - began)
    known, unknown = (statistics.median(times) for times in took.values())
    assert abs(known - unknown) < 0.020, took


def test_five_wrong_passwords_lock_an_account_for_a_quarter_of_an_hour(app, account, clock, session):
    account("li")
    for _try in range(5):
        assert _sign_in(app.test_client(), "li", "Wrong-word-1").status_code == 422
    assert _sign_in(app.test_client(), "li", RIGHT).status_code == 422
    clock["now"] += timedelta(minutes=15, seconds=1)
    assert _sign_in(app.test_client(), "li", RIGHT).status_code == 302


def test_limits_hold_across_two_server_processes(app, database_url, account, tmp_path):
    """Two applications on one database count together: the eleventh try in five minutes is one too many."""
    other = create_app(database_url, Settings(home=tmp_path))
    other.config["CLOCK"] = app.config["CLOCK"]
    statuses = [_sign_in((app, other)[turn % 2].test_client(), f"x{turn}", "y").status_code for turn in range(12)]
    other.extensions["engine"].dispose()
    assert statuses == [422] * 10 + [429] * 2


def test_the_token_changes_at_sign_in_and_what_is_signed_out_is_out_at_once(app, account, session):
    account("li")
    browser = app.test_client()
    _sign_in(browser, "li", RIGHT)
    first = browser.get_cookie("mapgrid").value
    page = browser.get("/account")
    assert browser.post("/sign-out", data={"csrf_token": _token(page)}).status_code == 302
    stolen = app.test_client()
    stolen.set_cookie("mapgrid", first)
    assert stolen.get("/account").status_code == 302
    _sign_in(browser, "li", RIGHT)
    assert browser.get_cookie("mapgrid").value != first


def test_a_browser_is_signed_out_after_half_an_hour_idle_and_after_twelve_hours_at_all(app, account, clock):
    account("li")
    browser = app.test_client()
    _sign_in(browser, "li", RIGHT)
    clock["now"] += timedelta(minutes=29)
    assert browser.get("/account").status_code == 200
    clock["now"] += timedelta(minutes=31)
    assert browser.get("/account").status_code == 302
    _sign_in(browser, "li", RIGHT)
    for _turn in range(25):
        clock["now"] += timedelta(minutes=29)
        last = browser.get("/account").status_code
    assert last == 302


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account SET disabled_at = now() WHERE login = 'li'",
        "UPDATE account_scope SET ends_on = '2026-03-05'",
        "DELETE FROM sign_in",
    ],
)
def test_access_ends_with_the_next_request(app, account, session, change):
    account("li", Role.VILLAGE_LEADER, VILLAGE, totp_confirmed_at=None, is_demo=False)
    browser = app.test_client()
    browser.set_cookie("mapgrid", "unused%20li")
    browser.set_cookie("mapgrid", "unused li")
    assert browser.get("/api/areas").status_code == 200
    session.execute(text(change))
    session.commit()
    assert browser.get("/api/areas").status_code in {401, 404}


def test_a_leader_sets_the_second_factor_up_before_anything_else(app, account, clock, session):
    account("wang", Role.TOWN_LEADER, VILLAGE[:9])
    browser = app.test_client()
    assert _sign_in(browser, "wang", RIGHT).status_code == 302
    assert browser.get("/account").location == "/second-factor"
    assert browser.get("/api/areas").status_code == 403
    page = browser.get("/second-factor")
    assert "<svg" in page.text
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page.text)[1]
    wrong = browser.post("/second-factor", data={"csrf_token": _token(page), "code": "000000"})
    assert wrong.status_code == 422
    before = browser.get_cookie("mapgrid").value
    code = pyotp.TOTP(secret).at(clock["now"])
    done = browser.post("/second-factor", data={"csrf_token": _token(page), "code": code})
    assert done.status_code == 302
    assert browser.get_cookie("mapgrid").value != before
    assert browser.get("/account").status_code == 200
    again = app.test_client()
    _sign_in(again, "wang", RIGHT)
    page = again.get("/second-factor")
    assert '<svg width="20' not in page.text.split("<main")[1]
    used = again.post("/second-factor", data={"csrf_token": _token(page), "code": code})
    assert used.status_code == 422  # a code counts once
    clock["now"] += timedelta(seconds=31)
    code = pyotp.TOTP(secret).at(clock["now"])
    assert again.post("/second-factor", data={"csrf_token": _token(page), "code": code}).status_code == 302


def test_an_unsafe_request_without_the_token_of_its_form_is_refused(app, account):
    account("li")
    browser = app.test_client()
    assert browser.post("/sign-in", data={"login": "li", "password": RIGHT}).status_code == 400
    _sign_in(browser, "li", RIGHT)
    assert browser.post("/sign-out").status_code == 400
    assert browser.get("/account").status_code == 200


def test_nothing_changes_by_get(app):
    unsafe = {"sign_out", "give_second_factor", "change", "invite", "look", "stop_looking", "make_account"}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[-1] in unsafe:
            assert "GET" not in rule.methods, rule


def test_a_changed_password_signs_all_other_browsers_out(app, account):
    account("li")
    here, there = app.test_client(), app.test_client()
    _sign_in(here, "li", RIGHT)
    _sign_in(there, "li", RIGHT)
    token = _token(here.get("/account"))
    weak = here.post("/account/password", data={"csrf_token": token, "old": RIGHT, "new": "short"})
    assert weak.status_code == 422
    changed = here.post("/account/password", data={"csrf_token": token, "old": RIGHT, "new": "Cedar-lantern-52"})
    assert changed.status_code == 302
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("Ab1defg", "length"),
        ("abcdefgh1", "kinds"),
        ("Li-secret-1", "login"),
        ("Aa1Aa1Aa1", "same"),
        ("x" * 129, "length"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password, fault):
    with pytest.raises(passwords.PasswordRefusedError) as refused:
        passwords.check_password(password, login="li", fewest=8)
    assert refused.value.fault == fault


@pytest.mark.parametrize("password", ["长城1号Abcdef", "Correct horse 1", RIGHT])
def test_a_strong_password_is_taken(password):
    passwords.check_password(password, login="li", fewest=8)


def test_behind_tls_cookies_are_tied_to_the_host(database_url, tmp_path):
    app = create_app(database_url, Settings(home=tmp_path, is_https=True))
    answer = app.test_client().get("/sign-in", base_url="https://grid.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-mapgrid-form=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    app.extensions["engine"].dispose()


def test_the_hash_of_a_password_takes_between_50_and_250_ms():
    hashed = passwords.hash_password(RIGHT)
    times = []
    for _turn in range(5):
        began = time.process_time()
        assert passwords.is_password(hashed, RIGHT)
        times.append(time.process_time() - began)
    assert 0.05 <= statistics.median(times) <= 0.25
    assert hashed.startswith("$argon2id$")
