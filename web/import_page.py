"""The import page: what was said in its form, and what it shows of a file that was looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from geodata.files.child import given_up_when
from geodata.files.tables import PLACE_ROLES
from mapgrid.errors import InputRefusedError
from mapgrid.terrain import TerrainKind
from web.actions.import_preview import Preview, preview
from web.actions.import_reports import ImportOptions, ImportReport, Stage, refused
from web.actions.run_import import ROLES, ImportKind, Wish, columns_by_role, run_import
from web.folium_map import draw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session
    from werkzeug.datastructures import MultiDict

    from web.uploads import Upload

SHOWN_FAULTS = 200
_SWITCHES = ("accept_rows", "replace")


@dataclass(frozen=True, slots=True)
class Look:
    """What a dry run of a file found.

    Attributes
    ----------
    columns, roles
        Those of the file, and the one that plays each role by its name.
    said
        What was said in the form.
    """

    report: ImportReport
    columns: list[str]
    roles: dict[str, str | None]
    said: dict[str, str]
    preview: Preview | None

    def as_record(self) -> dict[str, Any]:
        """Return it as the page keeps it."""
        return {
            "report": self.report.as_record(),
            "is_storable": self.report.is_storable,
            "columns": self.columns,
            "roles": self.roles,
            "said": self.said,
            "map": None if self.preview is None else _map_record(self.preview),
        }


def look(session: Session, upload: Upload, code: str, form: Mapping[str, str]) -> Look:
    """Return what importing a file would do, and what is in it."""
    kind = ImportKind(upload.about.kind)
    said = {name: value for name, value in form.items() if name not in {"csrf_token", "do"}}
    options = options_of(said, kind, upload, is_dry_run=True)
    with given_up_when(upload.is_given_up):
        try:
            columns, roles = columns_by_role(upload.file, kind)
        except InputRefusedError as error:
            return Look(refused(error), [], {}, said, None)
        report = run_import(session, upload.file, code, wish_of(said, kind), options)
        return Look(report, columns, roles, said, preview(session, upload.file, code, options, report))


def store(session: Session, upload: Upload, code: str, said: Mapping[str, str]) -> ImportReport:
    """Import a file."""
    kind = ImportKind(upload.about.kind)
    with given_up_when(upload.is_given_up):
        options = options_of(said, kind, upload, is_dry_run=False)
        return run_import(session, upload.file, code, wish_of(said, kind), options)


def options_of(said: Mapping[str, str], kind: ImportKind, upload: Upload | None, *, is_dry_run: bool) -> ImportOptions:
    """Return how a file is to be read; a role whose column was chosen, or chosen to be none, is not guessed."""
    chosen = {role: said[f"column-{role}"] for role in ROLES[kind] if f"column-{role}" in said}
    columns = {role: name for role, name in chosen.items() if name or role not in PLACE_ROLES}
    accepts_rows, replaces = (said.get(name) == "yes" for name in _SWITCHES)
    how: dict[str, Any] = {} if upload is None else {"tell": lambda stage: upload.tell(Stage(stage).value)}
    return ImportOptions(
        crs=said.get("crs") or None,
        columns=columns,
        is_dry_run=is_dry_run,
        accepts_rows=accepts_rows,
        replaces=replaces,
        **how,
    )


def wish_of(said: Mapping[str, str], kind: ImportKind) -> Wish:
    """Return what is said beside the file."""
    terrain = said.get("terrain")
    return Wish(
        kind,
        name=(said.get("name") or "").strip()[:60] or None,
        terrain=TerrainKind(terrain) if terrain in set(TerrainKind) else None,
        is_barrier=said.get("barrier", "yes") == "yes",
        is_preferred=said.get("prefer") == "yes",
    )


def said_in(form: MultiDict[str, str]) -> dict[str, str]:
    """Return what a request of the API says, in the words of the page's form."""
    said = {name: form[name] for name in ("crs", "name", "terrain", "barrier", "prefer", *_SWITCHES) if name in form}
    pairs = (pair.partition("=") for pair in form.getlist("column"))
    return said | {f"column-{role}": name for role, _equals, name in pairs}


