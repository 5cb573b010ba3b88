"""`mapgrid import`: villages, households, units, barriers and grids from files."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geodata.database import open_engine, open_store, session_maker
from geodata.files.bounds import MOST_FAULTS_SHOWN
from geodata.files.headers import SYNONYMS
from geodata.files.tables import PLACE_ROLES
from geodata.files.templates import household_template
from mapgrid.terrain import TerrainKind
from mapgrid.verdicts import Verdict
from web.actions.import_households import import_households
from web.actions.import_reports import ImportOptions, ImportReport
from web.actions.imports import AreaNames, import_terrain, import_units, import_village
from web.commands.reading_options import COLUMN, CRS, columns_of
from web.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

_EXIT_CODES = {Verdict.ACCEPTED: 0, Verdict.FIXED: 0, Verdict.REFUSED: 2, Verdict.ROWS_REFUSED: 3}
_COUNTED = {
    "added": "added",
    "changed": "changed",
    "unchanged": "unchanged",
    "removed": "removed",
    "people": "people changed",
}


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that all imports share; they arrive as `options` and `report`."""

    def run(*args: Any, **given: Any) -> None:  # noqa: ANN401 - whatever click hands over
        if given["report"] is not None and not given["report"].parent.is_dir():
            raise click.BadParameter(f"no directory {given['report'].parent}", param_hint="--report")
        options = ImportOptions(
            crs=given.pop("crs"),
            columns=columns_of(given.pop("column"), SYNONYMS.keys() | PLACE_ROLES, {"lon", "lat"} | SYNONYMS.keys()),
            is_dry_run=given.pop("dry_run"),
            accepts_rows=given.pop("accept_rows"),
            replaces=given.pop("replace", False),
        )
        command(*args, options=options, **given)

    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    for option in (
        click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write every fault as JSON."),
        click.option(
            "--accept-rows",
            "--accept-rest",  # its first name
            "accept_rows",
            is_flag=True,
            help="Store the sound rows although others are refused.",
        ),
        click.option("--dry-run", is_flag=True, help="Check and report; store nothing."),
        COLUMN,
        CRS,
    ):
        run = option(run)
    return run


@click.group(name="import")
def import_() -> None:
    """Import villages, households, units, barriers and grids from files.

    FILE is a GeoPackage, GeoJSON, shapefile (zipped, or its .shp), KML, CSV or XLSX; FILE:LAYER names a layer or a
    sheet. Ends with 0 when accepted, 3 when rows were refused (nothing is stored then without --accept-rows), 2 when
    refused.
    """


@import_.command()
@click.argument("file")
@click.option("--code", required=True, help="The village's 12 digits.")
@click.option("--name", help="Name; the file's own by default.")
@click.option("--name-en", help="Name in Latin letters.")
@click.option("--town-name", help="Name of the town above it.")
@click.option("--district-name", help="Name of the district above it.")
@_common
def village(
    file: str,
    code: str,
    name: str | None,
    name_en: str | None,
    town_name: str | None,
    district_name: str | None,
    options: ImportOptions,
    report: Path | None,
) -> None:
    """Import a village: its boundary and its name."""
    names = AreaNames(village=name, village_en=name_en, town=town_name, district=district_name)
    with _session(options) as session:
        done = import_village(session, file, code, names, options)
    _finish(done, options, report)


@import_.command()
@click.argument("file")
@click.option("--village", required=True, help="The village's 12 digits.")
@click.option("--replace", is_flag=True, help="Let a household take a code that another one has in the store.")
@_common
def households(file: str, village: str, options: ImportOptions, report: Path | None) -> None:
    """Import households, with the people a ledger names.

    Columns are recognised by their names in Chinese or English; --column code= says that there is no code.
    """
    with _session(options) as session:
        done = import_households(session, file, village, options)
    _finish(done, options, report)


@import_.command()
@click.argument("file")
@click.option("--village", required=True, help="The village's 12 digits.")
@_common
def units(file: str, village: str, options: ImportOptions, report: Path | None) -> None:
    """Import villager groups or buildings with their outlines."""
    with _session(options) as session:
        done = import_units(session, file, village, options)
    _finish(done, options, report)


