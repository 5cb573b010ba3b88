"""The second fence: the role the application works under, its rights, and row-level policies generated from `FENCES`.

The role owns nothing. Every transaction says who asks (`geodata.scoping`); a row outside of that account's scopes does
not exist for it. Functions, views, triggers and policies are made anew whenever the tables or the rules change.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import insert, text
from sqlalchemy.exc import ProgrammingError

from geodata.account_tables import Account, AccountScope, RolePermission
from geodata.fences import FENCES, VIEWS, Fence, Reach
from mapgrid.errors import MapgridError
from mapgrid.roles import CHANGES, ROLES, Permission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

WEB_ROLE = "mapgrid_web"
"""The role under which the application reads and writes."""

_SCRIPTS = ("scope.sql", "audit.sql")
_BOX_FUNCTIONS = ("geometry_overlaps", "geometry_contains", "geometry_within")
_MARK = "account"  # the table whose policy carries the mark of what was applied


class PoliciesRefusedError(MapgridError):
    """A database whose user may not make the application's role or rights."""


def apply(connection: Connection) -> bool:
    """Make role, rights, functions, views, triggers and policies if they are not as they should be; say whether.

    Raises
    ------
    PoliciesRefusedError
        If the connected user may not.
    """
    statements = list(_statements(connection))
    mark = hashlib.sha256("\n".join([*statements, _permissions_text()]).encode()).hexdigest()[:16]
    if _mark_of(connection) == mark:
        return False
    _make_role(connection)
    remove(connection)
    for statement in statements:
        connection.exec_driver_sql(statement)
    # Not among the statements: the mark must not hold the database's name, or each copy would make all of it anew.
    database = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
    connection.exec_driver_sql(f"GRANT TEMPORARY ON DATABASE {database} TO {WEB_ROLE}")
    _write_permissions(connection)  # now that an owner who is no superuser has a policy that lets it
    connection.exec_driver_sql(f"COMMENT ON POLICY owner ON {_MARK} IS '{mark}'")
    _let_boxes_through(connection)
    return True


def remove(connection: Connection) -> None:
    """Drop all that `apply` made, except the role: tables can be changed then."""
    for name, table in connection.execute(
        text("SELECT policyname, tablename FROM pg_policies WHERE schemaname = current_schema()")
    ).all():
        connection.exec_driver_sql(f'DROP POLICY "{name}" ON "{table}"')
    for view in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view}")
    for signature in connection.scalars(
        text(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'mapgrid\\_%'"
            " AND pronamespace = current_schema()::regnamespace"
        )
    ).all():
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {signature} CASCADE")


def _mark_of(connection: Connection) -> str | None:
    query = text(
        "SELECT obj_description(p.oid, 'pg_policy') FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
        " WHERE p.polname = 'owner' AND c.relname = :table AND c.relnamespace = current_schema()::regnamespace"
    )
    mark: str | None = connection.execute(query, {"table": _MARK}).scalar()
    return mark


def _make_role(connection: Connection) -> None:
    found = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": WEB_ROLE}).scalar()
    user = connection.execute(text("SELECT quote_ident(current_user)")).scalar_one()
    try:
        with connection.begin_nested():
            if not found:
                connection.exec_driver_sql(f"CREATE ROLE {WEB_ROLE} LOGIN")
            member = "SELECT pg_has_role(current_user, :role, 'MEMBER')"
            if not connection.execute(text(member), {"role": WEB_ROLE}).scalar():
                connection.exec_driver_sql(f"GRANT {WEB_ROLE} TO {user}")
    except ProgrammingError as error:
        raise PoliciesRefusedError(
            f"expected a database user who may make the role {WEB_ROLE}, found {user}, who may not; as a superuser: "
            f"CREATE ROLE {WEB_ROLE} LOGIN; GRANT {WEB_ROLE} TO {user}"
        ) from error


def _write_permissions(connection: Connection) -> None:
    connection.execute(text("DELETE FROM role_permission"))
    connection.execute(
        insert(RolePermission),
        [
            {"role": role, "permission": permission, "is_change": permission in CHANGES}
            for role, rule in ROLES.items()
            for permission in sorted(rule.permissions)
        ],
    )


def _permissions_text() -> str:
    return repr(([(role, sorted(rule.permissions)) for role, rule in ROLES.items()], sorted(CHANGES)))


def _statements(connection: Connection) -> Iterator[str]:
    schema, owner = connection.execute(text("SELECT quote_ident(current_schema()), quote_ident(current_user)")).one()
    for script in _SCRIPTS:
        source = files("geodata").joinpath("sql", script).read_text(encoding="utf-8")
        yield source.replace(":schema", schema).replace(":web", f"'{WEB_ROLE}'")
    yield f"GRANT USAGE ON SCHEMA {schema} TO {WEB_ROLE}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {WEB_ROLE}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {WEB_ROLE}"
    yield f"GRANT SELECT ON spatial_ref_sys, geometry_columns, alembic_version TO {WEB_ROLE}"
    for view in VIEWS:
        yield f"GRANT SELECT ON {view} TO {WEB_ROLE}"
    for fence in FENCES:
        yield from _fence_statements(fence, owner)


