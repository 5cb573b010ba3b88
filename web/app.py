"""The application factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, g

from geodata.database import open_engine, session_maker
from web.settings import Settings, read_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def create_app(database_url: str, settings: Settings | None = None) -> Flask:
    """Return the application on one PostGIS database."""
    app = Flask(__name__)
    app.config["SETTINGS"] = settings or read_settings()
    app.extensions["sessions"] = session_maker(open_engine(database_url))

    @app.teardown_appcontext
    def close_session(_error: BaseException | None) -> None:
        session: Session | None = g.pop("session", None)
        if session is not None:
            session.close()

    return app
