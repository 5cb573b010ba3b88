"""The application factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, request
from flask_babel import Babel
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from geodata.database import open_web_engine, session_maker
from geodata.patience import REQUEST
from web import (
    bodies,
    database,
    errors,
    guards,
    health,
    identity,
    limits,
    metrics,
    request_log,
    templating,
)
from web.actions.plan_shelf import PlanShelf
from web.blueprints import account, api, audit, emergency, imports, jobs, people, plans
from web.blueprints import health as health_blueprint
from web.blueprints import map as map_blueprint
from web.idempotency import carry_out
from web.secret_key import secret_key
from web.settings import Settings, read_settings

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

LANGUAGES = ("zh", "en")
_LOCALES = {"zh": "zh_Hans_CN", "en": "en"}


class Application(Flask):
    """Flask, with what a request wrote kept before its answer goes out."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Call the view and commit; an error of the commit is answered like one of the view."""
        answer = carry_out(lambda: self.make_response(super(Application, self).dispatch_request()))
        database.commit()
        return answer


def create_app(database_url: str, settings: Settings | None = None) -> Flask:
    """Return the application on one PostGIS database."""
    app = Application(__name__)
    app.config["SETTINGS"] = settings = settings or read_settings()
    app.config["SECRET_KEY"] = secret_key(settings.home)
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the sign-in
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # half the size in Chinese
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["engine"] = engine = open_web_engine(database_url, patience=REQUEST)
    app.extensions["sessions"] = session_maker(engine)
    app.extensions["plans"] = PlanShelf()
    if settings.is_https:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    request_log.register(app)
    metrics.register(app, engine)
    health.register(app, database_url)
    bodies.register(app)
    Babel(app, locale_selector=_choose_locale)
    identity.register(app)
    guards.register(app)
    CSRFProtect(app)
    errors.register(app)
    limits.register(app)
    templating.register(app)
    database.register(app)
    for blueprint in (map_blueprint, api, imports, account, emergency, people, audit, plans, jobs, health_blueprint):
        app.register_blueprint(blueprint.blueprint)
    return app


def _choose_locale() -> str:
    """Return what the reader chose, else what the browser asks for, else Chinese."""
    chosen = request.cookies.get("language")
    if chosen not in LANGUAGES:
        chosen = request.accept_languages.best_match(("zh", "zh-CN", "zh-TW", "en"), default="zh")
    return _LOCALES[str(chosen)[:2]]