def _fence_statements(fence: Fence, owner: str) -> Iterator[str]:
    table = fence.table.__tablename__
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    # The owner migrates, imports from the command line, and stands behind the functions and views.
    yield f"CREATE POLICY owner ON {table} TO {owner} USING (true) WITH CHECK (true)"
    yield f"GRANT SELECT ON {table} TO {WEB_ROLE}"
    yield f"CREATE POLICY reads ON {table} FOR SELECT TO {WEB_ROLE} USING ({_read_condition(fence)})"
    if fence.only_adds:
        yield f"GRANT INSERT ON {table} TO {WEB_ROLE}"
        yield f"CREATE POLICY adds ON {table} FOR INSERT TO {WEB_ROLE} WITH CHECK ({_add_condition(fence)})"
    elif fence.writes or fence.reach is Reach.OWN:
        condition = _write_condition(fence)
        yield f"GRANT INSERT, UPDATE, DELETE ON {table} TO {WEB_ROLE}"
        made = _has_any(fence.writes) if fence.table is Account else condition
        yield f"CREATE POLICY adds ON {table} FOR INSERT TO {WEB_ROLE} WITH CHECK ({made})"
        yield f"CREATE POLICY changes ON {table} FOR UPDATE TO {WEB_ROLE} USING ({condition}) WITH CHECK ({condition})"
        yield f"CREATE POLICY drops ON {table} FOR DELETE TO {WEB_ROLE} USING ({condition})"


def _read_condition(fence: Fence) -> str:
    column = fence.column
    match fence.reach:
        case Reach.CHAIN:
            return f"{_within(column, 'areas', fence.reads)} OR {column}::text = ANY ({_asked('chain', fence.reads)})"
        case Reach.AROUND:
            return _within(column, "around", fence.reads)
        case Reach.PLAN:
            was_in_force = f"state IN ('published', 'superseded') AND {_within(column, 'around', fence.reads)}"
            return f"{was_in_force} OR {_within(column, 'areas', fence.writes)}"
        case Reach.STAFF:
            serves = "SELECT staff_id FROM staff_of_grid"  # which has a fence of its own
            return f"{column} IN ({serves}) OR {_has_any(fence.writes)}"
        case Reach.AUDIT:
            areas = _asked("areas", fence.reads)
            return f"'' = ANY ({areas}) OR {_within(column, 'areas', fence.reads)}"
        case _:
            return _condition(fence, fence.reads)


def _write_condition(fence: Fence) -> str:
    if fence.reach in {Reach.CHAIN, Reach.AROUND, Reach.PLAN}:
        return _within(fence.column, "areas", fence.writes)
    if fence.reach is Reach.STAFF:
        return _has_any(fence.writes)
    if fence.table is AccountScope:  # roles are given on one's own areas alone, and never to oneself
        return (
            f"account_id IS DISTINCT FROM mapgrid_account() AND mapgrid_manages(account_id)"
            f" AND {_within('area_code', 'areas', fence.writes)}"
        )
    return _condition(fence, fence.writes)


def _add_condition(fence: Fence) -> str:
    """Return the condition under which a row may be added that is never changed: who adds it says who they are."""
    columns = fence.table.__table__.columns
    said = [("account_id", "mapgrid_account()"), ("viewer_id", "mapgrid_viewer()")]
    parts = [f"{column} IS NOT DISTINCT FROM {asker}" for column, asker in said if column in columns]
    return " AND ".join([*parts, *([_write_condition(fence)] if fence.writes else [])])


def _condition(fence: Fence, permissions: Sequence[Permission]) -> str:
    column = fence.column
    match fence.reach:
        case Reach.GRID:
            return _within(column, "scopes", permissions)
        case Reach.HOUSEHOLD:
            return _of_household(column, permissions)
        case Reach.CASE:
            lies_in = f"EXISTS (SELECT FROM mapgrid_outlines('{_array(permissions)}') o WHERE ST_Covers(o, place))"
            return (
                f"{_within(column, 'areas', permissions)}"
                f" OR household_code::text IN (SELECT mapgrid_households('{_array(permissions)}'))"
                f" OR (household_code IS NULL AND {lies_in})"
            )
        case Reach.ACCOUNT:
            return (
                f"mapgrid_account() IS NULL OR {column} IN (mapgrid_account(), mapgrid_viewer())"
                f" OR mapgrid_manages({column})"
            )
        case Reach.OWN:
            return f"{column} = mapgrid_account()"
        case _:
            return "true"


def _of_household(column: str, permissions: Sequence[Permission]) -> str:
    standing = f"{column}::text IN (SELECT mapgrid_households('{_array(permissions)}'))"
    return f"{_within(column, 'areas', permissions)} OR {standing}"


def _within(column: str, function: str, permissions: Sequence[Permission]) -> str:
    return f"{column}::text ^@ ANY ({_asked(function, permissions)})"


def _has_any(permissions: Sequence[Permission]) -> str:
    return f"cardinality({_asked('areas', permissions)}) > 0"


def _asked(kind: str, permissions: Sequence[Permission]) -> str:
    """Return the codes of a kind (see `sql/scope.sql`) that one of some permissions reaches, read once a statement."""
    read = " || ".join(f"nullif(current_setting('mapgrid.{kind}_{each}', true), '')::text[]" for each in permissions)
    return f"(SELECT {read})::text[]"


def _array(permissions: Sequence[Permission]) -> str:
    return "{" + ",".join(permissions) + "}"


def _let_boxes_through(connection: Connection) -> None:
    """Mark PostGIS's comparisons of boxes as leakproof, or the policies turn the geometry indexes off.

    They compare two boxes and say nothing of their values. It takes a superuser; without one maps of large stores are
    slow, not wrong.
    """
    if not connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar():
        return
    for name in _BOX_FUNCTIONS:
        connection.exec_driver_sql(f"ALTER FUNCTION {name}(geometry, geometry) LEAKPROOF")
