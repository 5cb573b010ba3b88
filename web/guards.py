"""What every answer carries: a nonce for our scripts, and headers that let a page load nothing from elsewhere."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import g

if TYPE_CHECKING:
    from flask import Flask, Response


def nonce() -> str:
    """Return this request's nonce, made when first asked for."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def register(app: Flask) -> None:
    """Put the headers on every answer of the application."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        # Leaflet sets styles through the CSSOM, which the policy allows; no style attribute is ever written as text.
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce()}'; style-src 'self'; img-src 'self' data:; "
            "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if response.mimetype in {"text/html", "application/json", "application/geo+json"}:
            response.headers["Cache-Control"] = "no-store"
        return response