@import_.command()
@click.argument("file")
@click.option("--village", required=True, help="The village's 12 digits.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in TerrainKind]),
    help="What all features are; else a column says it.",
)
@click.option("--barrier/--no-barrier", default=True, show_default=True, help="Whether grids may not cross them.")
@click.option("--prefer", is_flag=True, help="Whether grid borders should follow them.")
@_common
def barriers(
    file: str,
    village: str,
    kind: str | None,
    barrier: bool,
    prefer: bool,
    options: ImportOptions,
    report: Path | None,
) -> None:
    """Import barriers and other terrain: rivers, roads, ridges, buildings.

    What the village has of the same kind is replaced.
    """
    with _session(options) as session:
        done = import_terrain(
            session,
            file,
            village,
            TerrainKind(kind) if kind else None,
            options,
            is_barrier=barrier,
            is_preferred=prefer,
        )
    _finish(done, options, report)


@import_.command()
@click.argument("file")
@click.option("--village", required=True, help="The village's 12 digits.")
@click.option("--name", help="Name of the draft plan; the file's own by default.")
@_common
def grids(file: str, village: str, name: str | None, options: ImportOptions, report: Path | None) -> None:
    """Import grids drawn elsewhere as a draft plan of a village.

    They must cover the village once. Slivers up to 1 m wide are closed and named; anything wider refuses the file.
    """
    from web.actions.import_grids import import_grids  # noqa: PLC0415  numba, which no other import waits for

    with _session(options) as session:
        done = import_grids(session, file, village, name, options)
    _finish(done, options, report)


@import_.command()
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The .xlsx to write.")
def template(out: Path) -> None:
    """Write an empty household ledger (XLSX) to fill in."""
    if not out.parent.is_dir():
        raise click.BadParameter(f"no directory {out.parent}", param_hint="--out")
    if out.exists():
        raise click.BadParameter(f"{out} exists already", param_hint="--out")
    _write(out, household_template())
    click.echo(f"Wrote {out}; fill it in from row 3, then: mapgrid import households {out.name} --village CODE")


@contextmanager
def _session(options: ImportOptions) -> Iterator[Session]:
    """Lend a session on the store; it commits at the end, except on a dry run."""
    settings = read_settings()
    with open_store(settings.database_url, settings.home) as url:
        engine = open_engine(url, pool_size=1)
        try:
            with session_maker(engine)() as session:
                yield session
                if not options.is_dry_run:
                    session.commit()
        finally:
            engine.dispose()


def _finish(done: ImportReport, options: ImportOptions, report: Path | None) -> None:
    """Write the report, say what happened, and end with the exit code of the verdict."""
    if report is not None:
        _write(report, (json.dumps(done.as_record(), ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace"))
    for fault in done.faults[:MOST_FAULTS_SHOWN]:
        click.echo(str(fault), err=True)
    more = len(done.faults) - MOST_FAULTS_SHOWN
    if more > 0:
        click.echo(f"and {more} more; --report FILE.json lists all", err=True)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(_sentence(done, options), err=not done.is_stored)
    raise SystemExit(_EXIT_CODES[done.verdict])


def _sentence(done: ImportReport, options: ImportOptions) -> str:
    rows = f"{done.rows_ok} of {done.rows_in} rows"
    counts = ", ".join(f"{done.counts[word]} {name}" for word, name in _COUNTED.items() if word in done.counts)
    counts = f": {counts}" if counts else ""
    if done.is_stored:
        return f"Stored {rows}{counts}" + ("; nothing changed." if done.changes == 0 else ".")
    if options.is_dry_run and done.is_storable:
        return f"Dry run, nothing was stored. It would be {rows}{counts}."
    if done.verdict is Verdict.ROWS_REFUSED:
        return f"{rows} are sound; nothing was stored. Mend the others, or store the sound ones with --accept-rows."
    return "Refused; nothing was stored."


def _write(target: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(draft).replace(target)
