"""Many rows at once: in by COPY through a temporary table, out as columns of a frame."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geoalchemy2 import Geometry
from psycopg import sql
from shapely import MultiPolygon
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import UserDefinedType

from geodata.tables import Base
from mapgrid.crs import STORAGE_SRID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy import Delete, Insert, Select
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Saved:
    """How many rows a save made, changed, found as they were, and took away."""

    added: int
    changed: int
    unchanged: int
    removed: int = 0


class _PlainGeometry(UserDefinedType[str]):
    """Geometry passed through as hexadecimal EWKB, where GeoAlchemy2's type would wrap it in functions."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type as SQL says it."""
        return f"geometry(Geometry, {STORAGE_SRID})"


@contextmanager
def incoming(session: Session, target: type[Base], columns: Mapping[str, Sequence[Any]]) -> Iterator[Table]:
    """Lend a temporary table, filled by COPY in the session's own transaction.

    Parameters
    ----------
    target
        The table the rows are meant for. Columns that are not given take its defaults; generated ones are left out.
    columns
        Plain values by column name, all of one length; geometry as `ewkb_of` returns it.
    """
    kept = Base.metadata.tables[target.__tablename__].columns
    table = Table(
        "incoming",
        MetaData(),
        *(_copy_of(column) for column in kept if column.identity is None),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    connection = session.connection()
    table.create(connection, checkfirst=False)
    _copy(session, table.name, columns)
    yield table
    # Not in a finally: after an error the transaction is lost, and the table with it.
    table.drop(connection, checkfirst=False)


def copy_rows(session: Session, target: type[Base], columns: Mapping[str, Sequence[Any]]) -> None:
    """Add rows to a table, generated columns as given; a row that is there already fails the transaction.

    By COPY into a temporary table and INSERT from there: PostgreSQL lets no COPY into a table with row-level policies.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    table = sql.Identifier(target.__tablename__)
    cursor: Any = session.connection().connection.cursor()
    cursor.execute(sql.SQL("CREATE TEMPORARY TABLE incoming AS SELECT {} FROM {} WHERE false").format(names, table))
    _copy(session, "incoming", columns)
    cursor.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM incoming").format(table, names, names)
    )
    cursor.execute("DROP TABLE incoming")


def rows_written(session: Session, statement: Delete | Insert) -> int:
    """Return how many rows a statement wrote or took away."""
    done: Any = session.execute(statement, execution_options={"preserve_rowcount": True})
    return int(done.rowcount)


def ewkb_of(frame: GeoDataFrame) -> list[str | None]:
    """Return the geometries of an EPSG:4326 frame as hexadecimal EWKB, None where there is none."""
    shapes = shapely.set_srid(frame.geometry.to_numpy(), STORAGE_SRID)
    written: list[str | None] = shapely.to_wkb(shapes, hex=True, include_srid=True).tolist()
    return written


def values_of(frame: pd.DataFrame, name: str) -> list[Any]:
    """Return the values of a column as plain Python values, None for what pandas calls missing."""
    column = frame[name].astype(object)
    values: list[Any] = column.where(column.notna(), None).tolist()
    return values


def read_frame(session: Session, query: Select[*tuple[Any, ...]]) -> GeoDataFrame:
    """Return the rows of a query as a frame, EPSG:4326; its last column is the geometry, as `ST_AsBinary` gives it."""
    result = session.execute(query)
    names = list(result.keys())
    rows = result.all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    shapes = shapely.from_wkb(np.array(columns[-1], dtype=object))
    attributes = pd.DataFrame({name: _series(values) for name, values in zip(names[:-1], columns, strict=False)})
    return gpd.GeoDataFrame(attributes, geometry=shapes, crs=STORAGE_SRID)


def multipart(shape: BaseGeometry) -> MultiPolygon:
    """Return the polygons of a shape as one MultiPolygon, as the store keeps outlines."""
    return MultiPolygon(shapely.get_parts(shape).tolist())


def _copy(session: Session, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    cursor: Any = session.connection().connection.cursor()
    with cursor.copy(statement) as copy:
        for row in zip(*columns.values(), strict=True):  # psycopg streams row by row
            copy.write_row(row)


def _series(values: Sequence[Any]) -> pd.Series:
    # Left to itself, pandas would turn the None of a text column into a number, NaN.
    plain = bool(values) and all(isinstance(value, int | float) for value in values)
    return pd.Series(values, dtype=None if plain else object)


def _copy_of(column: Column[Any]) -> Column[Any]:
    kind = _PlainGeometry() if isinstance(column.type, Geometry) else column.type
    default: Any = column.server_default
    return Column(column.name, kind, server_default=None if default is None else default.arg)
