"""The number of a request: shown with every error, kept in the audit trail and the log."""

from __future__ import annotations

import secrets

from flask import g


def request_id() -> str:
    """Return this request's number, made when first asked for."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    return str(g.request_id)
