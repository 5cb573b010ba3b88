"""How often something was tried, in one table for all server processes.

The table is not logged: after a crash of the database counting begins anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from geodata.account_tables import RateLimit

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine


def count_hit(engine: Engine, key: str, window_s: int, amount: int) -> int:
    """Count `amount` more tries of a key and return how many there are in its window, which begins with the first.

    In a transaction of its own: a try counts whatever becomes of the request.
    """
    ends_at = func.clock_timestamp() + text("make_interval(secs => :window_s)")
    made = upsert(RateLimit).values(key=key, count=amount, ends_at=ends_at)
    is_over = RateLimit.ends_at <= func.clock_timestamp()
    counted = made.on_conflict_do_update(
        index_elements=[RateLimit.key],
        set_={
            "count": case((is_over, made.excluded.count), else_=RateLimit.count + made.excluded.count),
            "ends_at": case((is_over, made.excluded.ends_at), else_=RateLimit.ends_at),
        },
    ).returning(RateLimit.count)
    with engine.begin() as connection:
        return connection.execute(counted, {"window_s": window_s}).scalar_one()


def load_window(engine: Engine, key: str) -> tuple[int, datetime | None]:
    """Return how often a key was tried in its window and when that ends; 0 and None without a window."""
    current = (RateLimit.key == key, RateLimit.ends_at > func.clock_timestamp())
    with engine.connect() as connection:
        row = connection.execute(
            select(RateLimit.count.label("tries"), RateLimit.ends_at).where(*current)
        ).one_or_none()
    return (0, None) if row is None else (row.tries, row.ends_at)


def forget(engine: Engine, key: str | None = None) -> int:
    """Forget the tries of a key, or with None of all keys, and return of how many."""
    chosen = delete(RateLimit) if key is None else delete(RateLimit).where(RateLimit.key == key)
    with engine.begin() as connection:
        return int(connection.execute(chosen).rowcount)
