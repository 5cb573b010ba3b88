"""Answers kept for requests that are asked again: a request under a key is carried out once. The caller commits.

Whoever does not know whether a request arrived asks again under the same key. The answer is kept in the transaction of
what it answers for, so that both are there or neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from geodata.job_tables import KeptAnswer
from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

HOURS_KEPT = 24


class InFlightError(MapgridError):
    """The same request is being carried out at this moment."""


class KeyReusedError(MapgridError):
    """Another request was carried out under the same key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered.

    Attributes
    ----------
    headers
        Those that belong to the answer itself; cookies are not kept.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def recall(session: Session, account_id: int, key: str, fingerprint: bytes) -> Answer | None:
    """Return what was answered under a key; None for a new one, which then is this transaction's alone.

    Parameters
    ----------
    fingerprint
        Of the request: what it asks for.

    Raises
    ------
    InFlightError
        If another transaction is carrying out a request under the key.
    KeyReusedError
        If the request that was carried out asked for something else.
    """
    taken = session.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _lock_of(account_id, key)})
    if not taken.scalar_one():
        raise InFlightError("the same request is being carried out at this moment; ask again in a second")
    kept = session.execute(
        select(KeptAnswer.fingerprint, KeptAnswer.status, KeptAnswer.headers, KeptAnswer.body).where(
            KeptAnswer.account_id == account_id, KeptAnswer.key == key, ~_is_old()
        )
    ).one_or_none()
    if kept is None:
        return None
    if kept.fingerprint != fingerprint:
        raise KeyReusedError(
            "expected the request that this Idempotency-Key was first used for, found another one; "
            "use a new key for a new request"
        )
    return Answer(kept.status, kept.headers, kept.body)


def keep(session: Session, account_id: int, key: str, fingerprint: bytes, answer: Answer) -> None:
    """Keep an answer under a key for 24 hours; older ones of the account are deleted."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.account_id == account_id, _is_old()))
    session.execute(
        insert(KeptAnswer).values(
            account_id=account_id,
            key=key,
            fingerprint=fingerprint,
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
        )
    )


def forget_old_answers(session: Session) -> None:
    """Delete the answers of all accounts that are older than 24 hours."""
    session.execute(delete(KeptAnswer).where(_is_old()))


def _is_old() -> ColumnElement[bool]:
    return KeptAnswer.made_at < func.now() - text(f"interval '{HOURS_KEPT} hours'")


def _lock_of(account_id: int, key: str) -> int:
    digest = sha256(f"{account_id} {key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
