"""How an import is asked for and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from geodata.files.features import read_layer
from geodata.files.tables import PLACE_ROLES
from geodata.villages import load_village
from mapgrid.errors import CodeError, Fault, InputRefusedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geodata.files.features import Reading


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file and what to do with what is in it.

    Attributes
    ----------
    crs, columns
        See `geodata.files.read_features`; an empty column name means the file has no such column.
    is_dry_run
        Check and report only.
    accepts_rest
        Store the sound rows although others were refused.
    replaces
        Let a household of the file take a code that another stored one has.
    """

    crs: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    is_dry_run: bool = False
    accepts_rest: bool = False
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import.

    Attributes
    ----------
    verdict
        `accepted`; `fixed`, when outlines were made valid; `rows_refused`, when some rows have faults; `refused`.
    is_stored
        Whether anything was saved; the caller still has to commit.
    rows_in, rows_ok
        Rows of the layer, and those without a fault.
    faults, notes
        Everything that is wrong, ordered by row, and what was decided on the way.
    counts
        Rows `added`, `changed` and `unchanged` in the store, where they are counted.
    """

    verdict: str
    is_stored: bool
    rows_in: int
    rows_ok: int
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def with_counts(self, counts: Mapping[str, int]) -> ImportReport:
        """Return the report with what the store counted."""
        return replace(self, counts=counts)

    def as_record(self) -> dict[str, Any]:
        """Return the report as a plain record."""
        return {
            "verdict": self.verdict,
            "stored": self.is_stored,
            "rows_in": self.rows_in,
            "rows_ok": self.rows_ok,
            **self.counts,
            "faults": [fault.as_record() for fault in self.faults],
            "notes": list(self.notes),
        }


def read_rows(spec: str, options: ImportOptions) -> Reading:
    """Return the layer that is to be imported, or raise `InputRefusedError` when it has no row at all."""
    placing = {role: name for role, name in options.columns.items() if role in PLACE_ROLES and name}
    reading = read_layer(spec, crs=options.crs, columns=placing)
    if reading.rows_in == 0:
        place = {"file": reading.frame.attrs["file"], "layer": reading.frame.attrs["layer"]}
        raise InputRefusedError([Fault("at least one row", "none", **place)])
    return reading


def boundary_in_store(session: Session, village_code: str) -> BaseGeometry:
    """Return the boundary of a stored village, or raise `InputRefusedError` when there is none."""
    try:
        boundary: BaseGeometry = load_village(session, village_code).geometry.iloc[0]
    except (NotFoundError, CodeError) as error:
        hint = f"mapgrid import village FILE --code {village_code}"
        found = str(error).partition(";")[0]
        fault = Fault("for --village one whose boundary is stored", found, hint=hint)
        raise InputRefusedError([fault]) from error
    return boundary


def report_of(reading: Reading, faults: Iterable[Fault], notes: Iterable[str], options: ImportOptions) -> ImportReport:
    """Return the report of a layer whose rows were checked, before anything is stored."""
    faults = tuple(sorted(faults, key=lambda fault: (fault.row or 0, fault.column or "")))
    rows_ok = reading.rows_in - len({fault.row for fault in faults})
    verdict = "fixed" if reading.mended else "accepted"
    if faults:
        verdict = "rows_refused" if rows_ok else "refused"
    is_stored = not options.is_dry_run and (not faults or (options.accepts_rest and rows_ok > 0))
    return ImportReport(verdict, is_stored, reading.rows_in, rows_ok, faults, (*reading.frame.attrs["notes"], *notes))


def refused(error: InputRefusedError) -> ImportReport:
    """Return the report of an input that was refused as a whole."""
    return ImportReport("refused", is_stored=False, rows_in=0, rows_ok=0, faults=error.faults)
