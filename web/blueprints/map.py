"""The map: home, an area, and the choice of language."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from web import map_page
from web.actions import maps
from web.clock import now
from web.database import session
from web.templating import language

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("map", __name__)
_YEAR_S = int(timedelta(days=365).total_seconds())


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Open the map of the first village, or say how to bring one."""
    code = maps.first_village(session())
    if code is not None:
        return redirect(url_for("map.area", code=code))
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


@blueprint.get("/map/<code>")
def area(code: str) -> str:
    """Show the map of a village, a town or a district."""
    return map_page.render(maps.area_view(session(), code, now=now(), language=language()))


@blueprint.get("/language/<any(zh, en):language>")
def choose_language(language: str) -> ResponseReturnValue:
    """Keep the language in a cookie and go back to the page one came from, on this site only."""
    back = request.args.get("back", "/")
    is_ours = back.startswith("/") and not back.startswith(("//", "/\\"))
    response: Response = redirect(back if is_ours else "/")  # type: ignore[assignment]
    response.set_cookie("language", language, max_age=_YEAR_S, samesite="Lax", httponly=True)
    return response
