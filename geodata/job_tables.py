"""Typed rows of jobs and of answers kept for requests that are asked again. Private to geodata.

The queue itself is procrastinate's; its tables are made by the migration and touched by nobody but it. A row of `job`
is what people see of it: a trigger puts it on the queue, so that who may add a job needs no right on the queue.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, LargeBinary, SmallInteger, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables import Base, Label, Moment, Serial, VillageCode, one_of
from mapgrid.jobs import JobKind, JobState


class Job(Base):
    """Work for a village in the background: who wants it, how far it is, what came of it."""

    __tablename__ = "job"
    __table_args__ = (
        one_of("kind", JobKind),
        one_of("state", JobState),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        CheckConstraint("(state IN ('queued', 'running')) = (ended_at IS NULL)", name="ended_at"),
        Index(
            "uq_job_open_in_village",
            "village_code",
            "kind",
            unique=True,
            postgresql_where="state IN ('queued', 'running')",
        ),
        Index("ix_job_state", "state"),
    )

    id: Mapped[Serial]
    kind: Mapped[JobKind] = mapped_column(String(10))
    account_id: Mapped[int]
    village_code: Mapped[VillageCode]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[JobState] = mapped_column(String(10), server_default="queued")
    progress: Mapped[float] = mapped_column(server_default="0")
    message: Mapped[Label] = mapped_column(server_default="")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())
    began_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancel_asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    queue_id: Mapped[int | None] = mapped_column(BigInteger)


class KeptAnswer(Base):
    """What was answered to a request, for when it is asked again under the same key."""

    __tablename__ = "kept_answer"
    __table_args__ = (Index("ix_kept_answer_made_at", "made_at"),)

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())
