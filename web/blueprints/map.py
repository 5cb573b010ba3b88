"""The map: home, an area, and the choice of language."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _

from mapgrid.roles import Permission
from web import identity, map_page
from web.actions import maps
from web.addresses import local_address
from web.clock import now
from web.database import session
from web.guards import public, requires, signed_in
from web.templating import language, main_entries

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("map", __name__)
_YEAR_S = int(timedelta(days=365).total_seconds())


@blueprint.get("/")
@signed_in()
def home() -> ResponseReturnValue:
    """Open what somebody works with: the map of their grid or area, the accounts, the trail; or say what is missing."""
    actor = identity.actor()
    code = maps.first_place(session(), actor)
    if code is not None:
        return redirect(url_for("map.area", code=code))
    entries = [entry for entry in main_entries(actor) if entry.endpoint != "map.home"]
    if entries:
        return redirect(url_for(entries[0].endpoint))
    if actor.areas(Permission.SEE_MAP):
        return render_template(
            "state.html",
            heading=_("No village here yet"),
            message=_("Bring a village from files, or load the demo. In a terminal on this machine:"),
            commands=[
                "mapgrid demo",
                "mapgrid import village FILE --code CODE",
                "mapgrid import households FILE --village CODE",
            ],
        )
    return render_template(
        "state.html",
        heading=_("No area is yours at present"),
        message=_("Ask your administrator for a role on your village or grid."),
    )


@blueprint.get("/map/<code>")
@requires(Permission.SEE_FIGURES)
def area(code: str) -> str:
    """Show the map of a grid, a village, a town or a district."""
    view = maps.area_view(session(), code, now=now(), language=language(), actor=identity.actor())
    return map_page.render(view)


@blueprint.get("/language/<any(zh, en):language>")
@public
def choose_language(language: str) -> ResponseReturnValue:
    """Keep the language in a cookie and go back to the page one came from, on this site only."""
    response: Response = redirect(local_address(request.args.get("back", "/")))  # type: ignore[assignment]
    response.set_cookie(
        "language",
        language,
        max_age=_YEAR_S,
        samesite="Lax",
        httponly=True,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response
