"""Faults of an import in the reader's language.

Readers of files say what they expected and found in English, as commands print it. A page shows the phrases below in
the language of its reader; what a file itself says stays as it stands, and so does a phrase that is not in the list.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from flask_babel import gettext

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def N_(phrase: str) -> str:  # noqa: N802 - the name by which gettext's tools find phrases
    """Mark a phrase for translation."""
    return phrase


_PHRASES = (
    N_("a number"),
    N_("an empty cell"),
    N_("nothing"),
    N_("none"),
    N_("more"),
    N_("a place in the village"),
    N_("{distance} outside"),
    N_("in a hole of its boundary"),
    N_("looks like GCJ-02: --crs gcj02"),
    N_("looks like BD-09: --crs bd09"),
    N_("looks like swapped longitude/latitude"),
    N_("looks like swapped x and y"),
    N_("looks like degrees: --crs 4490 for longitude and latitude"),
    N_("looks like metres: name their coordinate system with --crs"),
    N_("coordinates in {system}"),
    N_("a declared coordinate system"),
    N_("none; x is about {x}, y about {y}"),
    N_("name it with --crs EPSG:CODE, --crs gcj02 or --crs bd09"),
    N_("a coordinate system that is known"),
    N_("each household once"),
    N_("{code} again, first in row {row}"),
    N_("a household code"),
    N_("18 digits that start with {code}, or a serial number 1–999999"),
    N_("without usable codes leave the column out: --column code="),
    N_("a code that is free"),
    N_("{code}, of another household {metres} m away"),
    N_("give it a code of its own, or let the file's take its place: --replace"),
    N_("a whole number of households, 1–{most}"),
    N_("red, yellow or green (红、黄、绿)"),
    N_("a date such as 2026-03-05"),
    N_("at most {n} characters"),
    N_("a point, or the outline of a house"),
    N_("a geometry"),
    N_("a geometry with coordinates"),
    N_("an empty one"),
    N_("an unreadable one (open ring or too few points)"),
    N_("finite coordinates"),
    N_("NaN or infinity"),
    N_("at most {n} vertices"),
    N_("simplify the outline"),
    N_("an outline that does not cross itself"),
    N_("mended, area kept"),
    N_("redraw it there"),
    N_("straight strokes"),
    N_("arcs"),
    N_("drawn as short straight strokes"),
    N_("a polygon"),
    N_("a line or a polygon"),
    N_("a Point"),
    N_("a MultiPoint"),
    N_("a LineString"),
    N_("a MultiLineString"),
    N_("a GeometryCollection"),
    N_("a boundary is an area: close the line"),
    N_("a unit of the village"),
    N_("one that lies outside"),
    N_("a name"),
    N_("each unit once"),
    N_("{name} again"),
    N_("grids that do not overlap"),
    N_("all land of the village in a grid"),
    N_("a grid inside its village"),
    N_("one that lies elsewhere"),
    N_("{area} m² shared with row {row}, at {place}"),
    N_("{area} m² shared with row {row}, in {n} places, the largest at {place}"),
    N_("{area} m² in no grid, beside this one, at {place}"),
    N_("{area} m² in no grid, beside this one, in {n} places, the largest at {place}"),
    N_("{area} m² outside, at {place}"),
    N_("{area} m² outside, in {n} places, the largest at {place}"),
    N_("given to row {row}"),
    N_("given to this grid"),
    N_("cut off"),
    N_("draw it anew there; what is nowhere wider than {width} m is closed by itself"),
    N_("household {code} in one grid"),
    N_("rows {one} and {other}"),
    N_("it is in grid {code}"),
    N_("each grid once"),
    N_("numbered {code}"),
    N_("a grid in which households stand"),
    N_("import its households first, or join it to its neighbour"),
    N_("a village with households in the store"),
    N_("a name that no other plan of the village has"),
    N_("plan {name}"),
    N_("name this one: --name"),
    N_("for --village one whose boundary is stored"),
    N_("at least one row"),
    N_("one column with the longitude or x"),
    N_("one column with the latitude or y"),
    N_("a column with the unit's name"),
    N_("one layer, or the name of one"),
    N_("one sheet with content, or the name of one"),
    N_("export it again"),
    N_("pack it again"),
    N_("save it again"),
)
_OPEN = re.compile(r"\\\{(\w+)\\\}")
_TEXTS = ("expected", "found", "fix", "hint")


def shown(faults: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return records of faults with their phrases in the reader's language."""
    return [
        {**fault, **{name: in_words(fault[name]) for name in _TEXTS if fault.get(name) is not None}} for fault in faults
    ]


def in_words(text: str) -> str:
    """Return a phrase of a fault in the reader's language."""
    for phrase, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            return gettext(phrase).format(**found.groupdict())
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each phrase with the texts it stands for, the ones with least left open first."""
    ordered = sorted(_PHRASES, key=lambda phrase: (phrase.count("{"), -len(phrase)))
    return tuple(
        (phrase, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(phrase)))) for phrase in ordered
    )
