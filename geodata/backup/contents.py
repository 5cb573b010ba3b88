"""What a database holds: rows and a hash of every table, and the definition of everything round them.

All is read in one transaction, so that a dump of the same snapshot must hold exactly this.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, LiteralString

    import psycopg

# Text of values and of definitions depends on these; names are written out in full without a search path.
_PINNED: tuple[LiteralString, ...] = (
    "SET LOCAL search_path = ''",
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO'",
    "SET LOCAL intervalstyle = 'iso_8601'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 3",
    "SET LOCAL row_security = on",  # `hidden_tables` says where that would hide rows
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
_SQL = Path(__file__).parent.parent / "sql"
_NOT_BY_PEOPLE = frozenset({"alembic_version", "audit_anchor", "rate_limit", "role_permission"})
_SEQUENCES = (
    "SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), coalesce(last_value, 0)"
    " FROM pg_catalog.pg_sequences ORDER BY 1"
)
_TEXT = re.compile(r"'(?:[^']|'')*'::character varying")
_CAST_OF_A_LIST = re.compile(rf"\(ARRAY\[((?:{_TEXT.pattern}(?:, )?)+)\]\)::text\[\]")


@dataclass(frozen=True, slots=True)
class TableContent:
    """The rows of one table.

    Attributes
    ----------
    rows
        How many.
    sha256
        Of their text in the order of the primary key, in hexadecimal.
    """

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds.

    Attributes
    ----------
    tables
        By full name.
    sequences
        The last number each has given; they run ahead of a snapshot.
    definitions
        By kind (policies, triggers, …), then by name.
    """

    tables: Mapping[str, TableContent]
    sequences: Mapping[str, int]
    definitions: Mapping[str, Mapping[str, str]]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    def as_record(self) -> dict[str, Any]:
        """Return plain values for a manifest."""
        return {
            "tables": {name: {"rows": table.rows, "sha256": table.sha256} for name, table in self.tables.items()},
            "sequences": dict(self.sequences),
            "definitions": {kind: dict(found) for kind, found in self.definitions.items()},
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Contents:
        """Return the contents that a manifest tells of."""
        return cls(
            {name: TableContent(int(each["rows"]), str(each["sha256"])) for name, each in record["tables"].items()},
            {name: int(number) for name, number in record["sequences"].items()},
            {str(kind): dict(found) for kind, found in record["definitions"].items()},
        )


def read_contents(connection: psycopg.Connection[Any]) -> Contents:
    """Return what the database of a connection holds, as its transaction sees it; settings of the transaction change.

    Every row is read: some seconds per million.
    """
    pin_settings(connection)
    tables = {
        name: _read_table(connection, sql.Identifier(schema, table), keys, frozenset(texts))
        for name, schema, table, keys, texts in connection.execute(_read("stored_tables.sql")).fetchall()
    }
    definitions: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for kind, name, definition in connection.execute(_read("stored_definitions.sql")).fetchall():
        definitions[kind][name] = _settle(definition)
    return Contents(tables, dict(connection.execute(_SEQUENCES).fetchall()), dict(definitions))


def hidden_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the tables of which policies may hide rows from the user of a connection."""
    pin_settings(connection)
    return [row[0] for row in connection.execute(_read("hidden_tables.sql")).fetchall()]


def has_rows(connection: psycopg.Connection[Any]) -> bool:
    """Say whether any table has a row that migrations did not put there."""
    pin_settings(connection)
    tables = connection.execute(_read("stored_tables.sql")).fetchall()
    question = sql.SQL("SELECT EXISTS (SELECT FROM {})")
    return any(
        connection.execute(question.format(sql.Identifier(schema, table))).fetchone() == (True,)
        for _name, schema, table, _keys, _texts in tables
        if table not in _NOT_BY_PEOPLE
    )


def pin_settings(connection: psycopg.Connection[Any]) -> None:
    """Let the transaction of a connection write values and definitions in the one form that hashes are made of."""
    for setting in _PINNED:
        connection.execute(setting)


def _settle(definition: str) -> str:
    """Return a definition as it will be printed again: PostgreSQL moves the cast of a list once, to its parts."""
    return _CAST_OF_A_LIST.sub(lambda found: f"ARRAY[{_TEXT.sub(_cast, found[1])}]", definition)


def _cast(found: re.Match[str]) -> str:
    return f"({found[0]})::text"


def _read(name: str) -> bytes:
    return (_SQL / name).read_bytes()


def _read_table(
    connection: psycopg.Connection[Any], table: sql.Identifier, keys: list[str], texts: frozenset[str]
) -> TableContent:
    """Count and hash the rows of a table, in an order that no collation changes."""
    order = [_as_bytes(key, is_text=key in texts) for key in keys] or [sql.SQL('r::pg_catalog.text COLLATE "C"')]
    query = sql.SQL("COPY (SELECT r.* FROM {} r ORDER BY {}) TO STDOUT").format(table, sql.SQL(", ").join(order))
    rows, digest = 0, hashlib.sha256()
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for row in copy:
            rows += 1
            digest.update(row)
    return TableContent(rows, digest.hexdigest())


def _as_bytes(column: str, *, is_text: bool) -> sql.Composable:
    return sql.SQL('r.{} COLLATE "C"' if is_text else "r.{}").format(sql.Identifier(column))
