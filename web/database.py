"""The database session of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, g

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def session() -> Session:
    """Return this request's session, opened when first asked for and closed with the request."""
    if "session" not in g:
        g.session = current_app.extensions["sessions"]()
    opened: Session = g.session
    return opened
