"""For machines that look after this one: is it alive, is it ready, how is it doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, current_app, jsonify, request

from web import health, metrics
from web.guards import public

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """Say that this process answers; nothing is asked of the database."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """Say whether work can be sent here, and if not why not."""
    reasons = health.reasons_against(current_app)
    if reasons:
        return jsonify(status="not ready", reasons=reasons), 503, {"Retry-After": "2"}
    return jsonify(status="ready")


@blueprint.get("/metrics")
@public
def figures() -> ResponseReturnValue:
    """Return the figures, to those who may read them; to others there is no such place."""
    if not health.may_read_metrics(request, current_app.config["SETTINGS"].metrics_token):
        abort(404)
    return Response(metrics.page(current_app), content_type=metrics.CONTENT_TYPE)
