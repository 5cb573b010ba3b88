"""What a backup says of itself: versions, when it was made, and what its dump must hold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from geodata.backup.contents import Contents, hidden_tables, pin_settings, read_contents
from geodata.backup.refusals import BackupError, BackupRefusedError
from geodata.backup.surroundings import Surroundings, read_surroundings

if TYPE_CHECKING:
    from typing import Any

    import psycopg


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes
    ----------
    made_at
        When its snapshot was taken.
    mapgrid, revision
        The version that made it, and the revision of the tables.
    postgresql, postgis
        Versions of the server; 150018 for PostgreSQL 15.18.
    owner
        The role that owns the database.
    contents, surroundings
        What the dump must hold, and what must stand round it.
    database_bytes
        Room that the database took on its disk.
    dump_sha256
        Hash of the dump as it lies in the file.
    """

    made_at: datetime
    mapgrid: str
    revision: str
    postgresql: int
    postgis: str
    owner: str
    contents: Contents
    surroundings: Surroundings
    database_bytes: int
    dump_sha256: str = ""

    @property
    def server_major(self) -> int:
        """The major version of the server: 15."""
        return self.postgresql // 10_000

    def to_json(self) -> bytes:
        """Return the text of `manifest.json`."""
        record = {
            "made_at": self.made_at.isoformat(),
            "mapgrid": self.mapgrid,
            "revision": self.revision,
            "postgresql": self.postgresql,
            "postgis": self.postgis,
            "owner": self.owner,
            "database_bytes": self.database_bytes,
            "dump_sha256": self.dump_sha256,
            "surroundings": self.surroundings.as_record(),
            **self.contents.as_record(),
        }
        return json.dumps(record, indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Return the manifest of a text.

        Raises
        ------
        BackupRefusedError
            If it is none.
        """
        try:
            record: dict[str, Any] = json.loads(text)
            return cls(
                datetime.fromisoformat(record["made_at"]),
                str(record["mapgrid"]),
                str(record["revision"]),
                int(record["postgresql"]),
                str(record["postgis"]),
                str(record["owner"]),
                Contents.from_record(record),
                Surroundings.from_record(record["surroundings"]),
                int(record["database_bytes"]),
                str(record["dump_sha256"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupRefusedError(f"the backup's manifest is not one of mapgrid: {error!r}") from error


def describe(connection: psycopg.Connection[Any], now: datetime) -> Manifest:
    """Return the manifest of the database of a connection, as its transaction sees it.

    Raises
    ------
    BackupError
        If it holds no store of mapgrid.
    """
    revision = read_revision(connection)
    if revision is None:
        raise BackupError(
            f"expected a store of mapgrid, found none in the database {connection.info.dbname}; "
            "mapgrid db start makes one"
        )
    hidden = hidden_tables(connection)
    if hidden:
        raise BackupError(
            f"{connection.info.user} may not see every row of {', '.join(hidden)}: a backup would be a part; "
            "make it as the owner of the tables, or as a superuser"
        )
    contents = read_contents(connection)
    owner, size = connection.execute(
        "SELECT pg_catalog.pg_get_userbyid(datdba), pg_catalog.pg_database_size(oid)"
        " FROM pg_catalog.pg_database WHERE datname = current_database()"
    ).fetchone() or ("", 0)
    return Manifest(
        made_at=now,
        mapgrid=version("mapgrid"),
        revision=revision,
        postgresql=connection.info.server_version,
        postgis=contents.definitions["extensions"].get("postgis", ""),
        owner=owner,
        contents=contents,
        surroundings=read_surroundings(connection),
        database_bytes=size,
    )


def read_revision(connection: psycopg.Connection[Any]) -> str | None:
    """Return the revision of the tables, None where there are none of mapgrid."""
    pin_settings(connection)
    table = connection.execute("SELECT pg_catalog.to_regclass('public.alembic_version')").fetchone()
    if table == (None,):
        return None
    found = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
    return str(found[0]) if found else None
