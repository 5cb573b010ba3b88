"""Typed rows of what is done with plans before they are in force. Private to geodata, as `geodata.tables`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables import Base, Moment, VillageCode


class PlanEdit(Base):
    """One thing done with a plan: an edit, an undo, a redo, a step to another state. Rows are only ever added."""

    __tablename__ = "plan_edit"
    __table_args__ = (
        CheckConstraint("version >= 0", name="version"),
        Index("ix_plan_edit_village_code", "village_code"),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    village_code: Mapped[VillageCode]
    record: Mapped[dict[str, Any]] = mapped_column(JSONB)
    account_id: Mapped[int | None]
    made_by: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())


class PlanSnapshot(Base):
    """A plan as it was at a version, in metres and to the last bit; see `geodata.plan_codec`."""

    __tablename__ = "plan_snapshot"
    __table_args__ = (Index("ix_plan_snapshot_village_code", "village_code"),)

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    village_code: Mapped[VillageCode]
    mark: Mapped[str] = mapped_column(Text)
    packed: Mapped[bytes]
