"""The database session of a request: it knows who asks, and is committed before the answer goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, g, request

from geodata.accounts import scopes_in_force
from geodata.audit import describe_request, record
from geodata.scoping import bind
from geodata.sign_ins import find_sign_in, look_as
from geodata.troubles import STORE_ERRORS
from mapgrid.roles import ROLES, Permission, may_look
from mapgrid.times import LOCAL_TIME
from web.clock import now
from web.passwords import key_of
from web.request_ids import request_id

if TYPE_CHECKING:
    from datetime import date

    from flask import Flask
    from sqlalchemy.orm import Session

    from geodata.sign_ins import OpenSignIn
    from mapgrid.roles import Actor


def session() -> Session:
    """Return this request's session, opened when first asked for; from then on it sees what its asker may see."""
    if "session" not in g:
        opened: Session = current_app.extensions["sessions"]()
        g.session = opened
        describe_request(opened, at=now(), request_id=request_id(), address=request.remote_addr)
        act_as(None)
        g.sign_in, no_longer = _recognise(opened)
        act_as(None if g.sign_in is None else g.sign_in.actor)
        if no_longer is not None:
            record(opened, "view_as.end", no_longer)
    kept: Session = g.session
    return kept


def act_as(actor: Actor | None) -> None:
    """Let the rest of the request ask as somebody."""
    bind(g.session, actor, _today())


def asker() -> int | None:
    """Return the account that asks, None for nobody."""
    session()
    found: OpenSignIn | None = g.sign_in
    return None if found is None else found.actor.account_id


def commit() -> None:
    """Keep what the request wrote so far."""
    if "session" in g:
        g.session.commit()


def register(app: Flask) -> None:
    """Close the session at the end of every request; what was not committed is undone."""

    @app.teardown_appcontext
    def close_session(_error: BaseException | None) -> None:
        opened: Session | None = g.pop("session", None)
        if opened is not None:
            try:
                opened.close()
            except STORE_ERRORS:  # the database went away after the answer was made
                opened.invalidate()


def _recognise(opened: Session) -> tuple[OpenSignIn | None, str | None]:
    """Return the sign-in that the browser's cookie stands for, and the login it may look at no longer."""
    token = request.cookies.get(current_app.config["SIGN_IN_COOKIE"], "")
    if not token:
        return None, None
    key = key_of(token)
    found = find_sign_in(opened, key, now(), _today())
    if found is None or found.actor.viewer_id is None or _may_look(opened, found):
        return found, None
    look_as(opened, key, None)
    return find_sign_in(opened, key, now(), _today()), found.actor.login


def _may_look(opened: Session, found: OpenSignIn) -> bool:
    """Say whether who looks with another's eyes still may: one's own scopes and those looked at change meanwhile."""
    scopes = scopes_in_force(opened, found.owner_id, _today())
    areas = [scope.area for scope in scopes if Permission.VIEW_AS in ROLES[scope.role].permissions]
    return may_look(areas, found.actor.scopes)


def _today() -> date:
    return now().astimezone(LOCAL_TIME).date()
