"""What machines are told that look after this one."""

import io
import json
import logging
import re

import pytest
from sqlalchemy import text

from geodata import readiness
from web import logs
from web.app import create_app
from web.guards import public
from web.settings import Settings, read_settings


def _figures(answer):
    """Return the figures of a metrics page by their full names."""
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    return {name: float(figure) for name, figure in (line.rsplit(" ", 1) for line in lines)}


@pytest.fixture
def away(settings):
    """Return a browser of an application whose database is away."""
    return create_app("postgresql://127.0.0.1:9/nowhere", settings).test_client()


def test_a_process_is_alive_without_a_database(away):
    answer = away.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_a_database_that_answers_with_the_newest_tables_is_ready(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})


def test_without_a_database_it_is_not_ready(away):
    answer = away.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "not ready", "reasons": ["database"]})
    assert answer.headers["Retry-After"] == "2"


def test_with_tables_of_another_revision_it_is_not_ready(client, engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert client.get("/readyz").json["reasons"] == ["tables"]


def test_with_a_disk_that_is_nearly_full_it_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(readiness, "LEAST_ROOM", 2**60)
    assert client.get("/readyz").json["reasons"] == ["disk"]


def test_a_database_that_answers_late_is_not_ready(client, engine):
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
        assert client.get("/readyz").json["reasons"] == ["database"]


def test_requests_are_counted_by_route_and_status_and_never_by_code(client):
    for path in ("/api/villages/990101102201", "/api/villages/990101102202", "/nothing/张三"):
        client.get(path)
    client.open("/", method="PEEK")
    page = client.get("/metrics")
    figures = _figures(page)
    route = 'method="GET",route="/api/villages/<code>",status="404"'
    assert figures[f"mapgrid_requests_total{{{route}}}"] == 2
    assert figures['mapgrid_requests_total{method="GET",route="none",status="404"}'] == 1
    assert figures['mapgrid_request_seconds_count{route="/api/villages/<code>"}'] == 2
    assert not any(word in page.text for word in ("990101", "张三", "PEEK"))


def test_figures_tell_of_database_disk_and_pool(client, app, away):
    client.get("/api/areas")
    with app.extensions["engine"].connect():
        figures = _figures(client.get("/metrics"))
    assert figures["mapgrid_database_up"] == 1
    assert figures["mapgrid_disk_free_bytes"] > 0
    assert figures["mapgrid_database_connections_in_use"] == 1
    assert _figures(client.get("/metrics"))["mapgrid_database_connections_in_use"] == 0
    assert _figures(away.get("/metrics"))["mapgrid_database_up"] == 0


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}])
def test_figures_are_not_passed_on_by_a_proxy(client, headers):
    assert client.get("/metrics", headers=headers).status_code == 404


def test_figures_are_for_programs_of_this_machine(client):
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "192.168.1.7"}).status_code == 404
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200


def test_with_a_token_figures_are_for_who_brings_it(database_url, tmp_path):
    environment = {"MAPGRID_HOME": str(tmp_path), "MAPGRID_METRICS_TOKEN": "abc-123"}
    app = create_app(database_url, read_settings(environment))
    client = app.test_client()
    asked = {"": 404, "Bearer abc-124": 404, "Basic abc-123": 404, "Bearer ": 404, "Bearer abc-123": 200}
    for given, status in asked.items():
        assert client.get("/metrics", headers={"Authorization": given}).status_code == status
    app.extensions["engine"].dispose()


def test_the_settings_know_no_token_by_themselves(tmp_path):
    assert Settings(home=tmp_path).metrics_token is None


@pytest.fixture
def said():
    """Return what is logged during the test; logging is as before at its end."""
    root, ours = logging.getLogger(), [logging.getLogger(name) for name in ("web", "geodata")]
    before = root.handlers[:], root.level, [logger.level for logger in ours]
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    root.handlers[:], root.level = before[0], before[1]
    for logger, level in zip(ours, before[2], strict=True):
        logger.setLevel(level)


def test_each_request_is_one_line_of_json_without_what_was_asked_for(said, client):
    answer = client.get("/api/villages/990101102201?q=张三&tier=red")
    line = json.loads(said.getvalue())
    assert {name: line[name] for name in ("level", "logger", "method", "route", "status")} == {
        "level": "info",
        "logger": "web.requests",
        "method": "GET",
        "route": "/api/villages/<code>",
        "status": 404,
    }
    assert line["request_id"] == answer.headers["X-Request-Id"] == answer.json["request_id"]
    assert line["ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])
    assert not any(word in said.getvalue() for word in ("张三", "red", "990101102201"))


def test_an_error_is_logged_with_its_place_and_without_its_message(said, app):
    @app.get("/broken")
    @public
    def broken():
        raise ValueError("李四 lives at 119.5 26.2")

    answer = app.test_client().get("/broken")
    assert answer.status_code == 500
    failed, request = map(json.loads, said.getvalue().splitlines())
    assert failed["error"] == "ValueError"
    assert "broken" in failed["where"][-1]
    assert failed["request_id"] == request["request_id"] == answer.headers["X-Request-Id"]
    assert "李四" not in said.getvalue()


def test_what_libraries_quote_is_left_out(said):
    logging.getLogger("gunicorn.error").warning("Invalid request from ip=127.0.0.1: 'GET /?name=王五'")
    assert json.loads(said.getvalue())["message"] == "Invalid request"
