"""The history of the tables: alembic's environment and one file per step in `versions/`."""

from __future__ import annotations

from typing import Any

from geodata import account_tables, job_tables, plan_tables  # noqa: F401 - declare their tables
from geodata.tables import Base


def is_ours(_thing: Any, name: str | None, kind: str, is_reflected: bool, compared_to: Any) -> bool:  # noqa: ANN401, FBT001
    """Say whether alembic should compare a thing: tables of PostGIS and of neighbours in the database are not ours."""
    return not (kind == "table" and is_reflected and compared_to is None and name not in Base.metadata.tables)


CONTEXT: dict[str, Any] = {"include_object": is_ours, "compare_type": True, "compare_server_default": True}
"""How tables and database are compared, in migrations and in the test that finds no difference."""
