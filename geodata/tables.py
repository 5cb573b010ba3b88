"""Typed rows of the store. Private to geodata: frames and small values leave it, rows never do.

Geometry is EPSG:4326, x = longitude. Codes are compared as bytes (`COLLATE "C"`): a scope is a plain prefix range.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from mapgrid.cases import CaseClass, CaseLevel, CaseState
from mapgrid.codes import AreaLevel
from mapgrid.crs import STORAGE_SRID
from mapgrid.plans import GridKind, PlanState
from mapgrid.staff import StaffRole
from mapgrid.terrain import TerrainKind
from mapgrid.tiers import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables share one metadata with named constraints."""

    metadata = MetaData(naming_convention=_NAMES)


def _code(digits: int) -> String:
    return String(digits, collation="C")


def _geometry(kind: str) -> Geometry:
    # The GiST index is declared by name in __table_args__, where migrations can see it.
    return Geometry(kind, srid=STORAGE_SRID, spatial_index=False)


def one_of(column: str, choices: Iterable[StrEnum]) -> CheckConstraint:
    """Return the constraint that lets a column hold the values of an enumeration alone."""
    allowed = ", ".join(f"'{choice}'" for choice in choices)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


Serial = Annotated[int, mapped_column(Identity(always=True), primary_key=True)]
AreaCode = Annotated[str, mapped_column(_code(12))]
VillageCode = Annotated[str, mapped_column(_code(12), ForeignKey("area.code", ondelete="CASCADE"))]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Label = Annotated[str, mapped_column(Text)]


