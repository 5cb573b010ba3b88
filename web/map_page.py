"""The map page: words and addresses round a composed map."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import render_template, url_for
from flask_babel import gettext as _

from mapgrid.mapspec import (
    CASE_SYMBOLS,
    CLUSTERED_UP_TO_ZOOM,
    LETTERS_FROM_ZOOM,
    NAME_ALONE_BELOW_ZOOM,
    PEOPLE_FROM_ZOOM,
    SHOWN_AT_FIRST,
    TIER_SYMBOLS,
)
from web import labels
from web.folium_map import SCRIPTS, STYLES, draw
from web.guards import nonce

if TYPE_CHECKING:
    from web.actions.maps import AreaView


def render(view: AreaView) -> str:
    """Return the page of one village, town or district."""
    words = labels.browser_words()
    drawn = draw(view.composed.spec, view.composed.layers, shown=SHOWN_AT_FIRST)
    return render_template(
        "map/area.html",
        view=view,
        figures=_figures(view),
        spec=view.composed.spec,
        rows=view.composed.rows,
        words=words,
        tier_meanings=labels.tier_meanings(),
        overlay_labels=labels.overlay_labels(),
        plan_states=labels.plan_state_labels(),
        shown_at_first=SHOWN_AT_FIRST,
        drawn=drawn,
        page=_browser_values(view, words),
        map_scripts=SCRIPTS,
        map_styles=STYLES,
        nonce=nonce(),
    )


def _figures(view: AreaView) -> list[tuple[str, int]]:
    figures = [(_("Grids"), view.grids), (_("Households"), view.households), (_("People"), view.people)]
    return figures[1:] if view.kind == "grid" else figures


def _browser_values(view: AreaView, words: dict[str, Any]) -> dict[str, Any]:
    composed = view.composed
    return {
        "kind": view.kind,
        "code": view.code,
        "home": _corners(view.bounds),
        "start": _corners(composed.spec.bounds),
        "households": composed.households,
        "cases": composed.cases,
        "labels": [
            {
                **_label(row.code, row.title, row.counts.households, row.counts.people, words),
                "isBreaker": row.is_breaker,
            }
            for row in composed.rows
        ],
        "whole": _label(view.code, view.name, view.households, view.people, words),
        "tiers": [asdict(symbol) for symbol in TIER_SYMBOLS],
        "case_symbols": [asdict(symbol) for symbol in CASE_SYMBOLS],
        "name_alone_below": NAME_ALONE_BELOW_ZOOM,
        "clustered_up_to": CLUSTERED_UP_TO_ZOOM,
        "letters_from": LETTERS_FROM_ZOOM,
        "people_from": PEOPLE_FROM_ZOOM,
        "urls": {
            "map": url_for("map.area", code="000000").removesuffix("000000"),
            "grid": "/api/grids/",
            "household": "/api/households/",
            "case": "/api/cases/",
            "search": "/api/search",
        },
        "text": words,
    }


def _label(code: str, title: str, households: int, people: int, words: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": code,
        "title": title,
        "households": words["n_households_short"].replace("{n}", f"{households:,}"),
        "people": words["n_people"].replace("{n}", f"{people:,}"),
    }


def _corners(bounds: tuple[float, float, float, float]) -> list[list[float]]:
    """Return a box as Leaflet takes it: south-west and north-east as latitude, longitude."""
    west, south, east, north = bounds
    return [[south, west], [north, east]]
