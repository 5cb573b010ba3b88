"""Who may call a view, and what every answer carries.

A view says who may call it with `@requires`, `@requires_somewhere`, `@signed_in` or `@public`; one that says nothing
is for nobody. What is not somebody's to see is answered like what does not exist.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from flask import abort, current_app, g, redirect, request, url_for

from mapgrid.errors import MapgridError, NotFoundError
from mapgrid.roles import allows, allows_somewhere, needs_second_factor
from web import identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response
    from flask.typing import ResponseReturnValue

    from geodata.sign_ins import OpenSignIn
    from mapgrid.roles import Permission

View = TypeVar("View", bound="Callable[..., ResponseReturnValue]")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class NotSignedInError(MapgridError):
    """Something for people who are signed in."""


class LooksOnlyError(MapgridError):
    """A change, asked for while looking with another's eyes."""


class SecondFactorMissingError(MapgridError):
    """Something for people who also gave their one-time code."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may call a view.

    Attributes
    ----------
    permission
        None where being signed in is enough.
    code
        Name of the view's argument that holds the code of the place; None where having the permission on any area is
        enough, since the rows themselves are fenced.
    is_public
        Whether anybody may call it.
    before_second_factor
        Whether it may be called before the second factor was given.
    while_looking
        Whether an unsafe method may be called while looking with another's eyes.
    """

    permission: Permission | None = None
    code: str | None = None
    is_public: bool = False
    before_second_factor: bool = False
    while_looking: bool = False


_GUARDS: dict[str, Guard] = {"static": Guard(is_public=True)}


def requires(permission: Permission, code: str = "code") -> Callable[[View], View]:
    """Let in who has a permission on the place that the view's argument `code` names."""
    return _guarded(Guard(permission, code))


def requires_somewhere(permission: Permission) -> Callable[[View], View]:
    """Let in who has a permission on any area; the view shows fenced rows alone."""
    return _guarded(Guard(permission))


def signed_in(*, before_second_factor: bool = False, while_looking: bool = False) -> Callable[[View], View]:
    """Let in everybody who is signed in."""
    return _guarded(Guard(before_second_factor=before_second_factor, while_looking=while_looking))


def public(view: View) -> View:
    """Let in everybody."""
    return _guarded(Guard(is_public=True))(view)


def guard_of(endpoint: str) -> Guard | None:
    """Return who may call an endpoint of the current application, None where it says nothing."""
    view = current_app.view_functions.get(endpoint)
    return _GUARDS.get(endpoint) or getattr(view, "guard", None)


def nonce() -> str:
    """Return this request's nonce, made when first asked for."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def register(app: Flask) -> None:
    """Guard every view of the application and put the headers on every answer."""
    app.before_request(_let_in)
    app.after_request(_add_headers)


def _guarded(guard: Guard) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.guard = guard  # type: ignore[attr-defined]
        return view

    return mark


def _let_in() -> ResponseReturnValue | None:
    if request.endpoint is None:  # nothing has this address: not found, whoever asks
        return None
    guard = guard_of(request.endpoint)
    if guard is None:
        abort(404)
    if guard.is_public:
        return None
    found = identity.sign_in()
    if found is None:
        return _ask_to_sign_in()
    if lacks_second_factor(found) and not guard.before_second_factor:
        if request.path.startswith("/api/"):
            raise SecondFactorMissingError("give your one-time code first")
        return redirect(url_for("account.second_factor"))
    if found.actor.viewer_id is not None and request.method not in SAFE_METHODS and not guard.while_looking:
        raise LooksOnlyError("you look with somebody else's eyes, which changes nothing; end that first")
    _check_permission(guard, found)
    return None


def _check_permission(guard: Guard, found: OpenSignIn) -> None:
    if guard.permission is None:
        return
    if guard.code is None:
        may = allows_somewhere(found.actor, guard.permission)
    else:
        may = allows(found.actor, guard.permission, str((request.view_args or {})[guard.code]))
    if not may:
        raise NotFoundError("not within the asker's scope")


def lacks_second_factor(found: OpenSignIn) -> bool:
    """Say whether a sign-in still waits for its one-time code.

    The demo's accounts have none: everybody on this machine may try them.
    """
    if found.used_second_factor or found.owner_is_demo:
        return False
    return found.owner_has_second_factor or (found.actor.viewer_id is None and needs_second_factor(found.actor.scopes))


def _ask_to_sign_in() -> ResponseReturnValue:
    if request.path.startswith("/api/") or request.method not in SAFE_METHODS:
        raise NotSignedInError("sign in first")
    return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")))


def _add_headers(response: Response) -> Response:
    # Leaflet sets styles through the CSSOM, which the policy allows; no style attribute is ever written as text.
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce()}'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "geolocation=(self), camera=(), microphone=(), payment=(), usb=()"
    if current_app.config["SETTINGS"].is_https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
