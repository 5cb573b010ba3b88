"""Accounts made, handed over, disabled and looked at, through the pages."""

import re
from datetime import date

import pytest
from filling import with_many_villages
from many_villages import CLOCK, VILLAGES
from signed_in import sign_in
from sqlalchemy import text

from mapgrid.roles import Role

VILLAGE = VILLAGES[0]
TOWN = VILLAGE[:9]


@pytest.fixture
def template(filled):
    return filled("many_villages", with_many_villages)


@pytest.fixture
def people(app, session):
    """Store the villages, an administrator of a town, two workers, and somebody who reaches farther."""
    app.config["CLOCK"] = lambda: CLOCK
    app.config["WTF_CSRF_ENABLED"] = False
    numbers = {
        "admin": sign_in(session, "admin", (Role.ADMINISTRATOR, TOWN)),
        "old-worker": sign_in(session, "old-worker", (Role.WORKER, f"{VILLAGE}001")),
        "new-worker": sign_in(session, "new-worker", (Role.WORKER, f"{VILLAGE}002")),
        "district": sign_in(session, "district", (Role.DISTRICT_LEADER, TOWN[:6]), (Role.WORKER, f"{VILLAGE}001")),
    }
    session.commit()
    return numbers


def _browser(app, login):
    browser = app.test_client()
    browser.set_cookie("mapgrid", login)
    return browser


@pytest.fixture
def admin(app, people):
    return _browser(app, "admin")


def _scope_of(session, account):
    return session.scalar(text("SELECT id FROM account_scope WHERE account_id = :id ORDER BY id"), {"id": account})


def test_a_new_account_gets_a_link_that_works_once(app, admin, session):
    form = {"login": "zhao.min", "name": "赵 敏", "role": "worker", "area": f"{VILLAGE}001"}
    page = admin.post("/people/new", data=form)
    link = re.search(r"/invitation/[\w-]+", page.text)[0]
    invited = app.test_client()
    assert "zhao.min" in invited.get(link).text
    assert invited.post(link, data={"password": "weak"}).status_code == 422
    assert invited.post(link, data={"password": "Meadow-river-22"}).status_code == 302
    assert invited.get(link).status_code == 404
    assert invited.post(link, data={"password": "Meadow-river-23"}).status_code == 404
    answer = invited.post("/sign-in", data={"login": "zhao.min", "password": "Meadow-river-22"})
    assert answer.status_code == 302
    assert invited.get("/").location == f"/map/{VILLAGE}001"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"login": "Zhao Min"}, "小写字母"),
        ({"login": "old-worker"}, "old-worker 已有人使用"),
        ({"name": ""}, "姓名应为"),
        ({"role": "king"}, "无法识别角色或日期：('king'"),
        ({"role": "emergency"}, "请选择一个角色"),
        ({"area": "990101102201001"}, "自己的区域内"),
        ({"area": VILLAGE}, f"不能用于这一级区域（见下方说明），现为：{VILLAGE}"),
        ({"role": "district_leader", "area": TOWN[:6]}, "自己的区域内"),
        ({"role": "administrator", "area": ""}, "自己的区域内"),
        ({"starts_on": "2026-13-01"}, "2026-13-01"),
        ({"starts_on": "2026-03-05", "ends_on": "2026-03-05"}, "结束日期应晚于开始日期"),
    ],
)
def test_an_account_that_cannot_be_is_refused_and_nothing_stays(admin, session, changed, told):
    form = {"login": "zhao", "name": "赵敏", "role": "worker", "area": f"{VILLAGE}001"} | changed
    page = admin.post("/people/new", data=form)
    assert page.status_code == 422
    assert told in re.sub(r"&#\d+;", "'", page.text)
    assert session.scalar(text("SELECT count(*) FROM account")) == 4


def test_an_area_handed_over_is_gone_for_the_one_and_there_for_the_other_at_once(app, admin, people, session):
    old, new = _browser(app, "old-worker"), _browser(app, "new-worker")
    assert old.get(f"/map/{VILLAGE}001").status_code == 200
    assert new.get(f"/map/{VILLAGE}001").status_code == 404
    scope = _scope_of(session, people["old-worker"])
    done = admin.post(f"/people/{people['old-worker']}/hand_over", data={"scope": scope, "login": "new-worker"})
    assert done.status_code == 302
    assert old.get(f"/map/{VILLAGE}001").status_code == 404
    assert new.get(f"/map/{VILLAGE}001").status_code == 200


