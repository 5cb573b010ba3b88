"""The application factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, g, request
from flask_babel import Babel
from sqlalchemy.exc import OperationalError

from geodata.database import open_engine, session_maker
from web import errors, guards, templating
from web.blueprints import api
from web.blueprints import map as map_blueprint
from web.settings import Settings, read_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LANGUAGES = ("zh", "en")
_LOCALES = {"zh": "zh_Hans_CN", "en": "en"}


def create_app(database_url: str, settings: Settings | None = None) -> Flask:
    """Return the application on one PostGIS database."""
    app = Flask(__name__)
    app.config["SETTINGS"] = settings or read_settings()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # half the size in Chinese
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["engine"] = engine = open_engine(database_url)
    app.extensions["sessions"] = session_maker(engine)
    Babel(app, locale_selector=_choose_locale)
    guards.register(app)
    errors.register(app)
    templating.register(app)
    app.register_blueprint(map_blueprint.blueprint)
    app.register_blueprint(api.blueprint)

    @app.teardown_appcontext
    def close_session(_error: BaseException | None) -> None:
        session: Session | None = g.pop("session", None)
        if session is not None:
            try:
                session.close()
            except OperationalError:  # the database went away after the answer was made
                session.invalidate()

    return app


def _choose_locale() -> str:
    """Return what the reader chose, else what the browser asks for, else Chinese."""
    chosen = request.cookies.get("language")
    if chosen not in LANGUAGES:
        chosen = request.accept_languages.best_match(("zh", "zh-CN", "zh-TW", "en"), default="zh")
    return _LOCALES[str(chosen)[:2]]
