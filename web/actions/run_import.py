"""Any import by its kind: what a page or the API asks for, in one form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from geodata.files import headers
from geodata.files.features import column_names
from geodata.files.ledger import ROLES as LEDGER_ROLES
from geodata.files.templates import household_template, layer_template
from web.actions.import_households import import_households
from web.actions.imports import AreaNames, import_terrain, import_units, import_village

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from mapgrid.terrain import TerrainKind
    from web.actions.import_reports import ImportOptions, ImportReport


class ImportKind(StrEnum):
    """What a file brings."""

    VILLAGE = "village"
    HOUSEHOLDS = "households"
    UNITS = "units"
    BARRIERS = "barriers"
    GRIDS = "grids"


ROLES: Mapping[ImportKind, tuple[str, ...]] = MappingProxyType(
    {
        ImportKind.VILLAGE: ("area_code", "area_name"),
        ImportKind.HOUSEHOLDS: ("x", "y", *LEDGER_ROLES),
        ImportKind.UNITS: ("name",),
        ImportKind.BARRIERS: ("kind", "name"),
        ImportKind.GRIDS: ("grid_code",),
    }
)
"""What columns may be, for each kind of file."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is said beside the file.

    Attributes
    ----------
    name
        Of the village, or of the draft plan that grids become; None takes the file's own.
    terrain
        What all barriers are; None takes it from a column.
    is_barrier, is_preferred
        Whether grids may not cross the terrain, and whether borders should follow it.
    """

    kind: ImportKind
    name: str | None = None
    terrain: TerrainKind | None = None
    is_barrier: bool = True
    is_preferred: bool = False


def run_import(session: Session, spec: str, code: str, wish: Wish, options: ImportOptions) -> ImportReport:
    """Import a file into a village and return the report; the caller commits."""
    return _RUN[wish.kind](session, spec, code, wish, options)


def columns_by_role(spec: str, kind: ImportKind) -> tuple[list[str], dict[str, str | None]]:
    """Return the columns of a file, and the one that plays each role by its name; None where none does.

    Raises
    ------
    InputRefusedError
        If the file cannot be read.
    """
    columns = column_names(spec)
    return columns, {role: next(iter(headers.columns_for(role, columns)), None) for role in ROLES[kind]}


def template_of(kind: ImportKind) -> tuple[bytes, str]:
    """Return a file to fill in and the suffix of its name."""
    if kind is ImportKind.HOUSEHOLDS:
        return household_template(), ".xlsx"
    columns = {
        ImportKind.VILLAGE: ("area_code", "area_name"),
        ImportKind.UNITS: ("name",),
        ImportKind.BARRIERS: ("kind", "name"),
        ImportKind.GRIDS: ("grid_code",),
    }[kind]
    shape = "MultiLineString" if kind is ImportKind.BARRIERS else "MultiPolygon"
    return layer_template(columns, shape, kind.value), ".gpkg"


def _village(session: Session, spec: str, code: str, wish: Wish, options: ImportOptions) -> ImportReport:
    return import_village(session, spec, code, AreaNames(village=wish.name), options)


def _households(session: Session, spec: str, code: str, _wish: Wish, options: ImportOptions) -> ImportReport:
    return import_households(session, spec, code, options)


def _units(session: Session, spec: str, code: str, _wish: Wish, options: ImportOptions) -> ImportReport:
    return import_units(session, spec, code, options)


def _barriers(session: Session, spec: str, code: str, wish: Wish, options: ImportOptions) -> ImportReport:
    how = {"is_barrier": wish.is_barrier, "is_preferred": wish.is_preferred}
    return import_terrain(session, spec, code, wish.terrain, options, **how)


def _grids(session: Session, spec: str, code: str, wish: Wish, options: ImportOptions) -> ImportReport:
    from web.actions.import_grids import import_grids  # noqa: PLC0415  numba, which no other import waits for

    return import_grids(session, spec, code, wish.name, options)


_RUN: Mapping[ImportKind, Callable[[Session, str, str, Wish, ImportOptions], ImportReport]] = MappingProxyType(
    {
        ImportKind.VILLAGE: _village,
        ImportKind.HOUSEHOLDS: _households,
        ImportKind.UNITS: _units,
        ImportKind.BARRIERS: _barriers,
        ImportKind.GRIDS: _grids,
    }
)
