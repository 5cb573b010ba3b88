"""The JSON API: the map's layers as GeoJSON, details by code, search. `openapi.json` describes it.

Every answer is data as JSON: no text of the store is ever put into markup here. `web.guards` lets no cache keep it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, jsonify, request

from mapgrid.codes import AreaLevel
from mapgrid.roles import Permission
from mapgrid.terrain import TerrainKind
from web import limits
from web.actions import areas, details, search, villages
from web.actions.search import USUAL_RESULTS, QueryRefusedError
from web.clock import now
from web.database import session
from web.geojson import features_text
from web.guards import requires, requires_somewhere, signed_in
from web.identity import actor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geopandas import GeoDataFrame

blueprint = Blueprint("api", __name__, url_prefix="/api")


@blueprint.get("/openapi.json")
@signed_in()
def describe() -> Response:
    """Return the description of this API."""
    with current_app.open_resource("openapi.json") as file:
        return Response(file.read(), mimetype="application/json")


@blueprint.get("/areas")
@requires_somewhere(Permission.SEE_MAP)
def list_areas() -> Response:
    """Return districts, towns and villages."""
    return jsonify(areas=areas.list_areas(session()))


@blueprint.get("/areas/<code>")
@requires(Permission.SEE_FIGURES)
def show_area(code: str) -> Response:
    """Return an area with its sums and the areas below it."""
    return jsonify(areas.area_summary(session(), code, now(), actor()))


@blueprint.get("/districts/<code>")
@requires(Permission.SEE_FIGURES)
def show_district(code: str) -> Response:
    """Return the villages of a district as features with their figures."""
    return _features(areas.villages_of(session(), code, AreaLevel.DISTRICT, now(), actor()), areas.VILLAGE_COLUMNS)


@blueprint.get("/towns/<code>")
@requires(Permission.SEE_FIGURES)
def show_town(code: str) -> Response:
    """Return the villages of a town as features with their figures."""
    return _features(areas.villages_of(session(), code, AreaLevel.TOWN, now(), actor()), areas.VILLAGE_COLUMNS)


@blueprint.get("/villages/<code>")
@requires(Permission.SEE_FIGURES)
def show_village(code: str) -> Response:
    """Return a village's figures, its plan and the time they hold for."""
    return jsonify(villages.village_summary(session(), code, now(), actor()))


@blueprint.get("/villages/<code>/boundary")
@requires(Permission.SEE_MAP)
def show_boundary(code: str) -> Response:
    """Return the outline of a village."""
    return _features(villages.village_boundary(session(), code), villages.BOUNDARY_COLUMNS)


@blueprint.get("/villages/<code>/grids")
@requires(Permission.SEE_FIGURES)
def list_grids(code: str) -> Response:
    """Return the grids in force."""
    return _features(villages.village_grids(session(), code, now(), actor()), villages.GRID_COLUMNS)


@blueprint.get("/villages/<code>/groups")
@requires(Permission.SEE_FIGURES)
def list_groups(code: str) -> Response:
    """Return the ten-household groups in force."""
    return _features(villages.village_groups(session(), code, now()), villages.GROUP_COLUMNS)


@blueprint.get("/villages/<code>/units")
@requires(Permission.SEE_MAP)
def list_units(code: str) -> Response:
    """Return the villager groups and buildings."""
    return _features(villages.village_units(session(), code), villages.UNIT_COLUMNS)


@blueprint.get("/villages/<code>/households")
@requires(Permission.SEE_HOUSEHOLDS)
def list_households(code: str) -> Response:
    """Return the households, without anybody's name."""
    return _features(villages.village_households(session(), code, now()), villages.HOUSEHOLD_COLUMNS)


@blueprint.get("/villages/<code>/cases")
@requires(Permission.SEE_CASES)
def list_cases(code: str) -> Response:
    """Return the cases that the map shows."""
    return _features(villages.village_cases(session(), code, now()), villages.CASE_COLUMNS)


@blueprint.get("/villages/<code>/terrain")
@requires(Permission.SEE_MAP)
def list_terrain(code: str) -> Response:
    """Return what lies on the land: all of it, or the kinds asked for."""
    wanted = [_kind(text) for text in request.args.getlist("kind")]
    return _features(villages.village_terrain(session(), code, wanted or None), villages.TERRAIN_COLUMNS)


@blueprint.get("/households/<code>")
@requires_somewhere(Permission.SEE_HOUSEHOLDS)
def show_household(code: str) -> Response:
    """Return a household, its people masked."""
    return jsonify(details.household_detail(session(), code, now(), actor()))


@blueprint.post("/households/<code>/unmask")
@requires_somewhere(Permission.UNMASK)
def unmask_household(code: str) -> Response:
    """Return who lives in a household, in full, for a stated purpose; the look is kept in the trail."""
    limits.count_unmask(actor())
    given = request.get_json(silent=True)
    purpose = given.get("purpose") if isinstance(given, dict) else None
    return jsonify(details.unmask_household(session(), code, purpose, now(), actor()))


@blueprint.get("/grids/<code>")
@requires(Permission.SEE_FIGURES)
def show_grid(code: str) -> Response:
    """Return a grid in force with its figures and its staff, masked."""
    return jsonify(details.grid_detail(session(), code, now(), actor()))


@blueprint.get("/cases/<number>")
@requires_somewhere(Permission.SEE_CASES)
def show_case(number: str) -> Response:
    """Return a case as it stands now."""
    return jsonify(details.case_detail(session(), number, now()))


@blueprint.get("/search")
@requires_somewhere(Permission.SEE_MAP)
def find() -> Response:
    """Return what matches, a page at a time."""
    page = {"limit": _whole_number("limit", USUAL_RESULTS), "offset": _whole_number("offset", 0)}
    words, area = request.args.get("q", ""), request.args.get("area", "")
    return jsonify(search.search(session(), words, now(), area=area, **page))


def _features(frame: GeoDataFrame, columns: Sequence[str]) -> Response:
    return Response(features_text(frame, columns), mimetype="application/geo+json")


def _whole_number(name: str, usual: int) -> int:
    given: Any = request.args.get(name)
    if given is None:
        return usual
    if not (given.isascii() and given.isdecimal() and len(given) <= 6):
        raise QueryRefusedError(f"{name}: expected a whole number, found {given[:20]!r}")
    return int(given)


def _kind(given: str) -> TerrainKind:
    if given not in set(TerrainKind):
        raise QueryRefusedError(f"kind: expected one of {', '.join(TerrainKind)}; found {given[:20]!r}")
    return TerrainKind(given)
