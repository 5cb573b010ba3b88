"""Errors -> HTTP, in one table."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from flask import Response, jsonify, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound, ServiceUnavailable

from mapgrid.errors import CodeError, InputRefusedError, LimitsError, MapgridError, NotFoundError

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

STATUS: dict[type[Exception], int] = {
    NotFoundError: 404,
    CodeError: 404,  # a code that cannot be is a place that does not exist
    LimitsError: 400,
    InputRefusedError: 422,
    MapgridError: 400,
    OperationalError: 503,
}
_RETRY_AFTER_S = 5
_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Let the application answer every error in one form: a page for people, JSON under /api."""
    for error_class in STATUS:
        app.register_error_handler(error_class, _answer_known)
    app.register_error_handler(HTTPException, _answer_http)


def _answer_known(error: Exception) -> ResponseReturnValue:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if status == ServiceUnavailable.code:
        _log.error("the database did not answer: %s", error.__class__.__name__)
    return _answer(status, str(error) if isinstance(error, MapgridError) and status != NotFound.code else None)


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, InternalServerError) and error.original_exception is not None:
        _log.error("a request failed", exc_info=error.original_exception)
    if isinstance(error.response, Response):  # a redirect is not an error
        return error.response
    return _answer(error.code or 500, None)


def _answer(status: int, detail: str | None) -> ResponseReturnValue:
    request_id = secrets.token_hex(6)
    _log.info("request %s: %s %s", request_id, status, request.path)
    heading, message = _words(status)
    headers = {"Retry-After": str(_RETRY_AFTER_S)} if status == ServiceUnavailable.code else {}
    if request.path.startswith("/api/"):
        return jsonify(status=status, message=detail or message, request_id=request_id), status, headers
    page = render_template("state.html", heading=heading, message=detail or message, request_id=request_id)
    return page, status, headers


def _words(status: int) -> tuple[str, str]:
    known = {
        404: (
            _("Nothing here"),
            _("There is no such place, or it is not yours to see. Check the address or start from the map."),
        ),
        503: (
            _("The database is away"),
            _("Nothing is lost. The page can be loaded again in a few seconds; if it stays, tell the administrator."),
        ),
    }
    if status in known:
        return known[status]
    if status >= 500:
        return _("Something broke on our side"), _("Tell the administrator the request number below.")
    return _("That cannot be done"), _("The server did not understand the request. Go back and try again.")
