"""Errors -> HTTP, in one table."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Response, jsonify, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound, ServiceUnavailable

from geodata.accounts import AccountRefusedError
from mapgrid.errors import (
    CodeError,
    ConflictError,
    CoverageError,
    EditRefusedError,
    InputRefusedError,
    LimitsError,
    MapgridError,
    NotFoundError,
    StaleVersionError,
)
from mapgrid.masking import PurposeMissingError
from web.guards import LooksOnlyError, NotSignedInError, SecondFactorMissingError
from web.limits import TooManyTriesError
from web.passwords import PasswordRefusedError
from web.preconditions import VersionMissingError
from web.request_ids import request_id

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

STATUS: dict[type[Exception], int] = {
    NotFoundError: 404,
    CodeError: 404,  # a code that cannot be is a place that does not exist
    LimitsError: 400,
    InputRefusedError: 422,
    AccountRefusedError: 422,
    PasswordRefusedError: 422,
    PurposeMissingError: 422,
    NotSignedInError: 401,
    LooksOnlyError: 403,
    SecondFactorMissingError: 403,
    TooManyTriesError: 429,
    EditRefusedError: 422,
    ConflictError: 409,
    StaleVersionError: 412,
    VersionMissingError: 428,
    CoverageError: 500,  # a fault of ours, whatever was asked
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
    if status == InternalServerError.code:
        _log.error("a request failed", exc_info=error)
        return _answer(status, None)
    wait_s = error.retry_after_s if isinstance(error, TooManyTriesError) else None
    tells = isinstance(error, MapgridError) and status not in {NotFound.code, 401}
    more = error.details() if isinstance(error, MapgridError) and tells else {}
    return _answer(status, str(error) if tells else None, retry_after_s=wait_s, **more)


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, InternalServerError) and error.original_exception is not None:
        _log.error("a request failed", exc_info=error.original_exception)
    if isinstance(error.response, Response):  # a redirect is not an error
        return error.response
    return _answer(error.code or 500, None)


def _answer(
    status: int, detail: str | None, *, retry_after_s: int | None = None, **more: str | int
) -> ResponseReturnValue:
    _log.info("request %s: %s", request_id(), status)
    heading, message = _words(status)
    if status == ServiceUnavailable.code:
        retry_after_s = _RETRY_AFTER_S
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    if request.path.startswith("/api/"):
        answer = jsonify(status=status, message=detail or message, request_id=request_id(), **more)
        return answer, status, headers
    page = render_template("state.html", heading=heading, message=detail or message, request_id=request_id())
    return page, status, headers


def _words(status: int) -> tuple[str, str]:
    known = {
        404: (
            _("Nothing here"),
            _("There is no such place, or it is not yours to see. Check the address or start from the map."),
        ),
        401: (_("Sign in first"), _("You are not signed in, or were signed out after half an hour without use.")),
        413: (
            _("Too large"),
            _("A file sent by way of a browser has at most 64 MiB. Larger ones go by the command line."),
        ),
        429: (_("Too many tries"), _("Wait a few minutes and try again.")),
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
