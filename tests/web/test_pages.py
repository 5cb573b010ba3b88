import pytest
from signed_in import sign_in

from mapgrid.roles import Role
from web.app import create_app


def test_an_empty_store_says_how_to_bring_a_village(app, session):
    sign_in(session, "leader", (Role.VILLAGE_LEADER, ""))
    session.commit()
    leader = app.test_client()
    leader.set_cookie("mapgrid", "leader")
    page = leader.get("/", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "No village here yet" in page.text
    assert "mapgrid import village" in page.text


def test_who_brings_villages_begins_in_an_empty_store_with_that(client):
    assert client.get("/").location == "/import"


@pytest.mark.parametrize("path", ["/map/990101102201", "/map/990101", "/map/none", "/nothing"])
def test_what_is_not_there_is_answered_alike(client, path):
    page = client.get(path, headers={"Accept-Language": "zh-CN"})
    assert page.status_code == 404
    assert "这里什么也没有" in page.text


def test_the_browser_decides_the_language_the_first_time_and_the_reader_afterwards(client):
    assert 'lang="zh-CN"' in client.get("/account", headers={"Accept-Language": "zh-TW,zh;q=0.9,en;q=0.8"}).text
    assert 'lang="en"' in client.get("/account", headers={"Accept-Language": "en-GB"}).text
    client.get("/language/zh")
    assert 'lang="zh-CN"' in client.get("/account", headers={"Accept-Language": "en-GB"}).text


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"])
def test_choosing_a_language_never_leads_to_another_site(client, back):
    assert client.get("/language/en", query_string={"back": back}).location == "/"


def test_choosing_a_language_leads_back_to_the_page_one_was_on(client):
    assert client.get("/language/en", query_string={"back": "/map/990101"}).location == "/map/990101"


def test_every_answer_forbids_what_a_page_does_not_need(client):
    for path in ("/", "/nothing", "/language/en"):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self' 'nonce-")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_nonce_is_used_once(client):
    policies = {client.get("/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_a_database_that_is_away_is_503_with_a_time_to_come_back(settings):
    away = create_app("postgresql://127.0.0.1:9/nowhere", settings).test_client()
    page = away.get("/sign-in", headers={"Accept-Language": "en"})
    assert page.status_code == 503
    assert page.headers["Retry-After"] == "2"
    assert "127.0.0.1" not in page.text
