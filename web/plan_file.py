"""A plan as one HTML file that opens without a server and without a network."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from jinja2 import Environment, FileSystemLoader
from scipy.spatial import cKDTree

from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import MapgridError
from mapgrid.mapspec import MapSpec, Overlay, Pane, colour_grids
from mapgrid.outlines import inner_borders, neighbours_of, surroundings
from web.folium_map import SCRIPTS, STYLES, Layers, draw
from web.geojson import feature_collection, one_feature
from web.plan_layers import given_layers, in_degrees
from web.plan_panel import figures, legend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from mapgrid.partition import Plan

_HERE = Path(__file__).resolve().parent
_REACH_DEGREES = 0.6
_NAME_COLUMNS = frozenset({"name", "village", "名称", "村名"})
_LINKS = re.compile(r"^import .*;\n|^export ", re.MULTILINE)


def plan_page(
    title: str, plan: Plan, village: GeoDataFrame, given: Mapping[str, GeoDataFrame] = MappingProxyType({})
) -> str:
    """Return the page of a plan.

    Parameters
    ----------
    title
        What stands above the panel: the village's name, else that of the households' file.
    village
        The village that was divided, in the plan's metric CRS.
    given
        `barriers`, `prefer`, `roads` and `units` of the division, those there are, in the same CRS.

    Raises
    ------
    MapgridError
        If the map library has not been set up on this machine.
    """
    borders = inner_borders(plan.grids.geometry)
    below = given_layers(given, borders, village)
    grids = plan.grids.to_crs(STORAGE_SRID)
    boundary = village.to_crs(STORAGE_SRID).geometry.iloc[0]
    layers = Layers(
        areas=_filled(grids),
        borders=one_feature(in_degrees(borders, plan.grids.crs)),
        boundary=one_feature(shapely.boundary(boundary)),
        outside=one_feature(surroundings(boundary, reach=_REACH_DEGREES)),
        overlays={
            **{layer.overlay: layer.parts for layer in below},
            Overlay.GROUPS: [("groups", Pane.GROUPS, one_feature(_group_borders(plan)))],
        },
        breakers=feature_collection(grids[grids["reason"].notna()]),
    )
    drawn = draw(MapSpec(bounds=boundary.bounds), layers, shown=frozenset(layer.overlay for layer in below))
    environment = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True)
    return environment.get_template("map/plan_file.html").render(
        title=title,
        lead=f"{plan.scorecard.households:,} households in {len(grids):,} {'grid' if len(grids) == 1 else 'grids'}",
        figures=figures(plan, below),
        legend=legend(plan, below),
        reasons=[reason.as_record() for reason in plan.reasons],
        pieces=[piece.as_record() for piece in plan.pieces],
        drawn=drawn,
        page=_values(plan, boundary.bounds),
        style="\n".join(_static(name) for name in (*STYLES, "css/plan_file.css")),
        library=_static(SCRIPTS[0]),
        modules=_in_one_script("js/dom.js", "js/labels.js", "js/plan_file.js"),
    )


def _values(plan: Plan, bounds: tuple[float, float, float, float]) -> dict[str, Any]:
    """Return what the page's script draws itself: households and labels, and where the map opens."""
    west, south, east, north = bounds
    households = plan.households[plan.households["grid"].notna()].to_crs(STORAGE_SRID)
    return {
        "home": [[south, west], [north, east]],
        "households": [
            list(at) for at in zip(households.geometry.x.round(6), households.geometry.y.round(6), strict=True)
        ],
        "metres_apart": _metres_apart(plan.division.points.xy),
        "labels": _labels(plan.grids),
    }


def title_of(boundary: GeoDataFrame, file: str) -> str:
    """Return the name of a village by its boundary, else that of the file its households came from."""
    for column in boundary.columns:
        if str(column).casefold() in _NAME_COLUMNS:
            name = boundary[column].iloc[0]
            if isinstance(name, str) and name.strip():
                return name.strip()
    return Path(file).stem


def _filled(grids: GeoDataFrame) -> dict[str, Any]:
    fills = colour_grids(neighbours_of(grids, "grid"))
    # Names of grids may come from a former plan's file: they go to the page beside folium, in the same order.
    return feature_collection(grids.assign(fill=grids["grid"].map(fills)), ("fill",))


def _labels(grids: GeoDataFrame) -> list[dict[str, Any]]:
    """Return the label of each grid, in the order of the polygons."""
    return [
        {
            "code": grid.grid,
            "title": grid.grid,
            "households": f"{grid.weight:,} {'household' if grid.weight == 1 else 'households'}",
            "count_alone": f"{grid.weight:,}",
            "isBreaker": isinstance(grid.reason, str),
        }
        for grid in grids.itertuples()
    ]


def _metres_apart(xy: NDArray[np.float64]) -> float:
    """Return the usual distance from a household to the one nearest to it."""
    if len(xy) == 1:
        return 0.0
    return round(float(np.median(cKDTree(xy).query(xy, k=2)[0][:, 1])), 1)


def _group_borders(plan: Plan) -> Any:  # noqa: ANN401 -- any geometry of lines
    groups = plan.cells.dissolve("group", method="coverage").to_crs(STORAGE_SRID)
    return inner_borders(groups.geometry)


def _in_one_script(*names: str) -> str:
    """Return modules, each after those it uses, as the text of one: a page from a disk may not load another file."""
    return "\n".join(_LINKS.sub("", _static(name)) for name in names)


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