class Area(Base):
    """A district, a town or a village; a village has a boundary."""

    __tablename__ = "area"
    __table_args__ = (
        one_of("level", AreaLevel),
        CheckConstraint("code ~ '^[0-9]{6}([0-5][0-9]{2}([0-5][0-9]{2})?)?$'", name="code"),
        CheckConstraint(
            "length(code) = CASE level WHEN 'district' THEN 6 WHEN 'town' THEN 9 ELSE 12 END", name="level_digits"
        ),
        CheckConstraint("parent_code IS NOT NULL OR level = 'district'", name="parent"),
        CheckConstraint("boundary IS NULL OR ST_IsValid(boundary)", name="boundary_valid"),
        Index("ix_area_boundary", "boundary", postgresql_using="gist"),
        Index("ix_area_parent_code", "parent_code"),
    )

    code: Mapped[AreaCode] = mapped_column(primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(_code(9), ForeignKey("area.code", ondelete="RESTRICT"))
    level: Mapped[AreaLevel] = mapped_column(String(8))
    name: Mapped[Label]
    name_en: Mapped[str | None] = mapped_column(Text)
    boundary: Mapped[WKBElement | None] = mapped_column(_geometry("MULTIPOLYGON"))
    source: Mapped[str | None] = mapped_column(Text)
    is_demo: Mapped[bool] = mapped_column(server_default="false")


class Unit(Base):
    """A villager group or a building of a village, kept whole when grids are drawn."""

    __tablename__ = "unit"
    __table_args__ = (
        Index("ix_unit_village_code", "village_code"),
        Index("ix_unit_outline", "outline", postgresql_using="gist"),
    )

    code: Mapped[str] = mapped_column(_code(14), primary_key=True)
    village_code: Mapped[VillageCode]
    name: Mapped[Label]
    outline: Mapped[WKBElement | None] = mapped_column(_geometry("MULTIPOLYGON"))


class Terrain(Base):
    """A road, a water, a building of a village: what the map draws and what grid borders heed."""

    __tablename__ = "terrain"
    __table_args__ = (
        one_of("kind", TerrainKind),
        Index("ix_terrain_village_code_kind", "village_code", "kind"),
        Index("ix_terrain_shape", "shape", postgresql_using="gist"),
    )

    id: Mapped[Serial]
    village_code: Mapped[VillageCode]
    kind: Mapped[TerrainKind] = mapped_column(String(12))
    detail: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    is_barrier: Mapped[bool] = mapped_column(server_default="false")
    is_preferred: Mapped[bool] = mapped_column(server_default="false")
    shape: Mapped[WKBElement] = mapped_column(_geometry("GEOMETRY"))


class Cell(Base):
    """A piece of village land around one household point; grids are unions of cells."""

    __tablename__ = "cell"
    __table_args__ = (
        Index("ix_cell_village_code", "village_code"),
        Index("ix_cell_outline", "outline", postgresql_using="gist"),
    )

    id: Mapped[Serial]
    village_code: Mapped[VillageCode]
    outline: Mapped[WKBElement] = mapped_column(_geometry("MULTIPOLYGON"))


class Household(Base):
    """A home: a point, its tier and why. A point may stand for several households (weight)."""

    __tablename__ = "household"
    __table_args__ = (
        one_of("tier", Tier),
        CheckConstraint("weight >= 1", name="weight"),
        CheckConstraint("code LIKE village_code || '%'", name="code_in_village"),
        Index("ix_household_village_code_tier", "village_code", "tier"),
        Index("ix_household_unit_code", "unit_code"),
        Index("ix_household_cell_id", "cell_id"),
        Index("ix_household_place", "place", postgresql_using="gist"),
    )

    code: Mapped[str] = mapped_column(_code(18), primary_key=True)
    village_code: Mapped[VillageCode]
    unit_code: Mapped[str | None] = mapped_column(_code(14), ForeignKey("unit.code", ondelete="SET NULL"))
    cell_id: Mapped[int | None] = mapped_column(ForeignKey("cell.id", ondelete="SET NULL"))
    weight: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    tier: Mapped[Tier] = mapped_column(String(8), server_default=Tier.UNKNOWN.value)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    tier_since: Mapped[date | None]
    address: Mapped[str | None] = mapped_column(Text)
    place: Mapped[WKBElement] = mapped_column(_geometry("POINT"))
    updated_at: Mapped[Moment] = mapped_column(server_default=func.now())


class Person(Base):
    """Somebody who lives in a household. Shown masked."""

    __tablename__ = "person"
    __table_args__ = (
        Index("ix_person_household_code", "household_code"),
        Index("uq_person_head_of_household", "household_code", unique=True, postgresql_where="is_head"),
    )

    id: Mapped[Serial]
    household_code: Mapped[str] = mapped_column(_code(18), ForeignKey("household.code", ondelete="CASCADE"))
    is_head: Mapped[bool] = mapped_column(server_default="false")
    full_name: Mapped[Label]
    relation: Mapped[str | None] = mapped_column(Text)
    gender: Mapped[str | None] = mapped_column(String(1))
    born_on: Mapped[date | None]
    phone: Mapped[str | None] = mapped_column(Text)
    id_number: Mapped[str | None] = mapped_column(Text)


class Plan(Base):
    """One complete division of a village, from a date on."""

    __tablename__ = "plan"
    __table_args__ = (
        one_of("state", PlanState),
        CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="dates"),
        UniqueConstraint("village_code", "name"),
        Index("ix_plan_base_plan_id", "base_plan_id"),
        Index("uq_plan_published_in_village", "village_code", unique=True, postgresql_where="state = 'published'"),
    )

    id: Mapped[Serial]
    village_code: Mapped[VillageCode]
    name: Mapped[Label]
    state: Mapped[PlanState] = mapped_column(String(10))
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    scorecard: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())
    version: Mapped[int] = mapped_column(server_default="0")
    base_plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id", ondelete="SET NULL"))


