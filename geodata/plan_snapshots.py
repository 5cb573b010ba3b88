"""Plans as they were at a version, kept to the last bit; see `geodata.plan_codec`. The caller commits."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from geodata.plan_codec import pack_plan, unpack_plan
from geodata.plan_tables import PlanSnapshot

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from mapgrid.partition.plan import Plan as DomainPlan

BASE = 0
"""The version at which every plan begins."""


def save_snapshot(
    session: Session, plan_id: int, village_code: str, version: int, plan: DomainPlan, *, mark: str | None = None
) -> str:
    """Keep a plan as it is after the edit of that version, and return its mark: the one given, or that of its bytes."""
    packed = pack_plan(plan)
    mark = mark or blake2b(packed, digest_size=20).hexdigest()
    row = {"plan_id": plan_id, "version": version, "village_code": village_code, "mark": mark, "packed": packed}
    session.execute(upsert(PlanSnapshot).values(**row).on_conflict_do_nothing())
    return mark


def load_marks(session: Session, plan_id: int) -> dict[int, str]:
    """Return the marks of the kept plans by version."""
    query = select(PlanSnapshot.version, PlanSnapshot.mark).where(PlanSnapshot.plan_id == plan_id)
    return {row.version: row.mark for row in session.execute(query)}


def load_snapshot(session: Session, plan_id: int, version: int) -> DomainPlan:
    """Return a kept plan."""
    query = select(PlanSnapshot.packed).where(PlanSnapshot.plan_id == plan_id, PlanSnapshot.version == version)
    return unpack_plan(session.execute(query).scalar_one())


def drop_snapshots(session: Session, plan_id: int, versions: Collection[int]) -> None:
    """Keep the plans of some versions no longer; what the log makes of others leads to them again."""
    of_plan = PlanSnapshot.plan_id == plan_id
    session.execute(delete(PlanSnapshot).where(of_plan, PlanSnapshot.version.in_(list(versions))))
