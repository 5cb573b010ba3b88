"""Signing in, the accounts and the trail in a real browser, on a desk and on a phone."""

import re

import pyotp
import pytest
from drawn_village import NOW, VILLAGE, household, save_drawn_village
from playwright.sync_api import expect
from signed_in import sign_in
from sqlalchemy import text
from test_hostile_text import PAYLOADS

from geodata import audit
from mapgrid.roles import Role
from web import passwords

RIGHT = "Bamboo-brook-417"


@pytest.fixture
def everybody(session, app):
    """Store the village, an administrator, an auditor and a worker; return their numbers."""
    app.config["CLOCK"] = lambda: NOW
    save_drawn_village(session)
    numbers = {
        "admin": sign_in(session, "admin", (Role.ADMINISTRATOR, "")),
        "auditor": sign_in(session, "auditor", (Role.AUDITOR, "")),
        "worker": sign_in(session, "worker", (Role.WORKER, f"{VILLAGE}001"), token="unused"),
        "planner": sign_in(session, "planner", (Role.PLANNER, VILLAGE[:6]), token="unused too"),
    }
    values = {"hash": passwords.hash_password(RIGHT)}
    session.execute(text("UPDATE account SET password_hash = :hash"), values)
    session.commit()
    return numbers


def _as(page, live_url, token):
    page.context.clear_cookies()
    if token:
        page.context.add_cookies([{"name": "mapgrid", "value": token, "url": live_url}])


def test_a_worker_signs_in_on_a_phone_and_sees_their_grid_alone(watched, live_url, everybody, language):
    watched.set_viewport_size({"width": 390, "height": 844})
    _as(watched, live_url, None)
    watched.goto(live_url)
    watched.locator("input[name=login]").fill("worker")
    watched.locator("input[name=password]").fill(RIGHT)
    watched.keyboard.press("Enter")
    watched.wait_for_selector("html[data-map=ready]")
    assert watched.url.endswith(f"/map/{VILLAGE}001")
    expect(watched.locator(".sheet-handle b")).to_contain_text("001")
    assert watched.locator(".grid-list tbody tr").count() == 1
    assert watched.evaluate("document.documentElement.scrollWidth") <= 390
    watched.locator(".me summary").click()
    watched.locator(".me form button").click()
    watched.wait_for_selector("input[name=password]")
    watched.goto(f"{live_url}/map/{VILLAGE}001")
    assert "/sign-in" in watched.url
    assert watched.faults == []


def test_a_planner_sets_the_second_factor_up_by_the_picture(watched, live_url, everybody, session):
    _as(watched, live_url, None)
    watched.goto(live_url)
    watched.locator("input[name=login]").fill("planner")
    watched.locator("input[name=password]").fill(RIGHT)
    watched.keyboard.press("Enter")
    expect(watched.locator(".qr svg")).to_be_visible()
    secret = watched.locator("code").inner_text()
    watched.locator("input[name=code]").fill(pyotp.TOTP(secret).at(NOW))
    watched.keyboard.press("Enter")
    watched.wait_for_selector("html[data-map=ready]")
    assert watched.faults == []


def test_a_worker_sees_a_name_in_full_for_a_purpose_and_the_trail_knows(watched, live_url, everybody, session):
    sign_in(session, "leader", (Role.VILLAGE_LEADER, VILLAGE))
    session.commit()
    _as(watched, live_url, "leader")
    watched.goto(f"{live_url}/map/{VILLAGE}#{household(0)}")
    popup = watched.locator(".popup")
    expect(popup.locator("h3")).to_have_text(re.compile(r"张\*\*"))
    popup.locator("select").select_option("visit")
    expect(popup).to_contain_text("张伟")
    expect(popup).to_contain_text("00012345678")
    session.rollback()
    actions = session.scalars(text("SELECT action FROM audit_entry ORDER BY id")).all()
    assert actions == ["household.read", "household.unmask"]
    assert watched.faults == []


def test_viewing_as_somebody_is_announced_on_every_page_until_it_ends(watched, live_url, everybody):
    _as(watched, live_url, "admin")
    watched.goto(f"{live_url}/people/{everybody['worker']}")
    watched.locator(".actions form button").last.click()
    expect(watched.locator(".looking")).to_contain_text("worker")
    watched.goto(live_url)
    watched.wait_for_selector("html[data-map=ready]")
    expect(watched.locator(".looking")).to_be_visible()
    watched.locator(".looking button").click()
    expect(watched.locator(".looking")).to_have_count(0)
    assert watched.url.endswith("/people")
    assert watched.faults == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_in_accounts_and_trail_is_shown_and_never_run(payload, watched, live_url, everybody, session):
    session.execute(text("UPDATE account SET full_name = :payload"), {"payload": payload})
    session.execute(text("UPDATE area SET name = :payload"), {"payload": payload})
    session.execute(text("UPDATE sign_in SET agent = :payload, address = :payload"), {"payload": payload})
    audit.record(session, payload, payload, login=payload, note=payload)
    session.commit()
    _as(watched, live_url, "admin")
    for address in ("/people", f"/people/{everybody['worker']}", "/account", "/people/new"):
        watched.goto(live_url + address)
        expect(watched.locator(".me summary")).to_be_attached()
        assert watched.evaluate("window.X") is None, address
    expect(watched.locator(".me")).to_contain_text(payload.strip()[:10])
    _as(watched, live_url, "auditor")
    watched.goto(f"{live_url}/audit?check=1")
    expect(watched.locator("tbody")).to_contain_text(payload.strip()[:10])
    assert watched.evaluate("window.X") is None
    assert watched.faults == []
