"""Errors -> HTTP, in one table."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Response, jsonify, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import ClientDisconnected, HTTPException, InternalServerError, NotFound, ServiceUnavailable

from geodata.accounts import AccountRefusedError
from geodata.idempotency import InFlightError, KeyReusedError
from geodata.jobs import JobRefusedError
from geodata.troubles import STORE_ERRORS, Trouble, trouble_of
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
    InFlightError: 409,
    KeyReusedError: 422,
    JobRefusedError: 409,
    EditRefusedError: 422,
    ConflictError: 409,
    StaleVersionError: 412,
    VersionMissingError: 428,
    CoverageError: 500,  # a fault of ours, whatever was asked
    MapgridError: 400,
}
RETRY_AFTER_S: dict[Trouble, int] = {  # all of them are 503
    Trouble.AWAY: 2,
    Trouble.BUSY: 2,
    Trouble.FULL: 60,
    Trouble.READ_ONLY: 5,
    Trouble.CONFLICT: 1,
}
_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Let the application answer every error in one form: a page for people, JSON under /api."""
    for error_class in STATUS:
        app.register_error_handler(error_class, _answer_known)
    for error_class in STORE_ERRORS:
        app.register_error_handler(error_class, _answer_store)
    app.register_error_handler(HTTPException, _answer_http)


def _answer_known(error: Exception) -> ResponseReturnValue:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if status == InternalServerError.code:
        _log.error("a request failed", exc_info=error)
        return _answer(status, None)
    wait_s = error.retry_after_s if isinstance(error, TooManyTriesError) else None
    if isinstance(error, InFlightError):
        wait_s = 1
    tells = isinstance(error, MapgridError) and status not in {NotFound.code, 401}
    more = error.details() if isinstance(error, MapgridError) and tells else {}
    return _answer(status, str(error) if tells else None, retry_after_s=wait_s, **more)


def _answer_store(error: Exception) -> ResponseReturnValue:
    trouble = trouble_of(error)
    if trouble is None:
        raise error  # our own fault: a statement that cannot be
    _log.error("the database is %s: %s", trouble, type(error).__name__)
    heading, message = _trouble_words()[trouble]
    return _answer(ServiceUnavailable.code, message, heading=heading, retry_after_s=RETRY_AFTER_S[trouble])


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, InternalServerError) and error.original_exception is not None:
        _log.error("a request failed", exc_info=error.original_exception)
    if isinstance(error.response, Response):  # a redirect is not an error
        return error.response
    if isinstance(error, ClientDisconnected):  # gone, or too slow
        return _answer(408, None)
    return _answer(error.code or 500, None)


def _answer(
    status: int, detail: str | None, *, heading: str | None = None, retry_after_s: int | None = None, **more: str | int
) -> ResponseReturnValue:
    usual_heading, message = _words(status)
    if retry_after_s is None and status == ServiceUnavailable.code:
        retry_after_s = RETRY_AFTER_S[Trouble.BUSY]
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    if request.path.startswith("/api/"):
        answer = jsonify(status=status, message=detail or message, request_id=request_id(), **more)
        return answer, status, headers
    page = render_template(
        "state.html", heading=heading or usual_heading, message=detail or message, request_id=request_id()
    )
    return page, status, headers


def _words(status: int) -> tuple[str, str]:
    known = {
        404: (
            _("Nothing here"),
            _("There is no such place, or it is not yours to see. Check the address or start from the map."),
        ),
        401: (_("Sign in first"), _("You are not signed in, or were signed out after half an hour without use.")),
        408: (
            _("That took too long"),
            _("The rest of what was sent did not arrive. Nothing was changed; try again with a better connection."),
        ),
        413: (
            _("Too large"),
            _("A file sent by way of a browser has at most 64 MiB. Larger ones go by the command line."),
        ),
        429: (_("Too many tries"), _("Wait a few minutes and try again.")),
        503: _trouble_words()[Trouble.AWAY],
    }
    if status in known:
        return known[status]
    if status >= 500:
        return _("Something broke on our side"), _("Tell the administrator the request number below.")
    return _("That cannot be done"), _("The server did not understand the request. Go back and try again.")


def _trouble_words() -> dict[Trouble, tuple[str, str]]:
    return {
        Trouble.AWAY: (
            _("The database is away"),
            _("Nothing is lost. The page can be loaded again in a few seconds; if it stays, tell the administrator."),
        ),
        Trouble.BUSY: (
            _("The database is busy"),
            _("Too much is asked of it at once. Nothing was changed; try again in a few seconds."),
        ),
        Trouble.FULL: (
            _("The disk is full"),
            _("Nothing was changed. Tell the administrator: the disk of the database has no room left."),
        ),
        Trouble.READ_ONLY: (
            _("No changes at the moment"),
            _("The database can be read but takes no changes. Nothing was changed; try again later."),
        ),
        Trouble.CONFLICT: (
            _("Somebody was faster"),
            _("Somebody else changed the same thing at that moment. Nothing was changed; try again."),
        ),
    }
