"""Plans over HTTP: drafts begun, edited, reviewed, published. `openapi.json` describes it.

An answer carries its plan's version as `ETag`; what changes a plan says in `If-Match` which version it is meant for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, jsonify, request, url_for

from mapgrid.codes import check_village_code
from mapgrid.roles import Permission
from mapgrid.village import Limits
from web import identity
from web.actions import edit_plan as edits
from web.actions import plan_drafts as drafts
from web.actions import publish_plan as steps
from web.clock import now
from web.database import session
from web.geojson import feature_collection
from web.guards import requires_somewhere
from web.preconditions import BodyRefusedError, day_of, looked_at, number_of, read_body, text_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from web.actions.plan_drafts import Wanted
    from web.actions.plan_shelf import PlanShelf

blueprint = Blueprint("plans", __name__, url_prefix="/api/plans")

_draws = requires_somewhere(Permission.DRAW)
_publishes = requires_somewhere(Permission.PUBLISH)
_LIMITS = tuple(Limits.__dataclass_fields__)
_LARGEST_LIMIT = 100_000


@blueprint.get("")
@_draws
def list_plans() -> Response:
    """Return the plans of a village."""
    code = check_village_code(request.args.get("village", ""))
    return jsonify(plans=drafts.list_plans(session(), identity.actor(), code))


@blueprint.post("")
@_draws
def begin_draft() -> ResponseReturnValue:
    """Begin a draft and return it."""
    body = read_body({"village", "name", "source", "limits", "seed"})
    code = check_village_code(str(body.get("village", "")))
    plan = drafts.begin_draft(session(), _shelf(), identity.actor(), code, _wanted(body))
    answer = _shown(plan)
    answer.headers["Location"] = url_for("plans.show_plan", plan=plan)
    return answer, 201


@blueprint.get("/<int(max=2147483647):plan>")
@_draws
def show_plan(plan: int) -> Response:
    """Return a plan with its grids."""
    return _shown(plan)


@blueprint.delete("/<int(max=2147483647):plan>")
@_draws
def drop_draft(plan: int) -> ResponseReturnValue:
    """Delete a draft."""
    drafts.drop_draft(session(), identity.actor(), plan, version=looked_at())
    return "", 204


@blueprint.get("/<int(max=2147483647):plan>/history")
@_draws
def show_history(plan: int) -> Response:
    """Return all that was done with a plan."""
    record, entries = drafts.show_history(session(), _shelf(), identity.actor(), plan)
    return _versioned(record, entries=entries)


@blueprint.post("/<int(max=2147483647):plan>/edits")
@_draws
def edit_plan(plan: int) -> Response:
    """Edit a draft and return what changed."""
    body, version = read_body(), looked_at()
    done = edits.edit_plan(session(), _shelf(), identity.actor(), plan, body, version=version)
    return _versioned(
        done.plan,
        grids=feature_collection(done.grids, drafts.GRID_COLUMNS),
        ended=done.ended,
        households=done.households,
        warnings=done.warnings,
    )


@blueprint.post("/<int(max=2147483647):plan>/review")
@_draws
def review_plan(plan: int) -> Response:
    """Put a draft in review."""
    return _moved(plan, "review")


@blueprint.post("/<int(max=2147483647):plan>/return")
@_draws
def return_plan(plan: int) -> Response:
    """Send a plan in review back to draft."""
    return _moved(plan, "return")


@blueprint.post("/<int(max=2147483647):plan>/publish")
@_publishes
def publish_plan(plan: int) -> Response:
    """Put a reviewed plan in force from a day on."""
    starts_on = day_of(read_body({"starts_on"}), "starts_on")
    record = steps.publish_plan(session(), _shelf(), identity.actor(), plan, (starts_on, now()), version=looked_at())
    return _versioned(record)


def _moved(plan: int, step: str) -> Response:
    record = steps.move_plan(session(), _shelf(), identity.actor(), plan, step, version=looked_at())
    return _versioned(record)


def _shown(plan: int) -> Response:
    shown = drafts.show_plan(session(), _shelf(), identity.actor(), plan)
    grids = feature_collection(shown.grids, drafts.GRID_COLUMNS)
    return _versioned(shown.plan, grids=grids, reasons=shown.reasons)


def _versioned(record: dict[str, Any], **more: Any) -> Response:  # noqa: ANN401  JSON
    answer = jsonify(plan=record, **more)
    answer.set_etag(str(record["version"]))
    return answer


def _wanted(body: Any) -> Wanted:  # noqa: ANN401  JSON
    source, limits = body.get("source", drafts.PUBLISHED), body.get("limits", {})
    if source not in drafts.SOURCES:
        raise BodyRefusedError(f"source: expected one of {', '.join(drafts.SOURCES)}, found {source!r:.40}")
    if not isinstance(limits, dict) or set(limits) - set(_LIMITS):
        raise BodyRefusedError(f"limits: expected some of {', '.join(_LIMITS)}, found {limits!r:.80}")
    usual = Limits()
    given = {name: number_of(limits, name, getattr(usual, name), most=_LARGEST_LIMIT) for name in _LIMITS}
    seed = number_of(body, "seed", 0, most=2**31 - 1)
    return drafts.Wanted(source, text_of(body, "name", most=60), Limits(**given), seed)


def _shelf() -> PlanShelf:
    shelf: PlanShelf = current_app.extensions["plans"]
    return shelf
