"""Accounts of others, for those who manage people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from mapgrid.roles import Permission
from mapgrid.times import LOCAL_TIME
from web import identity, labels
from web.actions import manage_people as manage
from web.clock import now
from web.database import session
from web.guards import requires_somewhere, signed_in
from web.paging import read_page
from web.templating import language

if TYPE_CHECKING:
    from datetime import date

    from flask.typing import ResponseReturnValue

    from geodata.sign_ins import OpenSignIn

blueprint = Blueprint("people", __name__)
_manages = requires_somewhere(Permission.MANAGE_PEOPLE)
_REFUSED = 422


@blueprint.get("/people")
@_manages
def list_people() -> str:
    """List the accounts one manages, with search and pages."""
    page = read_page()
    words, area = request.args.get("q", "").strip()[:60], request.args.get("area", "").strip()[:15]
    total, records = manage.list_accounts(session(), words, area, today=_today(), page=page)
    return render_template(
        "people/list.html",
        records=records,
        page=page.of(total),
        words=words,
        area=area,
        today=_today(),
        roles=labels.role_labels(),
        names=manage.names_of_areas(session(), records, language()),
    )


@blueprint.get("/people/new")
@_manages
def ask_for_account() -> str:
    """Ask for a new account."""
    return _new_account_page()


@blueprint.post("/people/new")
@_manages
def make_account() -> ResponseReturnValue:
    """Make an account and show its invitation, once."""
    form = request.form
    try:
        scope = _scope_of_form()
        number, token = manage.make_account(
            session(), form.get("login", ""), form.get("name", ""), scope, now=now(), asker=identity.actor()
        )
    except manage.AccountRefusedError as error:
        return _new_account_page(error), _REFUSED
    return _account_page(number, invitation=url_for("account.invitation", token=token, _external=True))


@blueprint.get("/people/<int:account_id>")
@_manages
def show(account_id: int) -> str:
    """Show one account."""
    return _account_page(account_id)


@blueprint.post("/people/<int:account_id>/<any(scope, hand_over, end_scope, disable, enable, second_factor):change>")
@_manages
def change(account_id: int, change: str) -> ResponseReturnValue:
    """Change an account."""
    try:
        _CHANGES[change](account_id)
    except manage.AccountRefusedError as error:
        return _account_page(account_id, error=labels.account_fault(error)), _REFUSED
    return redirect(url_for("people.show", account_id=account_id, told=change))


@blueprint.post("/people/<int:account_id>/invite")
@_manages
def invite(account_id: int) -> ResponseReturnValue:
    """Make a new invitation and show it, once."""
    token = manage.invite_again(session(), account_id, asker=identity.actor(), now=now())
    return _account_page(account_id, invitation=url_for("account.invitation", token=token, _external=True))


@blueprint.post("/people/<int:account_id>/look")
@requires_somewhere(Permission.VIEW_AS)
def look(account_id: int) -> ResponseReturnValue:
    """See with somebody's eyes from now on."""
    manage.look_as(session(), _current(), account_id)
    return redirect(url_for("account.show"))


@blueprint.post("/people/stop-looking")
@signed_in(while_looking=True)
def stop_looking() -> ResponseReturnValue:
    """See with one's own eyes again."""
    current = _current()
    if current.actor.viewer_id is not None:
        manage.stop_looking(session(), current)
    return redirect(url_for("map.home"))


def _give(account_id: int) -> None:
    manage.give_scope(session(), account_id, _scope_of_form(), asker=identity.actor())


def _hand_over(account_id: int) -> None:
    login = request.form.get("login", "")
    manage.hand_over(session(), account_id, _scope_id(), login, asker=identity.actor(), today=_today())


def _end(account_id: int) -> None:
    manage.end_scope(session(), account_id, _scope_id(), asker=identity.actor(), today=_today())


def _disable(account_id: int) -> None:
    manage.set_disabled(session(), account_id, is_disabled=True, asker=identity.actor(), now=now())


def _enable(account_id: int) -> None:
    manage.set_disabled(session(), account_id, is_disabled=False, asker=identity.actor(), now=now())


def _take_second_factor(account_id: int) -> None:
    manage.take_second_factor_away(session(), account_id, asker=identity.actor())


_CHANGES = {
    "scope": _give,
    "hand_over": _hand_over,
    "end_scope": _end,
    "disable": _disable,
    "enable": _enable,
    "second_factor": _take_second_factor,
}


def _scope_of_form() -> manage.Scope:
    form = request.form
    fields = (form.get(name, "").strip() for name in ("role", "area", "starts_on", "ends_on"))
    return manage.read_scope(*fields, now=now())


def _scope_id() -> int:
    given = request.form.get("scope", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0


def _account_page(account_id: int, **more: object) -> str:
    record = manage.show_account(session(), account_id)
    return render_template(
        "people/account.html",
        record=record,
        today=_today(),
        roles=labels.role_labels(),
        names=manage.names_of_areas(session(), [record], language()),
        may_look=bool(identity.actor().areas(Permission.VIEW_AS)),
        is_own=record.id == identity.actor().account_id,
        told=request.args.get("told"),
        **more,
    )


def _new_account_page(error: manage.AccountRefusedError | None = None) -> str:
    return render_template(
        "people/new.html", roles=labels.role_labels(), form=request.form, error=error and labels.account_fault(error)
    )


def _current() -> OpenSignIn:
    current = identity.sign_in()
    if current is None:
        raise LookupError("nobody is signed in")
    return current


def _today() -> date:
    return now().astimezone(LOCAL_TIME).date()
