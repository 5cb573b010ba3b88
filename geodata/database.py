"""Engine and session of a PostGIS database."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker


def open_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Return an engine for a PostgreSQL URL, whichever driver the URL names; connections are checked before use."""
    parsed = make_url(url)
    if parsed.get_backend_name() in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, pool_size=pool_size, pool_pre_ping=True)


def session_maker(engine: Engine) -> sessionmaker[Session]:
    """Return a maker of sessions; the caller commits, at the outermost place only."""
    return sessionmaker(engine, expire_on_commit=False)
