"""The audit trail, for auditors: filtered, paged, exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from mapgrid.roles import Permission
from web import labels
from web.actions import read_trail
from web.clock import now
from web.database import session
from web.guards import requires_somewhere
from web.paging import read_page

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("audit", __name__)
_audits = requires_somewhere(Permission.SEE_AUDIT)


@blueprint.get("/audit")
@_audits
def list_entries() -> ResponseReturnValue:
    """Show a page of the trail, the newest first; on demand, whether it is whole."""
    page, wanted = read_page(), read_trail.read_filter(request.args)
    total, entries = read_trail.list_entries(session(), wanted, page=page)
    return render_template(
        "audit/list.html",
        tell_detail=labels.audit_detail,
        entries=entries,
        page=page.of(total),
        wanted=wanted,
        actions=labels.audit_action_labels(),
        state=read_trail.state_of_trail(session()) if "check" in request.args else None,
    )


@blueprint.get("/audit.csv")
@_audits
def export() -> Response:
    """Return the entries that match as CSV; the export is an entry itself."""
    text = read_trail.export(session(), read_trail.read_filter(request.args))
    name = f"audit-{now():%Y%m%d-%H%M}.csv"
    return Response(text, mimetype="text/csv", headers={"Content-Disposition": f"attachment; filename={name}"})
