"""Jobs: a page that shows how far one is, and the same for programs."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for

from mapgrid.errors import LimitsError
from mapgrid.roles import Permission
from mapgrid.times import LOCAL_TIME
from mapgrid.village import Limits
from web import identity
from web.actions import jobs
from web.clock import now
from web.database import session
from web.guards import requires, requires_somewhere
from web.job_words import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("jobs", __name__)
_USUAL = {"min": 50, "max": 100, "target": 75, "seed": 0}


@blueprint.get("/jobs/<int:job>")
@requires_somewhere(Permission.DRAW)
def show(job: int) -> str:
    """Show how far a job is; a script keeps the page true."""
    return render_template("jobs/show.html", job=in_words(jobs.job_state(session(), job)))


@blueprint.post("/jobs/<int:job>/cancel")
@requires_somewhere(Permission.DRAW)
def cancel(job: int) -> ResponseReturnValue:
    """Ask for the end of a job and show it."""
    jobs.cancel_job(session(), job)
    return redirect(url_for("jobs.show", job=job), 303)


@blueprint.get("/api/jobs/<int:job>")
@requires_somewhere(Permission.DRAW)
def tell(job: int) -> Response:
    """Return how far a job is, and what came of it."""
    return jsonify(in_words(jobs.job_state(session(), job)))


@blueprint.post("/api/jobs/<int:job>/cancel")
@requires_somewhere(Permission.DRAW)
def cancel_by_program(job: int) -> Response:
    """Ask for the end of a job and return it."""
    return jsonify(in_words(jobs.cancel_job(session(), job)))


@blueprint.post("/api/villages/<code>/division")
@requires(Permission.PUBLISH)
def divide(code: str) -> ResponseReturnValue:
    """Start the division of a village; the answer says where to look how far it is."""
    given = request.get_json(silent=True) or {}
    numbers = {name: _number(given, name, usual) for name, usual in _USUAL.items()}
    seed = numbers.pop("seed")
    number = jobs.start_division(
        session(),
        code,
        limits=Limits(**numbers),
        seed=seed,
        starts_on=_day(given),
        account_id=identity.actor().account_id,
    )
    place = url_for("jobs.tell", job=number)
    return jsonify(job=number, place=place, page=url_for("jobs.show", job=number)), 202, {"Location": place}


def _number(given: Mapping[str, Any], name: str, usual: int) -> int:
    value = given.get(name, usual)
    if not (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31):
        raise LimitsError(f"{name}: expected a whole number, found {str(value)[:20]!r}")
    return value


def _day(given: Mapping[str, Any]) -> date:
    value = given.get("starts_on", now().astimezone(LOCAL_TIME).date().isoformat())
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise LimitsError(f"starts_on: expected a day such as 2026-03-05, found {str(value)[:20]!r}") from error
