"""Accounts from the command line."""

import re
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from web.actions.demo_accounts import DEMO_ACCOUNTS, renew_demo_accounts
from web.cli import main


@pytest.fixture
def mapgrid(database_url):
    def run(*arguments, ends_with=0, **more):
        done = CliRunner(env={"MAPGRID_DATABASE_URL": database_url}).invoke(main, list(arguments), **more)
        assert done.exit_code == ends_with, done.output
        return done.output

    return run


def test_the_first_administrator_is_made_at_the_terminal_and_chooses_a_password(mapgrid, stranger, app):
    assert "mapgrid user add" in stranger.get("/sign-in").text
    link = re.search(r"/invitation/\S+", mapgrid("user", "add", "li.min", "--name", "李敏"))[0]
    assert "mapgrid user add" not in stranger.get("/sign-in").text
    app.config["WTF_CSRF_ENABLED"] = False
    assert stranger.post(link, data={"password": "Short-pass-1"}).status_code == 302
    assert "li.min" in mapgrid("user", "list")


def test_a_password_can_be_typed_at_once(mapgrid, stranger, app):
    told = "Long-enough-password-1\n" * 2
    assert "can sign in" in mapgrid("user", "add", "li", "--name", "Li", "--password", input=told)
    app.config["WTF_CSRF_ENABLED"] = False
    answer = stranger.post("/sign-in", data={"login": "li", "password": "Long-enough-password-1"})
    assert answer.status_code == 302


def test_a_role_that_cannot_be_had_there_is_refused_and_nothing_is_made(mapgrid, session):
    told = mapgrid("user", "add", "li", "--name", "Li", "--role", "worker", "--area", "990101", ends_with=2)
    assert "15 digits" in told
    assert session.scalar(text("SELECT count(*) FROM account")) == 0


def test_an_account_is_disabled_enabled_and_loses_its_second_factor_by_hand(mapgrid, session):
    mapgrid("user", "add", "li", "--name", "Li")
    mapgrid("user", "disable", "li")
    assert "disabled" in mapgrid("user", "list")
    mapgrid("user", "enable", "li")
    mapgrid("user", "reset-second-factor", "li")
    mapgrid("user", "invite", "li")
    assert "invited" in mapgrid("user", "list")
    mapgrid("user", "disable", "nobody", ends_with=2)
    assert "whole; head " in mapgrid("audit", "verify")


def test_the_demo_has_an_account_for_each_role_with_a_new_password_at_every_start(session):
    now = datetime(2026, 3, 5, tzinfo=UTC)
    first = renew_demo_accounts(session, now)
    second = renew_demo_accounts(session, now)
    session.commit()
    assert first != second
    assert session.scalar(text("SELECT count(*) FROM account WHERE is_demo")) == len(DEMO_ACCOUNTS) == 10
    assert session.scalar(text("SELECT count(*) FROM account_scope")) == 10
