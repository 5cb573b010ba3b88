"""What every template may use: filters for figures and codes, versioned addresses of our own files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import current_app, g, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from geodata.villages import load_area_names
from mapgrid.roles import Permission, allows_somewhere
from mapgrid.suppression import FEWEST_SHOWN
from mapgrid.times import LOCAL_TIME
from web.database import session
from web.guards import lacks_second_factor

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

    from geodata.sign_ins import OpenSignIn
    from mapgrid.roles import Actor

_MINUS = "\N{MINUS SIGN}"


def register(app: Flask) -> None:
    """Make the filters and functions known to the application's templates."""
    app.add_template_filter(figure)
    app.add_template_filter(spaced_code)
    app.add_template_filter(local_time)
    app.add_template_global(asset)

    @app.before_request
    def name_open_villages() -> None:
        # Now, not while a page is made: the page of an error may have no database to ask.
        found: OpenSignIn | None = g.get("sign_in")
        if found is not None and found.actor.emergencies:
            opened = found.actor.emergencies
            names = load_area_names(session(), [each.village_code for each in opened], language=language())
            g.open_villages = [(names.get(each.village_code, each.village_code), each.ends_at) for each in opened]

    @app.context_processor
    def language_of_page() -> dict[str, str]:
        return {"language_tag": "zh-CN" if language() == "zh" else "en"}

    @app.context_processor
    def reader_of_page() -> dict[str, object]:
        # An error page may have no database to ask: it shows nobody's name then.
        found: OpenSignIn | None = g.get("sign_in")
        return {
            "me": found,
            "lacks_second_factor": found is not None and lacks_second_factor(found),
            "open_villages": g.get("open_villages", []),
            "may_open_in_emergency": found is not None and allows_somewhere(found.actor, Permission.OPEN_IN_EMERGENCY),
            "main_entries": [] if found is None else main_entries(found.actor),
        }


@dataclass(frozen=True, slots=True)
class MainEntry:
    """A part of mapgrid that its reader may open."""

    endpoint: str
    label: str
    is_here: bool


def main_entries(actor: Actor) -> list[MainEntry]:
    """Return what the bar at the top offers somebody."""
    offered = (
        ("map.home", _("Map"), Permission.SEE_FIGURES),
        ("imports.index", _("Import"), Permission.IMPORT),
        ("people.list_people", _("Accounts"), Permission.MANAGE_PEOPLE),
        ("audit.list_entries", _("Audit trail"), Permission.SEE_AUDIT),
    )
    return [
        MainEntry(endpoint, label, (request.blueprint or "") == endpoint.split(".")[0])
        for endpoint, label, permission in offered
        if actor.areas(permission)
    ]


def local_time(moment: datetime) -> str:
    """Return a moment as the villages' clocks show it: 2026-03-05 14:02."""
    return f"{moment.astimezone(LOCAL_TIME):%Y-%m-%d %H:%M}"


def figure(number: float | None) -> str:
    """Return a number with thousands separated and a real minus sign, 2,619; less than five for None."""
    if number is None:
        return f"<{FEWEST_SHOWN}"
    return f"{number:,}".replace("-", _MINUS)


def spaced_code(code: str) -> str:
    """Return an area code in its three parts: 990101 102 201."""
    return " ".join(part for part in re.split(r"^(\d{6})(\d{0,3})(\d{0,3})", code) if part)


def asset(filename: str) -> str:
    """Return the address of a static file with a mark that changes when the file does, so that browsers may keep it."""
    return url_for("static", filename=filename, v=_mark(current_app.static_folder or "", filename))


@cache
def _mark(folder: str, filename: str) -> str:
    return format(int(Path(folder, filename).stat().st_mtime), "x")


def language() -> str:
    """Return the language of this request's reader: `zh` or `en`."""
    locale = get_locale()
    return "zh" if locale and locale.language == "zh" else "en"
