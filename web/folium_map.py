"""MapSpec -> folium. The only module that imports folium.

folium writes the map, its panes and its geometry layers: numbers, codes and colours only. No text of a person passes
through it. folium puts pop-up text into JavaScript template literals, where stored text would run in the browser; and
branca compiles every finished script once more as a Jinja template, where stored text would run on the server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import folium
from branca.element import MacroElement
from folium.map import CustomPane
from folium.template import Template
from folium.utilities import JsCode

from mapgrid.mapspec import ACCENT, ALERT, INK, PANE_Z, MapSpec, Overlay, Pane

if TYPE_CHECKING:
    from collections.abc import Mapping

    GeoJson = Mapping[str, Any]

SCRIPTS = ("vendor/leaflet/dist/leaflet.js", "vendor/leaflet.markercluster/dist/leaflet.markercluster.js")
STYLES = ("vendor/leaflet/dist/leaflet.css",)

_MAX_ZOOM = 19
_LINE = {"fill": False, "interactive": False}
_POLYGON = {"stroke": False, "fillOpacity": 1.0, "interactive": False}
_STYLES: dict[str, dict[str, Any]] = {
    "land": {**_POLYGON, "fillColor": "#FBFBF8"},
    "water_area": {**_POLYGON, "fillColor": "#B9CFE0"},
    "waterway": {**_LINE, "color": "#A9C3D8", "weight": 2},
    "river": {**_LINE, "color": "#A9C3D8", "weight": 5},
    "building": {**_POLYGON, "fillColor": "#C9C7C0", "fillOpacity": 0.85},
    "path": {**_LINE, "color": "#B4B5B0", "weight": 1.2, "dashArray": "5 4"},
    "road_casing": {**_LINE, "color": "#C4C6C4", "weight": 4.6},
    "road": {**_LINE, "color": "#FFFFFF", "weight": 3.2},
    "trunk_casing": {**_LINE, "color": "#B2B6B5", "weight": 7.6},
    "trunk": {**_LINE, "color": "#FFFFFF", "weight": 6},
    "outside": {**_POLYGON, "fillColor": "#F3F5F6", "fillOpacity": 0.78},
    "groups": {**_LINE, "color": INK, "weight": 1, "dashArray": "2 4", "opacity": 0.8},
    "units": {**_LINE, "color": ACCENT, "weight": 1.6, "dashArray": "8 4"},
    "barrier": {**_LINE, "color": "#3A6F9F", "weight": 1.6},
    "along_barrier": {**_LINE, "color": "#3A6F9F", "weight": 10, "opacity": 0.55, "lineCap": "butt"},
    "preferred": {**_LINE, "color": "#8A6A45", "weight": 1.1, "dashArray": "5 3", "opacity": 0.8},
    "along_preferred": {**_LINE, "color": "#8A6A45", "weight": 10, "opacity": 0.55, "lineCap": "butt"},
    "way": {**_LINE, "color": "#8C979D", "weight": 1},
    "border_casing": {**_LINE, "color": "#FFFFFF", "weight": 5},
    "border": {**_LINE, "color": INK, "weight": 2},
    "village_casing": {**_LINE, "color": "#FFFFFF", "weight": 4.4},
    "village": {**_LINE, "color": INK, "weight": 2.4, "dashArray": "12 4 2 4"},
    "hatch": {
        "color": ALERT,
        "weight": 3.4,
        "dashArray": "10 7",
        "className": "breaker",
        "fillOpacity": 1.0,
        "interactive": False,
    },
}
_STILL_PANES = frozenset(Pane) - {Pane.GRID_FILL, Pane.CASES, Pane.LABELS}


@dataclass(frozen=True, slots=True)
class Layers:
    """GeoJSON of one map, EPSG:4326.

    Attributes
    ----------
    areas
        Grids of a village or villages of a town: polygons with properties `code` and `fill`.
    borders, boundary, outside
        Inner borders as lines, each drawn once; the outline; the surroundings as a polygon with the area as a hole.
    overlays
        Layers that can be switched, each a list of `(style name, pane, GeoJSON)` in drawing order.
    breakers
        Polygons of the grids that break a limit.
    """

    areas: GeoJson
    borders: GeoJson
    boundary: GeoJson
    outside: GeoJson
    overlays: Mapping[Overlay, list[tuple[str, Pane, GeoJson]]] = field(default_factory=dict)
    breakers: GeoJson | None = None


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """The two pieces of a folium map that a template puts into its page."""

    html: str
    script: str


def draw(spec: MapSpec, layers: Layers, *, shown: frozenset[Overlay]) -> DrawnMap:
    """Return the map as its element and its script.

    The script ends by calling `start(map, layers, page)`, which the page around it provides; `page` is the value of the
    JSON block `#page` (see `web/static/js/map.js`).

    Parameters
    ----------
    shown
        Overlays that are on at first.
    """
    west, south, east, north = spec.bounds
    drawn = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        zoom_start=15,
        tiles=None,
        prefer_canvas=True,  # thousands of houses and roads on a weak machine
        maxZoom=_MAX_ZOOM,
        zoom_control=False,
        fade_animation=False,  # a closed pop-up must not stand in the way of the next click
        attribution_control=False,  # it writes its text as markup; the template says whose data this is
        zoom_snap=0.5,
        wheel_px_per_zoom_level=90,
    )
    for pane in Pane:
        drawn.add_child(CustomPane(pane.value, z_index=PANE_Z[pane], pointer_events=pane not in _STILL_PANES))
    names: dict[str, Any] = {"areas": _areas(drawn, layers.areas)}
    _layer(drawn, "outside", Pane.OUTSIDE, layers.outside)
    for overlay, parts in layers.overlays.items():
        names[overlay.value] = [_layer(drawn, *part, show=overlay in shown) for part in parts]
    _layer(drawn, "border_casing", Pane.BORDERS, layers.borders)
    names["borders"] = _layer(drawn, "border", Pane.BORDERS, layers.borders)
    if layers.breakers is not None:
        names["hatch"] = _layer(drawn, "hatch", Pane.HATCH, layers.breakers)
    _layer(drawn, "village_casing", Pane.VILLAGE, layers.boundary)
    _layer(drawn, "village", Pane.VILLAGE, layers.boundary)
    drawn.add_child(_Start(names))
    figure = drawn.get_root()
    figure.render()
    return DrawnMap(html=figure.html.render(), script=figure.script.render())


def stroke_of(style: str) -> dict[str, Any]:
    """Return colour, width and dashes of a line, so that a legend draws it as the map does."""
    return {
        name: _STYLES[style][name] for name in ("color", "weight", "dashArray", "opacity") if name in _STYLES[style]
    }


def _areas(drawn: folium.Map, areas: GeoJson) -> str:
    """Add the polygons that answer the pointer and return the name of their layer."""
    layer = folium.GeoJson(
        areas,
        style_function=lambda area: {
            "stroke": False,
            "fillColor": area["properties"]["fill"],
            "fillOpacity": 0.2,
            "className": "grid-shape",
        },
        pane=Pane.GRID_FILL.value,
        renderer=_svg(Pane.GRID_FILL),
        smooth_factor=0,  # neighbours must stay edge to edge
        control=False,
    )
    drawn.add_child(layer)
    return str(layer.get_name())


def _svg(pane: Pane) -> JsCode:
    """Return SVG for a pane whose few shapes are styled and hatched by the style sheet."""
    return JsCode(f"L.svg({{pane: {pane.value!r}, padding: 0.5}})")


def _layer(drawn: folium.Map, style: str, pane: Pane, shapes: GeoJson, *, show: bool = True) -> str:
    """Add a layer of one style that lets the pointer through and return its name."""
    as_svg = {"renderer": _svg(pane)} if style == "hatch" else {}
    layer = folium.GeoJson(
        shapes,
        style_function=lambda _shape: _STYLES[style],
        pane=pane.value,
        smooth_factor=0.8,
        control=False,
        show=show,
        **as_svg,
    )
    drawn.add_child(layer)
    return str(layer.get_name())


class _Start(MacroElement):
    """The last line of the script: hand the layers to our own module."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        start({{ this._parent.get_name() }}, { {%- for key, names in this.layers.items() %}
            {{ key|tojson }}: {% if names is string %}{{ names }}{% else %}[{{ names|join(", ") }}]{% endif %},
        {%- endfor %} }, JSON.parse(document.getElementById("page").textContent));
        {% endmacro %}
        """
    )

    def __init__(self, layers: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = "Start"
        self.layers = layers
