"""Files brought in by planners: sent, looked at, matched, shown on the map, and stored only then; also as JSON."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from geodata.files.child import GivenUpError
from mapgrid.codes import check_village_code
from mapgrid.errors import CodeError, NotFoundError
from mapgrid.exports import harmless_cell
from mapgrid.roles import Permission, allows
from web import fault_words, import_page, uploads
from web.actions import areas
from web.actions.run_import import ImportKind, run_import, template_of
from web.bodies import takes
from web.clock import now
from web.database import commit, session
from web.folium_map import SCRIPTS, STYLES
from web.guards import nonce, requires, requires_somewhere
from web.identity import actor
from web.limits import count_upload

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from werkzeug.datastructures import FileStorage

blueprint = Blueprint("imports", __name__)
_REFUSED = 422
_SEE_OTHER = 303
_FAULT_COLUMNS = ("file", "layer", "row", "column", "expected", "found", "fix", "hint", "code")


@blueprint.get("/import")
@requires_somewhere(Permission.IMPORT)
def index() -> ResponseReturnValue:
    """List the villages that files can be brought into, or lead to one by its code."""
    code, fault = request.args.get("code", "").strip(), None
    if code:
        try:
            return redirect(url_for("imports.start", code=check_village_code(code)))
        except CodeError:
            fault = _("A village has 12 digits, such as 990101102201.")
    found = [area for area in areas.list_areas(session()) if area["level"] == "village"]
    mine = [area for area in found if allows(actor(), Permission.IMPORT, area["code"])]
    return render_template("imports/index.html", villages=mine, fault=fault, code=code)


@blueprint.get("/import/template/<any(village, households, units, barriers, grids):kind>")
@requires_somewhere(Permission.IMPORT)
def template(kind: str) -> Response:
    """Return a file to fill in."""
    content, suffix = template_of(ImportKind(kind))
    headers = {"Content-Disposition": f"attachment; filename=mapgrid-{kind}{suffix}"}
    return Response(content, mimetype="application/octet-stream", headers=headers)


@blueprint.get("/import/<code>")
@requires(Permission.IMPORT)
def start(code: str) -> str:
    """Ask for a file."""
    return _ask_page(check_village_code(code))


@blueprint.post("/import/<code>")
@takes(uploads.LARGEST_BYTES)
@requires(Permission.IMPORT)
def upload(code: str) -> ResponseReturnValue:
    """Keep a file that was sent and lead to where it is looked at."""
    check_village_code(code)
    sent, kind = _sent_file(), _kind()
    if sent is None or kind is None:
        return _ask_page(code, _("Choose a file, and what it brings.")), _REFUSED
    _check_may(kind, code)
    count_upload(actor())
    kept = uploads.keep(sent, actor().account_id, code, kind)
    return redirect(url_for("imports.show", code=code, token=kept.token), _SEE_OTHER)


@blueprint.get("/import/<code>/<token>")
@requires(Permission.IMPORT)
def show(code: str, token: str) -> str:
    """Show what is in a file and what importing it would do."""
    kept = uploads.find(token, actor().account_id, code)
    return _file_page(code, kept)


@blueprint.post("/import/<code>/<token>")
@requires(Permission.IMPORT)
def work(code: str, token: str) -> ResponseReturnValue:
    """Look at a file, as a dry run, or import it."""
    kept = uploads.find(token, actor().account_id, code)
    _check_may(ImportKind(kept.about.kind), code)
    kept.begin()
    is_stored = False
    try:
        if request.form.get("do") == "store":
            is_stored = _store(code, kept)
        else:
            kept.end(import_page.look(session(), kept, code, request.form).as_record())
    except GivenUpError:
        session().rollback()
        flash(_("Given up; nothing was changed."))
    finally:
        kept.end()
    if not is_stored:
        return _lead_to(url_for("imports.show", code=code, token=token))
    commit()
    kept.drop()  # only now: an import that the store did not keep can be tried again
    return _lead_to(url_for("imports.start", code=code))


@blueprint.post("/import/<code>/<token>/drop")
@requires(Permission.IMPORT)
def drop(code: str, token: str) -> ResponseReturnValue:
    """Remove a file that was sent."""
    uploads.find(token, actor().account_id, code).drop()
    return redirect(url_for("imports.start", code=code), _SEE_OTHER)


@blueprint.get("/import/<code>/<token>/faults.csv")
@requires(Permission.IMPORT)
def faults(code: str, token: str) -> Response:
    """Return every fault of a file as CSV."""
    found = uploads.find(token, actor().account_id, code).found()
    if found is None:
        raise NotFoundError("nothing was found in this file yet")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_FAULT_COLUMNS)
    for fault in found["report"]["faults"]:
        cells = [fault.get(name) for name in _FAULT_COLUMNS]
        writer.writerow([harmless_cell(cell) if isinstance(cell, str) else cell for cell in cells])
    headers = {"Content-Disposition": f"attachment; filename=faults-{now():%Y%m%d-%H%M}.csv"}
    return Response("\ufeff" + text.getvalue(), mimetype="text/csv", headers=headers)


@blueprint.get("/api/villages/<code>/imports/<token>")
@requires(Permission.IMPORT)
def progress(code: str, token: str) -> Response:
    """Return what the import of a file is doing."""
    kept = uploads.find(token, actor().account_id, code)
    return jsonify(stage=kept.stage(), given_up=kept.is_given_up())


@blueprint.post("/api/villages/<code>/imports/<token>/cancel")
@requires(Permission.IMPORT)
def cancel(code: str, token: str) -> Response:
    """Give the import of a file up, wherever it is."""
    kept = uploads.find(token, actor().account_id, code)
    kept.give_up()
    return jsonify(stage=kept.stage(), given_up=True)


@blueprint.post("/api/villages/<code>/imports")
@takes(uploads.LARGEST_BYTES)
@requires(Permission.IMPORT)
def import_file(code: str) -> ResponseReturnValue:
    """Import a file in one call, as a dry run unless `dry_run` is `no`, and return the report."""
    check_village_code(code)
    sent, kind = _sent_file(), _kind()
    if sent is None or kind is None:
        message = f"expected a file and kind, one of {', '.join(ImportKind)}"
        return jsonify(status=_REFUSED, message=message), _REFUSED
    _check_may(kind, code)
    count_upload(actor())
    kept = uploads.keep(sent, actor().account_id, code, kind)
    try:
        said = import_page.said_in(request.form)
        is_dry_run = request.form.get("dry_run") != "no"
        options = import_page.options_of(said, kind, kept, is_dry_run=is_dry_run)
        report = run_import(session(), kept.file, code, import_page.wish_of(said, kind), options)
    finally:
        kept.drop()
    return jsonify(report.as_record()), 200 if is_dry_run or report.is_stored else _REFUSED


def _store(code: str, kept: uploads.Upload) -> bool:
    """Import a file as it was last looked at; keep what was found when that is not what was hoped for."""
    found = kept.found()
    if found is None:
        return False
    said = found["said"] | {"accept_rows": request.form.get("accept_rows", "")}
    report = import_page.store(session(), kept, code, said)
    if report.is_stored:
        flash(import_page.sentence(report.as_record()))
    else:
        kept.end({**found, "report": report.as_record(), "is_storable": report.is_storable})
    return report.is_stored


def _lead_to(address: str) -> ResponseReturnValue:
    """Lead on; a script is told where to, or the message for the next page would be spent on it."""
    if request.accept_mimetypes.best == "application/json":
        return jsonify(location=address)
    return redirect(address, _SEE_OTHER)


def _sent_file() -> FileStorage | None:
    sent = request.files.get("file")
    return sent if sent is not None and sent.filename else None


def _kind() -> ImportKind | None:
    asked = request.form.get("kind")
    return ImportKind(asked) if asked in set(ImportKind) else None


def _check_may(kind: ImportKind, code: str) -> None:
    if kind is ImportKind.GRIDS and not allows(actor(), Permission.DRAW, code):
        raise NotFoundError("not within the asker's scope")


def _ask_page(code: str, fault: str | None = None) -> str:
    names = {area["code"]: area["name"] for area in areas.list_areas(session())}
    return render_template(
        "imports/start.html",
        code=code,
        name=names.get(code),
        kinds=import_page.kind_labels(),
        fault=fault,
        most_mib=uploads.LARGEST_BYTES // 2**20,
    )


def _file_page(code: str, kept: uploads.Upload) -> str:
    found = kept.found()
    places = {} if found is None or found["map"] is None else found["map"]["places"]
    return render_template(
        "imports/file.html",
        code=code,
        upload=kept,
        found=found,
        places=places,
        faults=[] if found is None else fault_words.shown(found["report"]["faults"][: import_page.SHOWN_FAULTS]),
        most_shown=import_page.SHOWN_FAULTS,
        kinds=import_page.kind_labels(),
        verdicts=import_page.verdict_labels(),
        counts=import_page.count_labels(),
        stages=import_page.stage_labels(),
        roles=import_page.role_labels(),
        systems=import_page.crs_labels(),
        terrain=import_page.terrain_labels(),
        map_scripts=SCRIPTS,
        map_styles=STYLES,
        nonce=nonce(),
    )
