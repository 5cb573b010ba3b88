"""A plan as one HTML file that opens without a server and without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
from jinja2 import Environment, FileSystemLoader

from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import MapgridError
from mapgrid.mapspec import MapSpec, Overlay, Pane, colour_grids
from mapgrid.outlines import inner_borders, neighbours_of, surroundings
from web.folium_map import SCRIPTS, STYLES, Layers, draw
from web.geojson import feature_collection, one_feature

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from mapgrid.partition import Plan

_HERE = Path(__file__).resolve().parent
_REACH_DEGREES = 0.6


def plan_page(title: str, plan: Plan, village: GeoDataFrame) -> str:
    """Return the page of a plan.

    Parameters
    ----------
    title
        What stands above the scorecard, usually the name of the households' file.
    village
        The village that was divided, in the plan's metric CRS.

    Raises
    ------
    MapgridError
        If the map library has not been set up on this machine.
    """
    grids = plan.grids.to_crs(STORAGE_SRID)
    households = plan.households[plan.households["grid"].notna()].to_crs(STORAGE_SRID)
    boundary = village.to_crs(STORAGE_SRID).geometry.iloc[0]
    west, south, east, north = boundary.bounds
    page = {
        "home": [[south, west], [north, east]],
        "households": [
            list(at) for at in zip(households.geometry.x.round(6), households.geometry.y.round(6), strict=True)
        ],
        "labels": _labels(grids),
    }
    layers = Layers(
        areas=_filled(grids),
        borders=one_feature(inner_borders(grids.geometry)),
        boundary=one_feature(shapely.boundary(boundary)),
        outside=one_feature(surroundings(boundary, reach=_REACH_DEGREES)),
        overlays={Overlay.GROUPS: [("groups", Pane.GROUPS, one_feature(_group_borders(plan)))]},
        breakers=feature_collection(grids[grids["reason"].notna()]),
    )
    drawn = draw(MapSpec(bounds=(west, south, east, north)), layers, shown=frozenset({Overlay.GROUPS}))
    environment = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True)
    return environment.get_template("map/plan_file.html").render(
        title=title,
        figures=_figures(plan),
        reasons=[reason.as_record() for reason in plan.reasons],
        drawn=drawn,
        page=page,
        style="\n".join(_static(name) for name in (*STYLES, "css/plan_file.css")),
        scripts=[_static(name) for name in (SCRIPTS[0], "js/plan_file.js")],
    )


def _filled(grids: GeoDataFrame) -> dict[str, Any]:
    fills = colour_grids(neighbours_of(grids, "grid"))
    return feature_collection(grids.assign(fill=grids["grid"].map(fills), code=grids["grid"]), ("code", "fill"))


def _labels(grids: GeoDataFrame) -> list[dict[str, Any]]:
    inside = shapely.point_on_surface(grids.geometry.to_numpy())
    return [
        {
            "at": [round(at.x, 6), round(at.y, 6)],
            "title": grid.grid,
            "count": f"{grid.weight:,}",
            "isBreaker": isinstance(grid.reason, str),
        }
        for at, grid in zip(inside, grids.itertuples(), strict=True)
    ]


def _group_borders(plan: Plan) -> Any:  # noqa: ANN401 -- any geometry of lines
    groups = plan.cells.dissolve("group", method="coverage").to_crs(STORAGE_SRID)
    return inner_borders(groups.geometry)


def _figures(plan: Plan) -> list[tuple[str, str]]:
    card = plan.scorecard
    return [
        ("Grids", f"{card.grids:,}"),
        ("Households", f"{card.households:,}"),
        ("Within limits", f"{card.in_range_pct:.1f} %"),
        ("Fewest – most", f"{card.min} – {card.max}"),
        ("Way to the centre, mean", f"{card.distance_m:,.0f} m"),
        ("Farthest", f"{card.farthest_m:,.0f} m"),
        ("Compactness, mean", f"{card.polsby_popper:.3f}"),
        ("Groups within limits", f"{card.groups_in_range_pct:.1f} %"),
        ("Barriers crossed", f"{card.barrier_pairs}"),
    ]


def check_library() -> None:
    """Raise `MapgridError` unless what a page takes from the map library is on this machine."""
    for name in (*STYLES, SCRIPTS[0]):
        _static(name)


def _static(name: str) -> str:
    file = _HERE / "static" / name
    if not file.is_file():
        msg = f"expected the map library at {file}, found nothing; make setup brings it"
        raise MapgridError(msg)
    return file.read_text(encoding="utf-8")