def test_nobody_can_touch_who_reaches_farther_or_themselves(admin, people, session):
    for change in ("disable", "second_factor", "scope", "invite", "look"):
        assert admin.post(f"/people/{people['district']}/{change}").status_code == 404
    own = {"role": "worker", "area": f"{VILLAGE}001"}
    assert admin.post(f"/people/{people['admin']}/scope", data=own).status_code == 422
    assert session.scalar(text("SELECT count(*) FROM account_scope")) == 5


def test_the_database_gives_no_scope_to_oneself_nor_outside_of_one_s_areas(app, people):
    engine = app.extensions["engine"]
    for account, area in ((people["admin"], f"{VILLAGE}001"), (people["new-worker"], "990102")):
        with engine.connect() as connection:
            connection.execute(text("SELECT mapgrid_enter(:id, NULL, NULL)"), {"id": people["admin"]})
            with pytest.raises(Exception, match="row-level security"):
                connection.execute(
                    text(
                        "INSERT INTO account_scope (account_id, role, area_code, starts_on)"
                        " VALUES (:id, 'worker', :area, '2026-01-01')"
                    ),
                    {"id": account, "area": area},
                )


def test_a_disabled_account_is_out_with_the_next_request(app, admin, people):
    worker = _browser(app, "old-worker")
    assert worker.get("/account").status_code == 200
    assert admin.post(f"/people/{people['old-worker']}/disable").status_code == 302
    assert worker.get("/account").status_code == 302


def test_viewing_as_somebody_shows_what_they_see_changes_nothing_and_is_logged(app, admin, people, session):
    assert admin.post(f"/people/{people['old-worker']}/look").status_code == 302
    page = admin.get(f"/map/{VILLAGE}001")
    assert page.status_code == 200
    assert 'class="looking"' in page.text
    assert "old-worker" in page.text
    assert admin.get(f"/map/{VILLAGE}002").status_code == 404
    home = f"{VILLAGE}000001"
    assert admin.get(f"/api/households/{home}").json["may_unmask"] is False
    assert admin.post(f"/api/households/{home}/unmask", json={"purpose": "visit"}).status_code == 403
    assert admin.post("/account/sign-out-elsewhere").status_code == 403
    assert admin.get("/people").status_code == 404
    assert "phone" in admin.get("/account", headers={"Accept-Language": "en"}).text
    assert admin.post("/people/stop-looking").status_code == 302
    assert admin.get("/people").status_code == 200
    rows = session.execute(
        text("SELECT action, account_id, viewer_id FROM audit_entry WHERE action <> 'account.read' ORDER BY id")
    ).all()
    assert [tuple(row) for row in rows] == [
        ("view_as.begin", people["admin"], None),
        ("household.read", people["old-worker"], people["admin"]),
        ("view_as.end", people["old-worker"], people["admin"]),
    ]


def test_a_scope_of_the_future_or_the_past_opens_nothing(app, people, session):
    sign_in(session, "former", (Role.WORKER, f"{VILLAGE}001"), ends_on=date(2026, 3, 5))
    session.commit()
    assert _browser(app, "former").get(f"/map/{VILLAGE}001").status_code == 404


def test_the_list_shows_the_accounts_one_manages_and_finds_them(admin):
    page = admin.get("/people")
    assert "old-worker" in page.text
    assert "district" not in page.text.split("<main")[1]
    assert "new-worker" not in admin.get("/people?q=old").text.split("<tbody")[1]
    assert "old-worker" not in admin.get(f"/people?area={VILLAGE}002").text.split("<tbody")[1]


def test_looking_ends_when_the_right_to_look_does(app, admin, people, session):
    look = lambda: admin.post(f"/people/{people['old-worker']}/look")  # noqa: E731
    farther = "VALUES (:worker, 'worker', '990102101201001', date '2026-01-01')"
    for change in (
        "UPDATE account_scope SET area_code = '990102' WHERE account_id = :admin",
        f"INSERT INTO account_scope (account_id, role, area_code, starts_on) {farther}",
    ):
        assert look().status_code == 302
        assert admin.get(f"/map/{VILLAGE}001").status_code == 200
        session.execute(text(change), {"admin": people["admin"], "worker": people["old-worker"]})
        session.commit()
        assert admin.get(f"/map/{VILLAGE}001").status_code == 404
        assert admin.get("/people").status_code == 200
        ended = text("SELECT login, subject FROM audit_entry WHERE action = 'view_as.end' ORDER BY id DESC LIMIT 1")
        assert session.execute(ended).one() == ("admin", "old-worker")
        session.execute(text("UPDATE account_scope SET area_code = :town WHERE role = 'administrator'"), {"town": TOWN})
        session.commit()
