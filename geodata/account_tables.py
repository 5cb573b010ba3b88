"""Typed rows of accounts, their scopes, sign-ins and invitations, and of the audit trail. Private to geodata."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables import Base, Label, Moment, Serial, VillageCode, one_of
from mapgrid.roles import GIVEN_ROLES, Permission, Role


class Account(Base):
    """Somebody who may sign in. Accounts are disabled, never deleted: the audit trail names them."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("login ~ '^[a-z0-9][a-z0-9._-]{1,39}$'", name="login"),
        Index("uq_account_login", "login", unique=True),
    )

    id: Mapped[Serial]
    login: Mapped[Label]
    full_name: Mapped[Label]
    password_hash: Mapped[str | None] = mapped_column(Text)
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    totp_last_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    locked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())


class AccountScope(Base):
    """A role of an account on an area, from a day to a day."""

    __tablename__ = "account_scope"
    __table_args__ = (
        one_of("role", GIVEN_ROLES),
        CheckConstraint("area_code ~ '^([0-9]{6}([0-9]{3}([0-9]{3}([0-9]{3})?)?)?)?$'", name="area_code"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
        Index("ix_account_scope_account_id", "account_id"),
        Index("ix_account_scope_area_code", "area_code"),
    )

    id: Mapped[Serial]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(String(15))
    area_code: Mapped[str] = mapped_column(String(15, collation="C"))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class EmergencyAccess(Base):
    """A village that somebody let themselves into for some hours, and why; added and ended by `sql/scope.sql` alone."""

    __tablename__ = "emergency_access"
    __table_args__ = (
        CheckConstraint("ends_at >= began_at", name="dates"),
        Index("ix_emergency_access_account_id", "account_id"),
        Index("ix_emergency_access_village_code", "village_code"),
    )

    id: Mapped[Serial]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    village_code: Mapped[VillageCode]
    reason: Mapped[str] = mapped_column(Text)
    began_at: Mapped[Moment]
    ends_at: Mapped[Moment]


class RolePermission(Base):
    """What goes with a role, as the database's policies ask for it; written from `mapgrid.roles`."""

    __tablename__ = "role_permission"

    role: Mapped[Role] = mapped_column(Text, primary_key=True)
    permission: Mapped[Permission] = mapped_column(Text, primary_key=True)
    is_change: Mapped[bool]


class SignIn(Base):
    """A browser that is signed in. The key is the SHA-256 of the token in its cookie."""

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_account_id", "account_id"), Index("ix_sign_in_viewing_id", "viewing_id"))

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    viewing_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    has_second_factor: Mapped[bool] = mapped_column(server_default="false")
    began_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    address: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)


class Invitation(Base):
    """A link that lets somebody set a password, once. The key is the SHA-256 of the token in the link."""

    __tablename__ = "invitation"
    __table_args__ = (Index("ix_invitation_account_id", "account_id"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    made_at: Mapped[Moment]
    expires_at: Mapped[Moment]


class AuditEntry(Base):
    """Who did or read what, when, where. Its number and hashes are given by the database; nothing changes it."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_at", "at"),
        Index("ix_audit_entry_account_id", "account_id"),
        Index("ix_audit_entry_subject", "subject"),
        Index("ix_audit_entry_area_code", "area_code"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[Moment]
    account_id: Mapped[int | None]
    viewer_id: Mapped[int | None]
    login: Mapped[str | None] = mapped_column(Text)
    action: Mapped[Label]
    subject: Mapped[str | None] = mapped_column(Text(collation="C"))
    area_code: Mapped[str | None] = mapped_column(String(18, collation="C"))
    is_success: Mapped[bool]
    request_id: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditAnchor(Base):
    """Where the trail begins: the last entry that was removed when its time was over."""

    __tablename__ = "audit_anchor"
    __table_args__ = (CheckConstraint("row = 1", name="row"),)

    row: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1", autoincrement=False)
    last_id: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class RateLimit(Base):
    """How often something was tried in a window of time, shared by all server processes."""

    __tablename__ = "rate_limit"
    __table_args__ = (
        Index("ix_rate_limit_ends_at", "ends_at"),
        {"prefixes": ["UNLOGGED"]},
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[Moment]
