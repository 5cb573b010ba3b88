"""How an import is asked for and what it answers."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from geodata.audit import record
from geodata.files.features import read_layer
from geodata.files.tables import PLACE_ROLES
from geodata.villages import load_village
from mapgrid.errors import CodeError, Fault, InputRefusedError, NotFoundError
from mapgrid.verdicts import Verdict, rows_refused, verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geodata.bulk import Saved
    from geodata.files.features import Reading

_TAKEN = frozenset({Verdict.ACCEPTED, Verdict.FIXED})


class Stage(StrEnum):
    """What an import is doing."""

    READING = "reading"
    CHECKING = "checking"
    STORING = "storing"


def _tell_nobody(stage: Stage) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file and what to do with what is in it.

    Attributes
    ----------
    crs, columns
        See `geodata.files.read_features`; an empty column name means the file has no such column.
    is_dry_run
        Check and report only.
    accepts_rows
        Store the sound rows although others were refused.
    replaces
        Let a household of the file take a code that another stored one has.
    tell
        Called with what begins now; it may raise to give the import up.
    """

    crs: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    is_dry_run: bool = False
    accepts_rows: bool = False
    replaces: bool = False
    tell: Callable[[Stage], None] = _tell_nobody


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import.

    Attributes
    ----------
    is_storable
        Whether what was asked for can be saved: nothing is refused, or the sound rows were asked for.
    is_stored
        Whether anything was saved; the caller still has to commit.
    rows_in, rows_ok
        Rows of the layer, and those that are not refused.
    faults, notes
        Everything that is wrong or was put right, ordered by row, and what was decided on the way.
    counts
        Rows `added`, `changed`, `unchanged` and `removed` in the store; on a dry run those that would be.
    """

    verdict: Verdict
    is_storable: bool
    is_stored: bool
    rows_in: int
    rows_ok: int
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def changes(self) -> int | None:
        """How many rows of the store are, or would be, another than before; None where nothing was counted."""
        return sum(number for word, number in self.counts.items() if word != "unchanged") if self.counts else None

    def with_counts(self, saved: Saved, **further: int) -> ImportReport:
        """Return the report with what the store counted."""
        return replace(self, counts=asdict(saved) | further)

    def as_record(self) -> dict[str, Any]:
        """Return the report as a plain record."""
        return {
            "verdict": self.verdict.value,
            "stored": self.is_stored,
            "rows_in": self.rows_in,
            "rows_ok": self.rows_ok,
            **self.counts,
            "faults": [fault.as_record() for fault in self.faults],
            "notes": list(self.notes),
        }


@contextmanager
def trial(session: Session, options: ImportOptions, what: str, code: str, report: ImportReport) -> Iterator[None]:
    """Leave a trace of what the block saves; undo it when it was a dry run, whose counts are then what would be.

    Parameters
    ----------
    what, code
        What is imported, and the village it is for.
    """
    options.tell(Stage.STORING)
    with session.begin_nested() as savepoint:
        yield
        if options.is_dry_run:
            savepoint.rollback()
    if not options.is_dry_run:
        rows = {"rows_in": report.rows_in, "rows_ok": report.rows_ok}
        record(session, f"import.{what}", code, area=code, verdict=report.verdict.value, **rows)


def read_rows(spec: str, options: ImportOptions) -> Reading:
    """Return the layer that is to be imported, or raise `InputRefusedError` when it has no row at all."""
    options.tell(Stage.READING)
    placing = {role: name for role, name in options.columns.items() if role in PLACE_ROLES and name}
    reading = read_layer(spec, crs=options.crs, columns=placing)
    if reading.rows_in == 0:
        place = {"file": reading.frame.attrs["file"], "layer": reading.frame.attrs["layer"]}
        raise InputRefusedError([Fault("at least one row", "none", **place)])
    options.tell(Stage.CHECKING)
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
    found = sorted((*faults, *reading.fixes), key=lambda fault: (fault.row or 0, fault.column or ""))
    verdict = verdict_of(reading.rows_in, found)
    is_storable = verdict in _TAKEN or (verdict is Verdict.ROWS_REFUSED and options.accepts_rows)
    return ImportReport(
        verdict,
        is_storable,
        is_stored=is_storable and not options.is_dry_run,
        rows_in=reading.rows_in,
        rows_ok=reading.rows_in - rows_refused(found),
        faults=tuple(found),
        notes=(*reading.frame.attrs["notes"], *notes),
    )


def refused(error: InputRefusedError, rows_in: int = 0) -> ImportReport:
    """Return the report of an input that was refused as a whole."""
    return ImportReport(Verdict.REFUSED, False, False, rows_in=rows_in, rows_ok=0, faults=error.faults)  # noqa: FBT003