class Grid(Base):
    """A part of one village in one plan. The code outlives the plan, the outline does not."""

    __tablename__ = "grid"
    __table_args__ = (
        one_of("kind", GridKind),
        CheckConstraint("code ~ '^[0-9]{6}[0-5][0-9]{2}[0-5][0-9]{2}[0-9]{3}$'", name="code"),
        CheckConstraint("ST_IsValid(outline)", name="outline_valid"),
        Index("ix_grid_code", "code"),
        Index("ix_grid_outline", "outline", postgresql_using="gist"),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(_code(15), primary_key=True)
    kind: Mapped[GridKind] = mapped_column(String(13), server_default=GridKind.COMPREHENSIVE.value)
    households: Mapped[int]
    reason: Mapped[str | None] = mapped_column(Text)
    outline: Mapped[WKBElement] = mapped_column(_geometry("MULTIPOLYGON"))


class Group(Base):
    """About ten neighbouring households inside one grid, with a head who lives there."""

    __tablename__ = "household_group"
    __table_args__ = (
        ForeignKeyConstraint(["plan_id", "grid_code"], ["grid.plan_id", "grid.code"], ondelete="CASCADE"),
        CheckConstraint("code LIKE grid_code || '%'", name="code_in_grid"),
        Index("ix_household_group_head_household_code", "head_household_code"),
    )

    plan_id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(_code(17), primary_key=True)
    grid_code: Mapped[str] = mapped_column(_code(15))
    head_household_code: Mapped[str | None] = mapped_column(
        _code(18), ForeignKey("household.code", ondelete="SET NULL")
    )


class CellAssignment(Base):
    """Which grid and group a cell belongs to in a plan."""

    __tablename__ = "cell_assignment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["plan_id", "group_code"], ["household_group.plan_id", "household_group.code"], ondelete="CASCADE"
        ),
        Index("ix_cell_assignment_cell_id", "cell_id"),
        Index("ix_cell_assignment_plan_id_group_code", "plan_id", "group_code"),
    )

    plan_id: Mapped[int] = mapped_column(primary_key=True)
    cell_id: Mapped[int] = mapped_column(ForeignKey("cell.id", ondelete="CASCADE"), primary_key=True)
    group_code: Mapped[str] = mapped_column(_code(17))


class Assignment(Base):
    """Which grid and group a household belongs to in a plan, and from when to when."""

    __tablename__ = "assignment"
    __table_args__ = (
        ForeignKeyConstraint(["plan_id", "grid_code"], ["grid.plan_id", "grid.code"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["plan_id", "group_code"], ["household_group.plan_id", "household_group.code"], ondelete="CASCADE"
        ),
        CheckConstraint("ends_on IS NULL OR starts_on IS NULL OR ends_on > starts_on", name="dates"),
        Index("ix_assignment_household_code", "household_code"),
        Index("ix_assignment_plan_id_grid_code", "plan_id", "grid_code"),
        Index("ix_assignment_plan_id_group_code", "plan_id", "group_code"),
    )

    plan_id: Mapped[int] = mapped_column(primary_key=True)
    household_code: Mapped[str] = mapped_column(
        _code(18), ForeignKey("household.code", ondelete="CASCADE"), primary_key=True
    )
    grid_code: Mapped[str] = mapped_column(_code(15))
    group_code: Mapped[str] = mapped_column(_code(17))
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]


class Staff(Base):
    """Somebody who serves grids."""

    __tablename__ = "staff"

    id: Mapped[Serial]
    full_name: Mapped[Label]
    phone: Mapped[str | None] = mapped_column(Text)


class StaffOfGrid(Base):
    """Who serves a grid in which role, and from when to when."""

    __tablename__ = "staff_of_grid"
    __table_args__ = (
        one_of("role", StaffRole),
        CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="dates"),
        UniqueConstraint("grid_code", "staff_id", "role", "starts_on"),
        Index("ix_staff_of_grid_staff_id", "staff_id"),
    )

    id: Mapped[Serial]
    grid_code: Mapped[str] = mapped_column(_code(15))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    role: Mapped[StaffRole] = mapped_column(String(7))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class Case(Base):
    """Something reported that must be solved and closed out."""

    __tablename__ = "case_file"  # CASE is a reserved word
    __table_args__ = (
        one_of("category", CaseClass),
        one_of("level", CaseLevel),
        one_of("state", CaseState),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
        CheckConstraint("due_at > reported_at", name="due_at"),
        Index("ix_case_file_village_code_state", "village_code", "state"),
        Index("ix_case_file_household_code", "household_code"),
        Index("ix_case_file_place", "place", postgresql_using="gist"),
    )

    number: Mapped[str] = mapped_column(String(20, collation="C"), primary_key=True)
    village_code: Mapped[VillageCode]
    household_code: Mapped[str | None] = mapped_column(_code(18), ForeignKey("household.code", ondelete="SET NULL"))
    category: Mapped[CaseClass] = mapped_column(String(14))
    level: Mapped[CaseLevel] = mapped_column(String(8))
    state: Mapped[CaseState] = mapped_column(String(19))
    title: Mapped[Label]
    place: Mapped[WKBElement] = mapped_column(_geometry("POINT"))
    reported_at: Mapped[Moment]
    due_at: Mapped[Moment]
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
