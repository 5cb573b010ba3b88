"""One's own account: signing in and out, the second factor, the password, invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import segno
from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for

from web import identity, labels, limits
from web.actions import own_account, signing_in
from web.actions.signing_in import Browser, SignInRefusedError
from web.addresses import local_address
from web.clock import now
from web.database import commit, session
from web.guards import lacks_second_factor, public, signed_in
from web.passwords import PasswordRefusedError
from web.templating import language

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from geodata.sign_ins import OpenSignIn
    from web.actions.signing_in import Started

blueprint = Blueprint("account", __name__)
_REFUSED = 422


@blueprint.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Ask for login and password."""
    if identity.sign_in() is not None:
        return redirect(local_address(request.args.get("next", "/")))
    is_first = signing_in.is_first_start(session())
    return render_template("account/sign_in.html", back=request.args.get("next", "/"), is_first=is_first)


@blueprint.post("/sign-in")
@public
def begin_sign_in() -> ResponseReturnValue:
    """Sign in, or say in the same words for every reason that it did not work."""
    login, back = request.form.get("login", ""), local_address(request.form.get("next", "/"))
    limits.count_try("sign-in", login.strip().lower())
    try:
        started = signing_in.sign_in(
            session(),
            login,
            request.form.get("password", ""),
            now=now(),
            browser=_browser(),
            is_demo=current_app.config["SETTINGS"].is_demo,
        )
    except SignInRefusedError:
        commit()
        return render_template("account/sign_in.html", back=back, login=login, is_refused=True), _REFUSED
    return _with_token(redirect(back), started)


@blueprint.post("/sign-out")
@signed_in(before_second_factor=True, while_looking=True)
def sign_out() -> ResponseReturnValue:
    """Sign this browser out."""
    signing_in.sign_out(session(), _current())
    response = make_response(redirect(url_for("account.sign_in")))
    identity.remember(response, None)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.post("/account/sign-out-elsewhere")
@signed_in()
def sign_out_elsewhere() -> ResponseReturnValue:
    """Sign the account out of all other browsers."""
    signing_in.sign_out_elsewhere(session(), _current())
    return redirect(url_for("account.show", told="elsewhere"))


@blueprint.get("/second-factor")
@signed_in(before_second_factor=True)
def second_factor() -> ResponseReturnValue:
    """Ask for the one-time code, or show how to set the second factor up."""
    return _second_factor_page(_current())


@blueprint.post("/second-factor")
@signed_in(before_second_factor=True)
def give_second_factor() -> ResponseReturnValue:
    """Go on with a one-time code."""
    current = _current()
    limits.count_try("second-factor", current.owner_login)
    try:
        started = signing_in.give_second_factor(
            session(), current, request.form.get("code", ""), now=now(), browser=_browser()
        )
    except SignInRefusedError:
        commit()
        return _second_factor_page(current, is_refused=True), _REFUSED
    return _with_token(redirect("/"), started)


@blueprint.get("/account")
@signed_in()
def show() -> str:
    """Show one's own scopes, browsers, and what travels to one's phone."""
    account = own_account.describe(session(), _current(), now=now(), language=language())
    return render_template(
        "account/account.html", account=account, roles=labels.role_labels(), told=request.args.get("told")
    )


@blueprint.post("/account/password")
@signed_in()
def change_password() -> ResponseReturnValue:
    """Change one's password."""
    limits.count_try("password", _current().owner_login)
    old, new = request.form.get("old", ""), request.form.get("new", "")
    try:
        signing_in.change_password(session(), _current(), old, new, now=now())
    except (SignInRefusedError, PasswordRefusedError) as error:
        commit()
        account = own_account.describe(session(), _current(), now=now(), language=language())
        page = render_template(
            "account/account.html", account=account, roles=labels.role_labels(), error=labels.password_fault(error)
        )
        return page, _REFUSED
    return redirect(url_for("account.show", told="password"))


@blueprint.get("/invitation/<token>")
@public
def invitation(token: str) -> str:
    """Ask somebody invited for a password."""
    limits.count_try("invitation", token)
    login = signing_in.invited_login(session(), token, now=now())
    return render_template("account/invitation.html", login=login, token=token)


@blueprint.post("/invitation/<token>")
@public
def accept_invitation(token: str) -> ResponseReturnValue:
    """Set the password of somebody invited."""
    limits.count_try("invitation", token)
    login = signing_in.invited_login(session(), token, now=now())
    try:
        signing_in.accept_invitation(session(), token, request.form.get("password", ""), now=now())
    except PasswordRefusedError as error:
        return render_template(
            "account/invitation.html", login=login, token=token, error=labels.password_fault(error)
        ), _REFUSED
    return redirect(url_for("account.sign_in"))


def _current() -> OpenSignIn:
    current = identity.sign_in()
    if current is None:
        raise LookupError("nobody is signed in")
    return current


def _second_factor_page(current: OpenSignIn, *, is_refused: bool = False) -> ResponseReturnValue:
    if current.used_second_factor:
        return redirect("/")
    picture, secret = None, None
    if not current.owner_has_second_factor:
        address = signing_in.prepare_second_factor(session(), current)
        picture = segno.make(address, error="m").svg_inline(scale=5, border=2)
        secret = address.split("secret=")[1].split("&")[0]
    return render_template(
        "account/second_factor.html",
        picture=picture,
        secret=secret,
        is_needed=lacks_second_factor(current),
        is_refused=is_refused,
    )


def _browser() -> Browser:
    return Browser(request.remote_addr, request.user_agent.string or None)


def _with_token(answer: Response | object, started: Started) -> Response:
    response = make_response(answer)
    identity.remember(response, started.token)
    return response
