"""One line of the log for each request, and its number on every line that is said meanwhile."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

from flask import g, has_request_context, request

from web.request_ids import request_id

if TYPE_CHECKING:
    from flask import Flask, Response

NO_ROUTE = "none"
"""What stands for the route of a request that none matches."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those that are told by name; anybody can send words of their own."""

_log = logging.getLogger("web.requests")


def register(app: Flask) -> None:
    """Give every request a number and a line."""
    app.logger.disabled = True  # it would name the address of a request that failed; `web.errors` tells of those
    for handler in logging.getLogger().handlers:
        handler.addFilter(_number)

    @app.before_request
    def begin() -> None:
        g.began = perf_counter()

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers["X-Request-Id"] = request_id()
        took_s = perf_counter() - g.get("began", perf_counter())
        told = {
            "request_id": request_id(),
            "method": request.method if request.method in METHODS else "other",
            "route": route(),
            "status": response.status_code,
            "ms": round(1000 * took_s, 1),
        }
        _log.info("request", extra=told)
        return response


def route() -> str:
    """Return the template of this request's address: the same for all villages and people."""
    return request.url_rule.rule if request.url_rule else NO_ROUTE


def _number(record: logging.LogRecord) -> bool:
    """Give a record the number of the request in which it is said; no record is left out."""
    if has_request_context() and not hasattr(record, "request_id"):
        record.request_id = request_id()
    return True
