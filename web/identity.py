"""Who asks: the sign-in that the browser's cookie stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, g

from web import database

if TYPE_CHECKING:
    from flask import Flask, Response

    from geodata.sign_ins import OpenSignIn
    from mapgrid.roles import Actor


def register(app: Flask) -> None:
    """Name the cookies; behind TLS with the prefix that ties them to this host."""
    prefix = "__Host-" if app.config["SETTINGS"].is_https else ""
    app.config.update(
        SIGN_IN_COOKIE=f"{prefix}mapgrid",
        SESSION_COOKIE_NAME=f"{prefix}mapgrid-form",
        SESSION_COOKIE_SECURE=app.config["SETTINGS"].is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )


def sign_in() -> OpenSignIn | None:
    """Return this request's sign-in, None for somebody who is not signed in."""
    if "sign_in" not in g:
        database.session()
    found: OpenSignIn | None = g.sign_in
    return found


def actor() -> Actor:
    """Return who asks; only views that let in nobody else call it."""
    found = sign_in()
    if found is None:
        raise LookupError("nobody is signed in")
    return found.actor


def remember(response: Response, token: str | None) -> None:
    """Give the browser the token of its sign-in, or take it away with None."""
    name = current_app.config["SIGN_IN_COOKIE"]
    kept: dict[str, Any] = {
        "httponly": True,
        "samesite": "Lax",
        "secure": current_app.config["SESSION_COOKIE_SECURE"],
        "path": "/",
    }
    if token is None:
        response.delete_cookie(name, **kept)
    else:
        response.set_cookie(name, token, **kept)