def sentence(report: Mapping[str, Any]) -> str:
    """Return in one sentence what an import did."""
    counts = {word: f"{report[word]} {label}" for word, label in count_labels().items() if report.get(word)}
    if counts.keys() <= {"unchanged"}:
        return _("Everything is in the store already; nothing changed.")
    return _("Stored: %(counts)s.", counts=", ".join(counts.values()))


def count_labels() -> dict[str, str]:
    """Return what rows of the store became, in words."""
    return {
        "added": _("new"),
        "changed": _("changed"),
        "removed": _("removed"),
        "people": _("people changed"),
        "unchanged": _("unchanged"),
    }


def kind_labels() -> dict[str, str]:
    """Return what a file may bring."""
    return {
        ImportKind.VILLAGE: _("Boundary of the village"),
        ImportKind.HOUSEHOLDS: _("Households"),
        ImportKind.UNITS: _("Villager groups or buildings"),
        ImportKind.BARRIERS: _("Roads, waters, ridges"),
        ImportKind.GRIDS: _("Grids drawn elsewhere, as a draft plan"),
    }


def verdict_labels() -> dict[str, str]:
    """Return what became of a file, in words."""
    return {
        "accepted": _("Accepted as it is"),
        "fixed": _("Accepted, with changes"),
        "rows_refused": _("Some rows are refused"),
        "refused": _("Refused"),
    }


def stage_labels() -> dict[str, str]:
    """Return what an import is doing, in words."""
    return {
        Stage.READING: _("Reading the file"),
        Stage.CHECKING: _("Checking every row"),
        Stage.STORING: _("Comparing with the store"),
    }


def role_labels() -> dict[str, str]:
    """Return what a column may mean."""
    return {
        "x": _("Longitude or x"), "y": _("Latitude or y"), "code": _("Household number"),
        "weight": _("Households at the point"), "unit": _("Villager group or building"), "address": _("Address"),
        "tier": _("Tier"), "reasons": _("Reasons of the tier"), "tier_since": _("Tier since"),
        "head_name": _("Name of the head"), "head_phone": _("Telephone of the head"),
        "head_id_number": _("Identity number of the head"), "head_gender": _("Gender of the head"),
        "relation": _("Relation to the head"), "person_name": _("Name of the person"), "gender": _("Gender"),
        "born_on": _("Date of birth"), "area_code": _("Code of the village"), "area_name": _("Name of the village"),
        "name": _("Name"), "kind": _("Kind"), "grid_code": _("Code of the grid"),
    }  # fmt: skip


def crs_labels() -> dict[str, str]:
    """Return what coordinates are usually in."""
    return {
        "": _("as the file says"),
        "4490": _("CGCS2000: longitude, latitude"),
        "4326": _("WGS 84: longitude, latitude"),
        "gcj02": _("GCJ-02: Gaode, Tencent"),
        "bd09": _("BD-09: Baidu"),
        **{
            str(code): _("CGCS2000, 3-degree zone, central meridian %(degrees)s°", degrees=meridian)
            for code, meridian in zip(range(4534, 4555), range(75, 136, 3), strict=True)
        },
    }


def terrain_labels() -> dict[str, str]:
    """Return the kinds of terrain."""
    return {
        TerrainKind.ROAD: _("Road"),
        TerrainKind.PATH: _("Path"),
        TerrainKind.RAILWAY: _("Railway"),
        TerrainKind.WATERWAY: _("River or canal"),
        TerrainKind.WATER_AREA: _("Lake or pond"),
        TerrainKind.RIDGE: _("Ridge"),
        TerrainKind.BUILDING: _("Building"),
    }


def _map_record(shown: Preview) -> dict[str, Any]:
    west, south, east, north = shown.spec.bounds
    page = {"home": [[south, west], [north, east]], "points": shown.points}
    drawn = draw(shown.spec, shown.layers, shown=frozenset(shown.spec.overlays) | frozenset(shown.layers.overlays))
    places = {str(row): place for row, place in shown.places.items()}
    return {**asdict(drawn), "page": page, "places": places, "left_out": shown.left_out}
