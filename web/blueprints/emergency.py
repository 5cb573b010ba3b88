"""Letting oneself into a village of one's town, in an emergency."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from mapgrid.roles import Permission
from web import identity, limits
from web.actions import emergencies
from web.clock import now
from web.database import commit, session
from web.guards import requires_somewhere, signed_in

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("emergency", __name__)
_REFUSED, _FORBIDDEN = 422, 403
_FACTOR_SINCE = timedelta(days=1)


@blueprint.get("/emergency")
@requires_somewhere(Permission.OPEN_IN_EMERGENCY)
def ask() -> str:
    """Ask for the village and the reason, and say what follows."""
    return _page()


@blueprint.post("/emergency")
@requires_somewhere(Permission.OPEN_IN_EMERGENCY)
def open_village() -> ResponseReturnValue:
    """Let oneself in."""
    if not _is_proved():
        return _page(), _FORBIDDEN
    limits.count_try("emergency", identity.actor().login)
    form = request.form
    try:
        code = emergencies.open_village(session(), form.get("village", ""), form.get("reason", ""))
    except (emergencies.NoVillageError, emergencies.ReasonRefusedError) as error:
        commit()
        return _page(error), _REFUSED
    return redirect(url_for("map.area", code=code))


@blueprint.post("/emergency/end")
@signed_in()
def end() -> ResponseReturnValue:
    """End all that one let oneself into."""
    emergencies.end_emergencies(session())
    return redirect(url_for("map.home"))


def _is_proved() -> bool:
    """Say whether who asks signed in with a second factor that is older than a day.

    A stolen password must not open a village by setting up a factor first. The demo's accounts have none.
    """
    found = identity.sign_in()
    if found is None:
        return False
    since = found.second_factor_since
    return found.owner_is_demo or (found.used_second_factor and since is not None and since < now() - _FACTOR_SINCE)


def _page(error: Exception | None = None) -> str:
    return render_template(
        "emergency/open.html",
        form=request.form,
        is_unknown=isinstance(error, emergencies.NoVillageError),
        is_short=isinstance(error, emergencies.ReasonRefusedError),
        is_proved=_is_proved(),
        fewest=emergencies.FEWEST_CHARACTERS,
        most=emergencies.MOST_CHARACTERS,
    )
