"""What a dump of a database leaves out and its restore needs: roles, rights on the database, leakproof functions.

`pg_dump` writes nothing that belongs to the server as a whole, and nothing that was altered inside an extension.
Passwords are not kept: an ordinary account may not read them, and a backup should not carry them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Roles that own something in this database or are named by a grant or a policy of it, without its owner.
_ROLES = """
SELECT DISTINCT r.oid, r.rolname, r.rolcanlogin, r.rolinherit, r.rolbypassrls
FROM pg_catalog.pg_shdepend s, pg_catalog.pg_database d, pg_catalog.pg_roles r
WHERE d.datname = current_database() AND s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
  AND s.refobjid = r.oid AND r.oid <> d.datdba AND r.rolname NOT LIKE 'pg\\_%'
  AND (s.dbid = d.oid OR (s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND s.objid = d.oid))
  AND NOT r.rolsuper
ORDER BY r.rolname
"""

_MEMBERSHIPS = """
SELECT pg_catalog.pg_get_userbyid(m.roleid), CASE WHEN m.member = d.datdba THEN NULL
       ELSE pg_catalog.pg_get_userbyid(m.member) END
FROM pg_catalog.pg_auth_members m, pg_catalog.pg_database d
WHERE d.datname = current_database() AND m.roleid = ANY(%(roles)s)
  AND (m.member = ANY(%(roles)s) OR m.member = d.datdba)
ORDER BY 1, 2
"""

_SETTINGS = """
SELECT CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole) END, s.setdatabase <> 0,
       pg_catalog.split_part(c, '=', 1), pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1)
FROM pg_catalog.pg_db_role_setting s, pg_catalog.pg_database d, pg_catalog.unnest(s.setconfig) c
WHERE d.datname = current_database() AND s.setdatabase IN (0, d.oid)
  AND (s.setrole = ANY(%(roles)s) OR (s.setrole = 0 AND s.setdatabase <> 0))
ORDER BY 1, 2, 3
"""

_DATABASE_GRANTS = """
SELECT CASE g.grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(g.grantee) END, g.privilege_type
FROM pg_catalog.pg_database d, pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) g
WHERE d.datname = current_database() AND g.grantee <> d.datdba
ORDER BY 1, 2
"""

_EXTENSIONS = """
SELECT e.extname, n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE n.nspname <> 'pg_catalog' ORDER BY 1
"""

_LEAKPROOF = """
SELECT p.oid::pg_catalog.regprocedure::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_depend e ON e.objid = p.oid AND e.deptype = 'e'
     AND e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
WHERE p.proleakproof ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands round a database on its server.

    Attributes
    ----------
    extensions
        (name, schema). A dump leaves those out that were created without a server, as in the embedded database.
    roles
        Name -> whether it may log in, inherits, is above row-level security. Never more: a file makes no superuser.
    memberships
        (role, member); the member None is the owner of the database.
    settings
        (role or None, in this database alone, name, value).
    database_grants
        (role or None for everybody, privilege).
    leakproof
        Functions of extensions that were declared leakproof.
    """

    extensions: tuple[tuple[str, str], ...]
    roles: Mapping[str, tuple[bool, bool, bool]]
    memberships: tuple[tuple[str, str | None], ...]
    settings: tuple[tuple[str | None, bool, str, str], ...]
    database_grants: tuple[tuple[str | None, str], ...]
    leakproof: tuple[str, ...]

    def as_record(self) -> dict[str, Any]:
        """Return plain values for a manifest."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Surroundings:
        """Return the surroundings that a manifest tells of."""
        return cls(
            tuple((str(name), str(schema)) for name, schema in record["extensions"]),
            {
                str(name): (bool(login), bool(inherits), bool(above))
                for name, (login, inherits, above) in record["roles"].items()
            },
            tuple((str(role), member) for role, member in record["memberships"]),
            tuple((role, bool(here), str(name), str(value)) for role, here, name, value in record["settings"]),
            tuple((role, str(privilege)) for role, privilege in record["database_grants"]),
            tuple(str(function) for function in record["leakproof"]),
        )


