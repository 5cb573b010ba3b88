"""What to try on a restored store, beside comparing it with its manifest."""

from __future__ import annotations

from sqlalchemy import text

from geodata.audit import find_breaks, head_of_trail
from geodata.backup.drill import Probe
from geodata.backup.refusals import RestoreError
from geodata.database import open_engine, open_web_engine, session_maker


def _prove_trail(url: str) -> str:
    engine = open_engine(url)
    try:
        with session_maker(engine)() as session:
            breaks = find_breaks(session)
            number, _mark = head_of_trail(session)
    finally:
        engine.dispose()
    if breaks:
        raise RestoreError(f"entry {breaks[0].id} of the audit trail: {breaks[0].fault}")
    return f"{number} entries, one chain"


def _prove_fence(url: str) -> str:
    """Ask as the application's role and as nobody: it must be able to ask, and must see no household."""
    engine = open_web_engine(url)
    try:
        with engine.connect() as connection:
            role, seen = connection.execute(text("SELECT current_user, count(*) FROM household")).one()
    finally:
        engine.dispose()
    if seen:
        raise RestoreError(f"expected that {role} sees no household while nobody is signed in, found {seen}")
    return f"{role} sees no household while nobody is signed in"


STORE_PROBES = (Probe("audit trail", _prove_trail), Probe("row-level fence", _prove_fence))
"""What needs no pages."""