def read_surroundings(connection: psycopg.Connection[Any]) -> Surroundings:
    """Return what stands round the database of a connection; its search path must be pinned."""
    found = connection.execute(_ROLES).fetchall()
    roles = {"roles": [row[0] for row in found]}
    return Surroundings(
        tuple(connection.execute(_EXTENSIONS).fetchall()),
        {name: (login, inherits, above) for _oid, name, login, inherits, above in found},
        tuple(connection.execute(_MEMBERSHIPS, roles).fetchall()),
        tuple(connection.execute(_SETTINGS, roles).fetchall()),
        tuple(connection.execute(_DATABASE_GRANTS).fetchall()),
        tuple(row[0] for row in connection.execute(_LEAKPROOF).fetchall()),
    )


def make_roles(connection: psycopg.Connection[Any], wanted: Surroundings, owner: str) -> None:
    """Create the roles that the server does not have; those it has stay as they are.

    Policies name the database's former owner: where that is missing it is made, without a right to log in.
    """
    present = {row[0] for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles").fetchall()}
    for name, (login, inherits, above) in wanted.roles.items():
        if name not in present:
            attributes = (
                ("LOGIN", "NOLOGIN")[not login],
                ("INHERIT", "NOINHERIT")[not inherits],
                ("BYPASSRLS", "NOBYPASSRLS")[not above],
            )
            connection.execute(
                sql.SQL("CREATE ROLE {} ").format(sql.Identifier(name)) + sql.SQL(" ").join(map(sql.SQL, attributes))
            )
    for role, member in wanted.memberships:
        whom = sql.Identifier(member) if member else sql.SQL("CURRENT_USER")
        if not _is_member(connection, role, member):
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), whom))
    if owner not in present:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(owner)))


def make_extensions(connection: psycopg.Connection[Any], wanted: Surroundings) -> None:
    """Create the extensions in a new database, in the newest version that the server has."""
    for name, schema in wanted.extensions:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        create = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(schema)))


def furnish(connection: psycopg.Connection[Any], wanted: Surroundings) -> None:
    """Give a database the rights and settings it had, and its extensions their leakproof functions."""
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for role, privilege in wanted.database_grants:
        grant = sql.SQL("GRANT {} ON DATABASE {} TO {}")
        connection.execute(grant.format(sql.SQL(_privilege(privilege)), database, _whom(role)))
    have = {row[0] for row in connection.execute(_LEAKPROOF).fetchall()}
    for function in wanted.leakproof:
        if function not in have:
            _make_leakproof(connection, function)
    for role, is_here, name, value in wanted.settings:  # last: they change the transaction's own settings
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])
        connection.execute(_keep_setting(role, database if is_here else None, name))


def _make_leakproof(connection: psycopg.Connection[Any], function: str) -> None:
    """Declare a function leakproof if it is there; the name is the server's own rendering of what it found."""
    found = connection.execute(
        "SELECT n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)"
        " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
        " WHERE p.oid = pg_catalog.to_regprocedure(%s)",
        [function],
    ).fetchone()
    if found is not None:
        schema, name, arguments = found
        alter = sql.SQL("ALTER FUNCTION {}({}) LEAKPROOF").format(sql.Identifier(schema, name), sql.SQL(arguments))
        # It takes a superuser; without it maps of large stores are slow, not wrong.
        with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(alter)


def _is_member(connection: psycopg.Connection[Any], role: str, member: str | None) -> bool:
    query = (
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = %s::pg_catalog.regrole"
        " AND m.member = coalesce(%s, pg_catalog.quote_ident(current_user))::pg_catalog.regrole)"
    )
    quoted = [sql.Identifier(name).as_string(connection) if name else None for name in (role, member)]
    return connection.execute(query, quoted).fetchone() == (True,)


def _privilege(name: str) -> str:
    return {"CONNECT": "CONNECT", "CREATE": "CREATE", "TEMPORARY": "TEMPORARY"}[name]


def _whom(role: str | None) -> sql.Composable:
    return sql.Identifier(role) if role else sql.SQL("PUBLIC")


def _keep_setting(role: str | None, database: sql.Identifier | None, name: str) -> sql.Composed:
    if role is None:
        subject: sql.Composable = sql.SQL("DATABASE {}").format(database or sql.SQL(""))
    elif database is None:
        subject = sql.SQL("ROLE {}").format(sql.Identifier(role))
    else:
        subject = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), database)
    return sql.SQL("ALTER {} SET {} FROM CURRENT").format(
        subject, sql.SQL(".").join(map(sql.Identifier, name.split(".")))
    )
